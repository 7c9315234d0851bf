"""``dcmcfg help``."""

from __future__ import annotations

import itertools
import json
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from dcmcfg.cli.commands import COMMANDS, SUBCOMMANDS, expand_alias
from dcmcfg.cli.help_pages.page import get_path, list_arguments, list_examples
from dcmcfg.cli.help_pages.topic import Topic
from dcmcfg.cli.help_pages.topics import get_topic
from dcmcfg.cli.options.help_page import PageFormatter, list_option_sections, list_option_topics
from dcmcfg.cli.options.output_options import json_option
from dcmcfg.cli.options.unique_options import UniqueOptionsCommand
from dcmcfg.cli.printing import print_output
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.topics import TOPICS
from dcmcfg.cli.usage_errors import format_hint, suggest_commands
from dcmcfg.render.json_schemas.catalogue import OBJECTS_BY_COMMAND, make_command_schema


def _complete_words(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 — click's signature
    """Return commands and topics; after the name of a group, its subcommands."""
    try:
        found = _find_command(ctx, tuple(ctx.params.get("words") or ()))
    except click.UsageError:
        return []
    items = [CompletionItem(name, help=text) for name, text in _list_commands(found)]
    if found.parent is None:
        items += [CompletionItem(name, help=text) for name, text in TOPICS.items()]
    return [item for item in items if str(item.value).startswith(incomplete)]


@click.command("help", cls=UniqueOptionsCommand)
@click.argument("words", nargs=-1, metavar="[COMMAND|TOPIC]...", shell_complete=_complete_words)
@click.option("--json-schema", "as_schema", is_flag=True, help="Print the JSON Schema of the command's --json output.")
@json_option
@click.pass_context
def help_command(ctx: click.Context, /, *, words: tuple[str, ...], as_schema: bool, as_json: bool) -> None:
    """Show the help of a command or a topic.

    'dcmcfg help COMMAND' prints the same text as 'dcmcfg COMMAND --help'. Without an argument, all commands and topics
    are listed.
    """
    if as_schema:
        _print_schema(ctx, words)
        return
    if len(words) == 1 and words[0] in TOPICS:
        topic = get_topic(words[0])
        if as_json:
            print_json(_topic_json(topic))
        else:
            print_output(*format_topic(ctx, topic).split("\n"))
        return
    found = _find_command(ctx, _expand_alias(words))
    if as_json:
        print_json(_command_json(found))
    else:
        print_output(*found.command.get_help(found).split("\n"))


def _print_schema(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Print the schema of the command that *words* name; raises :class:`click.UsageError` for a group or a topic."""
    is_topic = len(words) == 1 and words[0] in TOPICS
    command = "" if is_topic else get_path(_find_command(ctx, _expand_alias(words)))
    if command not in OBJECTS_BY_COMMAND:
        example = next((each for each in OBJECTS_BY_COMMAND if each.startswith(f"{command} ")), "verify")
        raise click.UsageError(f"Specify one command, for example: dcmcfg help --json-schema {example}", ctx)
    print_output(*json.dumps(make_command_schema(command), indent=2, ensure_ascii=False).split("\n"))


def _expand_alias(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return *words* with a leading alias replaced by the words of its command, without the options of the alias."""
    return tuple(itertools.takewhile(lambda word: not word.startswith("-"), expand_alias(words)))


def _find_command(ctx: click.Context, words: tuple[str, ...]) -> click.Context:
    """Return a context of the command that *words* name; raises :class:`click.UsageError`, with similar names."""
    root = ctx.find_root()
    found = click.Context(root.command, info_name=root.info_name, **root.command.context_settings)
    for index, word in enumerate(words):
        group = found.command
        command = group.get_command(found, word) if isinstance(group, click.Group) else None
        if command is None:
            _fail(ctx, found, word, is_first=index == 0)
        found = click.Context(command, parent=found, info_name=word)
    return found


def _fail(ctx: click.Context, found: click.Context, word: str, *, is_first: bool) -> NoReturn:
    names = dict(_list_commands(found)) | (TOPICS if is_first else {})
    hint = format_hint(suggest_commands(word, names))
    if is_first:
        raise click.UsageError(f"No command or topic {word!r}.{hint}", ctx)
    raise click.UsageError(f"{found.command_path} has no command {word!r}.{hint}", ctx)


def _list_commands(ctx: click.Context) -> list[tuple[str, str]]:
    """Return the commands of the group of *ctx* with their help lines; empty for a command."""
    group = ctx.command
    if not isinstance(group, click.Group):
        return []
    rows = COMMANDS if ctx.parent is None else SUBCOMMANDS.get(group.name or "")
    if rows is not None:  # use the table, because to load all commands would take a second
        return [(name, row.help) for name, row in rows.items()]
    commands = ((name, group.get_command(ctx, name)) for name in group.list_commands(ctx))
    return [(name, each.get_short_help_str(limit=200)) for name, each in commands if each is not None]


def format_topic(ctx: click.Context, topic: Topic) -> str:
    """Return *topic* as text, wrapped to the width of *ctx*."""
    formatter = PageFormatter(width=ctx.terminal_width, max_width=ctx.max_content_width)
    for paragraph in topic.paragraphs:
        formatter.write_paragraph()
        formatter.write_text(paragraph)
    for section in topic.sections:
        with formatter.section(section.heading):
            formatter.write_dl(list(section.rows))
    return formatter.getvalue().strip("\n")


def _topic_json(topic: Topic) -> dict[str, Any]:
    return {
        "topic": topic.name,
        "summary": topic.summary,
        "paragraphs": list(topic.paragraphs),
        "sections": [
            {"heading": each.heading, "rows": [{"term": term, "text": text} for term, text in each.rows]}
            for each in topic.sections
        ],
    }


def _command_json(ctx: click.Context) -> dict[str, Any]:
    command = ctx.command
    is_program = ctx.parent is None
    return {
        "command": ctx.command_path,
        "usage": " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)]),
        "description": (command.help or "").strip().replace("\b\n", ""),
        "arguments": [{"name": each.metavar, "text": each.text} for each in list_arguments(command, ctx)],
        "options": [
            {"heading": heading, "option": option, "text": text}
            for heading, rows in list_option_sections(command, ctx).items()
            for option, text in rows
        ],
        "option_topics": list_option_topics(command, ctx),
        "examples": [{"purpose": each.purpose, "command": each.command} for each in list_examples(command, ctx)],
        "commands": [{"name": name, "text": text} for name, text in _list_commands(ctx)],
        "topics": [{"name": name, "text": text} for name, text in TOPICS.items()] if is_program else [],
    }
