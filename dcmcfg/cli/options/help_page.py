"""The help of commands and groups in sections: arguments, options by heading, help topics, examples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from dcmcfg.cli.options.topic_option import TopicOption
from dcmcfg.cli.topics import TOPICS
from dcmcfg.cli.usage_errors import require_known_command

_OWN, SAFETY_OVERRIDES_HEADING = "Options", "Safety overrides"
#: A private-use character that replaces hyphens while lines are wrapped: textwrap breaks after a hyphen.
_HYPHEN = "\ue000"


class PageFormatter(click.HelpFormatter):
    """A formatter that breaks lines at spaces only, never within an option or another name with hyphens."""

    def write_text(self, text: str) -> None:
        """Write *text*, wrapped."""
        super().write_text(text.replace("-", _HYPHEN))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write *rows*, each a term and its text, as click does."""
        super().write_dl([(term, text.replace("-", _HYPHEN)) for term, text in rows], col_max, col_spacing)

    def getvalue(self) -> str:
        """Return the written text."""
        return super().getvalue().replace(_HYPHEN, "-")


class HelpPage(click.Command):
    """A command or group whose help has sections: arguments, options by heading, help topics, examples.

    The texts of arguments and the examples are in :mod:`dcmcfg.cli.help_pages`, and are loaded only for ``--help``.
    """

    def get_help(self, ctx: click.Context) -> str:
        """Return the help, in lines that fit the terminal."""
        formatter = PageFormatter(width=ctx.terminal_width, max_width=ctx.max_content_width)
        self.format_help(ctx, formatter)
        return formatter.getvalue().rstrip("\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the arguments, the options by heading, and a line for each help topic with further options."""
        sections = {"Arguments": _list_arguments(self, ctx)}
        sections |= list_option_sections(self, ctx)
        sections["More options"] = [(f"dcmcfg help {topic}", TOPICS[topic]) for topic in list_option_topics(self, ctx)]
        for heading, rows in sections.items():
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, each with its purpose above the command line, and the epilog."""
        if lines := _list_example_lines(self, ctx, formatter.width):
            with formatter.section("Examples"):
                formatter.write("".join(f"  {line}\n" for line in lines))
        super().format_epilog(ctx, formatter)


class CommandGroup(HelpPage, click.Group):
    """A group of commands whose help is a :class:`HelpPage`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 — click's signature
        """Return the names of the commands in the order of their definition; help and completion use this order."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; the error for an unknown one lists similar names."""
        require_known_command(ctx, args, self.list_commands(ctx))
        return super().resolve_command(ctx, args)


def _is_program(command: click.Command, ctx: click.Context) -> bool:
    return ctx.parent is None and isinstance(command, click.Group)


def _list_arguments(command: click.Command, ctx: click.Context) -> list[tuple[str, str]]:
    if _is_program(command, ctx):  # the program has no arguments, and the texts take time to load
        return []
    from dcmcfg.cli.help_pages.page import list_arguments

    return [(each.metavar, each.text) for each in list_arguments(command, ctx)]


def _list_example_lines(command: click.Command, ctx: click.Context, width: int) -> list[str]:
    if _is_program(command, ctx):
        return []
    from dcmcfg.cli.help_pages.page import list_examples

    return [line for each in list_examples(command, ctx) for line in each.format_lines(width - 2)]


def list_option_sections(command: click.Command, ctx: click.Context) -> dict[str, list[tuple[str, str]]]:
    """Return the options of *command* as (spelling, help) by heading, its own first and safety overrides last.

    Hidden options, and options that a help topic describes, are omitted.
    """
    sections: dict[str, list[tuple[str, str]]] = {_OWN: []}
    overrides: list[tuple[str, str]] = []
    for option in _list_options(command, ctx):
        record = option.get_help_record(ctx)
        if record is not None and not isinstance(option, TopicOption):
            heading = getattr(option, "section", _OWN)
            rows = overrides if heading == SAFETY_OVERRIDES_HEADING else sections.setdefault(heading, [])
            rows.append(record)
    return sections | {SAFETY_OVERRIDES_HEADING: overrides}


def list_option_topics(command: click.Command, ctx: click.Context) -> list[str]:
    """Return the help topics that describe options of *command*, in the order of :data:`TOPICS`.

    For the program itself there are none, because its help lists all topics.
    """
    found = {
        option.topic for option in _list_options(command, ctx) if isinstance(option, TopicOption) and not option.hidden
    }
    return [topic for topic in TOPICS if topic in found and ctx.parent is not None]


def _list_options(command: click.Command, ctx: click.Context) -> Iterator[click.Option]:
    return (parameter for parameter in command.get_params(ctx) if isinstance(parameter, click.Option))
