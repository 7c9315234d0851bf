"""``dcmcfg lint``."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from dcmcfg.cli.options.change_options import Choices, changing_options
from dcmcfg.cli.options.examples import examples
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import say, tell
from dcmcfg.cli.session.change import carry_out
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.directory.server import Directory
from dcmcfg.directory.subschema import read_schema
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.errors import NotFound
from dcmcfg.files.locations import placed
from dcmcfg.files.trees import read_ldif_tree
from dcmcfg.lint.catalogue import BY_NAME, RULES
from dcmcfg.lint.coverage import Limits, limits
from dcmcfg.lint.lint import Found, lint, mending
from dcmcfg.lint.rule import LintRule, as_rule
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import Wanted, make_plan
from dcmcfg.render.check import findings_sarif
from dcmcfg.render.lint import limit_lines, lint_json, print_found
from dcmcfg.render.terminal.console import stderr_console, stdout_console
from dcmcfg.schema.definitions import bundled
from dcmcfg.schema.findings import Finding
from dcmcfg.settings import Settings
from dcmcfg.suggestions import near_misses


def _rules(ctx: click.Context, param: click.Parameter, names: tuple[str, ...]) -> tuple[LintRule, ...]:
    """Return the rules called *names*, each once; raises a usage error with near misses."""
    for name in names:
        if name not in BY_NAME:
            near = near_misses(name, BY_NAME)
            hint = f"near misses: {', '.join(near)}" if near else "docs/lint.md lists them"
            raise click.BadParameter(f"no rule {name!r}; {hint}", ctx, param)
    return tuple(BY_NAME[name] for name in dict.fromkeys(names))


def _complete_rule(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 — click's signature
    return [CompletionItem(rule.name, help=rule.asks) for rule in RULES if rule.name.startswith(incomplete)]


@click.command(
    "lint",
    cls=SiteCommand,
    epilog=examples(
        ("What will not work in the live tree?", "dcmcfg lint"),
        ("Before it is there: what is wrong in a file of the whole configuration?", "dcmcfg lint site.ldif"),
        ("Mend what can be mended, after a look at the plan", "dcmcfg lint --fix"),
    ),
)
@click.argument("source", required=False, metavar="[FILE|FOLDER]", type=click.Path(path_type=Path, allow_dash=True))
@site_options
@click.option(
    "--rule",
    "rules",
    callback=_rules,
    shell_complete=_complete_rule,
    multiple=True,
    metavar="RULE",
    help="Ask this rule only; may be given again.",
)
@click.option("--sarif", "as_sarif", is_flag=True, help="Print the findings as SARIF 2.1.0.")
@click.option("--fix", is_flag=True, help="Mend what needs no decision, as a plan; the options below go with it.")
@changing_options
def lint_command(
    settings: Settings,
    choices: Choices,
    *,
    source: Path | None,
    rules: tuple[LintRule, ...],
    as_sarif: bool,
    fix: bool,
) -> int:
    """Find what will not work, before anyone tries.

    'check' looks at each value by itself; lint looks at what values mean together: AEs that nobody carries, connections
    that do not fit, exporters whose queue is missing, studies that will never be purged. Without FILE the live tree is
    read; FILE or FOLDER holds the whole configuration as LDIF, '-' is standard input.

    Exit code 1 when there are errors; warnings and notes alone are 0. docs/lint.md has all rules, with what the archive
    does otherwise.
    """
    _refuse_contradictions(choices, source, as_sarif=as_sarif, fix=fix)
    asked = rules or RULES
    if source is not None:
        tree = read_ldif_tree(source, bundled())
        found = _placed(_lint(tree, asked, str(source)), source)
        known = limits(tree, asked, bundled(), _findings(found), live=False)
        return _report(tree, found, asked, choices, (known, _check_command(source)), as_sarif=as_sarif)
    with open_directory(settings) as directory:
        tree = read_tree(directory)
        found = _lint(tree, asked, "the tree below the base DN")
        schema = read_schema(directory)
        known = limits(tree, asked, schema or bundled(), _findings(found), live=True, newer=schema is None)
        if fix:
            return _fix(settings, directory, tree, found, choices, limit_lines(known, "dcmcfg check"))
    return _report(tree, found, asked, choices, (known, "dcmcfg check"), as_sarif=as_sarif)


def _refuse_contradictions(choices: Choices, source: Path | None, *, as_sarif: bool, fix: bool) -> None:
    if as_sarif and (choices.as_json or fix):
        raise click.UsageError("--sarif goes neither with --json nor with --fix")
    if fix and source is not None:
        raise click.UsageError("--fix mends the live tree; a file is mended in an editor")
    if not fix and choices != Choices(
        dry_run=False,
        yes=False,
        out=None,
        no_reload=False,
        as_json=choices.as_json,
        stdout_taken=choices.stdout_taken,
    ):
        raise click.UsageError("what says how to carry a plan out (--dry-run, --yes and so on) goes with --fix")


def _lint(tree: Tree, rules: Sequence[LintRule], source: str) -> tuple[Found, ...]:
    """Return what *rules* find; raises :class:`NotFound` where there is no device that could be wrong."""
    if not any(entry.is_a("dicomDevice") for entry in tree.entries.values()):
        raise NotFound("there are no devices", on=source, next_step="dcmcfg export-ldif writes a whole configuration")
    return lint(tree, datetime.now(UTC), rules)


def _placed(found: Sequence[Found], source: Path) -> tuple[Found, ...]:
    findings = placed([each.finding for each in found], source, bundled())
    return tuple(replace(each, finding=finding) for each, finding in zip(found, findings, strict=True))


def _findings(found: Iterable[Found]) -> Iterator[Finding]:
    return (each.finding for each in found)


def _check_command(source: Path) -> str:
    """Return the command that has ``check`` look at *source*, a shell taking a folder apart."""
    return f"dcmcfg check {shlex.quote(str(source))}{'/*.ldif' if source.is_dir() else ''}"


def _report(
    tree: Tree,
    found: Sequence[Found],
    rules: Sequence[LintRule],
    choices: Choices,
    beyond: tuple[Limits, str],
    *,
    as_sarif: bool,
) -> int:
    lines = tuple(limit_lines(*beyond))
    if choices.as_json:
        print_json(lint_json(found, len(tree.entries), beyond[0]))
    elif as_sarif:
        sarif = findings_sarif([each.finding for each in found], [as_rule(rule) for rule in rules])
        click.echo(json.dumps(sarif, indent=2))
        for line in lines:
            tell(line)
    else:
        print_found(stdout_console(), found, len(tree.entries), lines)
    return _exit_code(found)


def _fix(
    settings: Settings,
    directory: Directory,
    tree: Tree,
    found: Sequence[Found],
    choices: Choices,
    beyond: Iterable[str],
) -> int:
    """Mend what can be mended, then tell what is left; with nothing to mend that first, and nothing is carried out."""
    plan = make_plan(tree, [Wanted(change) for change in mending(found)])
    left = [each for each in found if not each.changes]
    nothing = not plan.steps and not choices.as_json
    if not nothing:
        carry_out(settings, directory, plan, choices)
    if left or nothing:
        console = stderr_console() if choices.stdout_taken else stdout_console()
        print_found(console, left, len(tree.entries), tuple(beyond))
    if nothing:
        say("nothing to do: --fix mends none of it" if left else "nothing to do")
    return _exit_code(left)


def _exit_code(found: Sequence[Found]) -> int:
    return 1 if any(each.finding.severity == "error" for each in found) else 0
