"""Write the man pages of dcmcfg: one for each command (section 1), and one for each help topic (section 7).

They have the text of ``dcmcfg COMMAND --help`` and ``dcmcfg help TOPIC``, from the same objects: click's commands, and
the topics of :mod:`dcmcfg.cli.help_pages`.
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from dcmcfg import __version__
from dcmcfg.cli.commands import SECTIONS
from dcmcfg.cli.help_pages.page import list_arguments, list_examples
from dcmcfg.cli.help_pages.topics import get_topic
from dcmcfg.cli.main import program
from dcmcfg.cli.options.help_page import list_option_sections, list_option_topics
from dcmcfg.cli.topics import TOPICS
from release import roff

_CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"
_EXIT_CODES = "Exit codes: "
#: click's mark for a paragraph whose lines must not be wrapped.
_UNWRAPPED = "\b"
#: Wider than every command line of an example, so that it is not folded.
_WIDTH = 1000


@dataclass(frozen=True)
class ManPage:
    """A man page: ``name`` and ``section`` as in ``dcmcfg-verify(1)``, and ``text`` as roff."""

    name: str
    section: int
    text: str

    @property
    def path(self) -> str:
        """The path below ``share/man``."""
        return f"man{self.section}/{self.name}.{self.section}"


def write_man_pages(folder: Path) -> list[Path]:
    """Write all pages below *folder*, which has their folders ``man1`` and ``man7`` afterwards; return the files."""
    paths = []
    for page in list_man_pages():
        path = folder / page.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page.text, "ascii")
        paths.append(path)
    return paths


def list_man_pages() -> Iterator[ManPage]:
    """Yield the pages of the program, of its commands, and of the topics."""
    context = click.Context(program, info_name="dcmcfg", terminal_width=_WIDTH, **program.context_settings)
    yield from _list_command_pages(program, context)
    yield from (_make_topic_page(name) for name in TOPICS)


def read_release_date(changelog: str) -> str:
    """Return the date of the newest release in *changelog* as YYYY-MM-DD, or an empty text.

    Pages have this date and not that of the build, so that a build can be repeated.
    """
    found = re.search(r"^## \S+ - (\d{4}-\d\d-\d\d)$", changelog, re.MULTILINE)
    return found[1] if found else ""


def _list_command_pages(command: click.Command, context: click.Context) -> Iterator[ManPage]:
    yield _make_command_page(command, context)
    for name, subcommand in _list_subcommands(command, context):
        yield from _list_command_pages(subcommand, click.Context(subcommand, parent=context, info_name=name))


def _list_subcommands(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            subcommand = command.get_command(context, name)
            if subcommand is not None:
                yield name, subcommand


def _make_command_page(command: click.Command, context: click.Context) -> ManPage:
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    exit_codes = [each for each in paragraphs if each.startswith(_EXIT_CODES)]
    usage = [roff.bold(context.command_path), *map(roff.format_usage, command.collect_usage_pieces(context))]
    sections = [
        roff.section("Synopsis", " ".join(usage)),
        roff.section("Description", *(_format_paragraph(each) for each in paragraphs if each not in exit_codes)),
        *_format_arguments(command, context),
        *_format_options(command, context),
        *_format_subcommands(command, context),
    ]
    if exit_codes:
        sections.append(
            roff.section("Exit codes", *(_format_paragraph(each.removeprefix(_EXIT_CODES)) for each in exit_codes))
        )
    examples = list_examples(command, context)
    if examples:
        sections.append(roff.section("Examples", *(roff.example(each.purpose, each.command) for each in examples)))
    sections += _format_see_also(command, context)
    return _make_page(_get_name(context), 1, " ".join(paragraphs[0].split()), sections)


def _get_name(context: click.Context) -> str:
    return context.command_path.replace(" ", "-")


def _format_paragraph(text: str) -> str:
    first, *lines = text.split("\n")
    if first == _UNWRAPPED:
        return roff.literal(textwrap.dedent("\n".join(lines)).split("\n"))
    return roff.paragraph(" ".join(text.split()))


def _format_arguments(command: click.Command, context: click.Context) -> Iterator[str]:
    rows = [roff.entry(roff.format_usage(each.metavar), each.text) for each in list_arguments(command, context)]
    if rows:
        yield roff.section("Arguments", *rows)


def _format_options(command: click.Command, context: click.Context) -> Iterator[str]:
    for heading, rows in list_option_sections(command, context).items():
        if rows:
            yield roff.section(heading, *(roff.entry(roff.format_usage(term), text) for term, text in rows))
    topics = list_option_topics(command, context)
    if topics:
        rows = [(f"dcmcfg-{topic}", TOPICS[topic]) for topic in topics]
        yield _format_references("More options", 7, rows)


def _format_subcommands(command: click.Command, context: click.Context) -> Iterator[str]:
    if context.parent is None:
        for heading, commands in SECTIONS.items():
            yield _format_references(heading, 1, [(f"dcmcfg-{name}", row.help) for name, row in commands.items()])
        yield _format_references("Help topics", 7, [(f"dcmcfg-{name}", text) for name, text in TOPICS.items()])
        return
    rows = [
        (f"{_get_name(context)}-{name}", each.get_short_help_str(limit=_WIDTH))
        for name, each in _list_subcommands(command, context)
    ]
    if rows:
        yield _format_references("Commands", 1, rows)


def _format_references(heading: str, section: int, rows: Iterable[tuple[str, str]]) -> str:
    return roff.section(heading, *(roff.entry(_format_reference(name, section), text) for name, text in rows))


def _format_see_also(command: click.Command, context: click.Context) -> Iterator[str]:
    if context.parent is None:
        return
    parents = dict.fromkeys((_get_name(context.parent), "dcmcfg"))
    references = [_format_reference(name, 1) for name in parents]
    topics = [*list_option_topics(command, context), "exit-codes"]
    references += [_format_reference(f"dcmcfg-{topic}", 7) for topic in topics]
    yield roff.section("See also", ", ".join(references))


def _format_reference(name: str, section: int) -> str:
    return f"{roff.bold(name)}({section})"


def _make_topic_page(name: str) -> ManPage:
    topic = get_topic(name)
    sections = [
        roff.section("Description", *map(roff.paragraph, topic.paragraphs)),
        *(
            roff.section(each.heading, *(roff.entry(roff.bold(term), text) for term, text in each.rows))
            for each in topic.sections
        ),
        roff.section("See also", _format_reference("dcmcfg", 1)),
    ]
    return _make_page(f"dcmcfg-{name}", 7, topic.summary, sections)


def _make_page(name: str, section: int, summary: str, sections: Iterable[str]) -> ManPage:
    date = read_release_date(_CHANGELOG.read_text("utf-8"))
    lines = [
        f'.TH {roff.escape(name.upper())} {section} "{date}" "dcmcfg {__version__}" "dcmcfg"',
        # No hyphenation, because a hyphen would look like a part of an option or a DN. groff's macros read HY.
        ".nh",
        ".nr HY 0",
        ".ad l",
        roff.section("Name", rf"{roff.escape(name)} \- {roff.escape(summary.removesuffix('.'))}"),
        *sections,
    ]
    return ManPage(name, section, "\n".join(lines) + "\n")


if __name__ == "__main__":
    write_man_pages(Path(sys.argv[1]))
