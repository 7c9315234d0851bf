"""Write ``docs/lint.md`` from the rules of ``dcmcfg lint``: ``make docs``, or ``python docs/generate.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dcmcfg.cli.commands import COMMANDS
from dcmcfg.lint.catalogue import RULES, TOPICS
from dcmcfg.lint.rule import LintRule

PAGE = Path(__file__).parent / "lint.md"

HEAD = """\
# What will not work

<!-- Written by docs/generate.py from the rules; `make docs` after a change of one. -->

`dcmcfg lint [FILE|FOLDER]` looks at the configuration as a whole and says what the archive will fail at: AEs that
nobody carries, connections that do not fit, exporters whose queue is missing, studies that are never purged. Nothing is
changed and the archive is not asked. `dcmcfg check` is its sibling: it looks at each entry and value by itself.

Without FILE the live tree is read. A FILE, a FOLDER (`*.ldif`) or `-` is taken for the whole configuration: an AE that
is not in it is unknown. There are {count} rules:

- **error**: it fails. Exit code 1.
- **warning**: it fails in some cases, or does something else than one would think. Exit code 0.
- **note**: it works, and may not be what was meant. Exit code 0.

Where no archive's device is in it, the topics that need one are named as not tried. Where `check` finds errors in the
same tree, a line says how many.

`--rule RULE` (again for more) asks those rules only. `--json` is for scripts, `--sarif` (SARIF 2.1.0) for code review.

`--fix` mends what needs no decision (marked *fixable*), as one plan like that of every changing command: shown, asked,
undone by the undo file. What is left is told afterwards, and an error among it is exit code 1.

Not seen from the tree, so not said: whether the external archive knows the archive's AEs and accepts its callers
(`dcmcfg verify` shows that), reverse DNS of callers, key stores in files, time-outs that are too short for a tape
library, what transfer syntaxes are stored, settings that were changed and need a restart. Formats, enumerations and
ports are `check`'s.
"""


def page() -> str:
    """Return the page as it should be."""
    return "\n".join([HEAD.format(count=len(RULES)), *_topics()])


def _topics() -> Iterator[str]:
    for heading, rules in TOPICS.items():
        yield f"## {heading}\n"
        for rule in rules:
            yield _entry(rule)


def _entry(rule: LintRule) -> str:
    fixable = ", fixable" if rule.mends else ""
    command = f" `{rule.command}`" if rule.command.split()[1] in COMMANDS else ""
    return (
        f"### `{rule.name}`\n\n*{rule.severity}{fixable}* · {rule.asks}\n\n"
        f"- otherwise: {rule.reason}\n- fix: {rule.fix}{command}\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
