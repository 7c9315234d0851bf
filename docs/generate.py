"""Write the pages that are made from the code, and the table of UIDs: ``make docs``, or ``python docs/generate.py``."""

from __future__ import annotations

import ast
import inspect
import json
import re
import runpy
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib import import_module
from itertools import groupby
from pathlib import Path

import click
import pydicom

import dcmcfg
from dcmcfg.cli.commands import COMMANDS, SECTIONS
from dcmcfg.cli.help import format_topic
from dcmcfg.cli.help_pages.topics import get_topic
from dcmcfg.cli.main import program
from dcmcfg.cli.topics import TOPICS
from dcmcfg.environment.variables import VARIABLES, Target
from dcmcfg.lint.catalogue import CHECK_RULES, COMPARISON_RULES_BY_TOPIC, RULES_BY_TOPIC
from dcmcfg.monitoring.metrics import METRICS
from dcmcfg.render.json_schemas.catalogue import OBJECTS_BY_COMMAND, Schema, list_objects, list_parts, read_definition
from dcmcfg.schema.effect_timing import BEHAVIOURS, EFFECT_TIMINGS, EffectTiming, RequiredAction
from dcmcfg.schema.findings import PARTS, CheckRule
from dcmcfg.schema.findings import RULES as SCHEMA_RULES

_WRITTEN = "<!-- Written by docs/generate.py from the commands' own help. Run `make docs` after a change. -->"

COMMANDS_HEAD = f"""\
# The commands

{_WRITTEN}

Each command has a page with the output of `dcmcfg COMMAND --help`. `dcmcfg --help` has the same headings as this page.
The last table has the help topics. They describe options that many commands share, and the forms of arguments.
"""

TOPICS_HEAD = f"""\
# Help topics

{_WRITTEN}

This page has the output of `dcmcfg help TOPIC` for every topic.
"""

#: click keeps two columns free of the terminal's 80.
_WIDTH = 78

RULES_HEAD = """\
# The rules of dcmcfg check

<!-- Written by docs/generate.py from the rules. Run `make docs` after a change. -->

This page explains each rule of `dcmcfg check`: its requirement, the consequence of a violation, and the fix.
[check.md](check.md) explains the command. `dcmcfg check --list-rules` prints the same list. There are {count} rules.

| severity | meaning | exit code |
|---|---|---|
| error | The setting fails. | 1 |
| warning | The setting fails in some cases, or has an unexpected effect. | 0 |
| note | The setting works, but may not be intended. | 0 |

Each rule belongs to a part, for `--only PART` and `--skip PART`: {parts}.

- Fixable: `dcmcfg check --fix` can fix a violation.
- Only for whole configurations: see [check.md](check.md#parts-of-a-configuration).
- Impact (`unloadable`, `stops-next-start` or `reference`): see [check.md](check.md#impact). A plan that adds an
  unloadable finding is refused ([apply.md](apply.md#risks)).

If several rules find the same problem, only the most specific rule reports it.
"""


def commands_page() -> str:
    """Return the text of ``commands.md``: a table of the commands under each heading of ``dcmcfg --help``."""
    lines = [COMMANDS_HEAD]
    for heading, commands in SECTIONS.items():
        lines += [f"**{heading}**\n", "| command | description |", "|---|---|"]
        for name in commands:
            (_, short, _), *inner = _sections(name)
            verbs = ", ".join(f"[`{words.split()[-1]}`](commands/{name}.md#{_anchor(words)})" for words, _, _ in inner)
            lines.append(f"| [`dcmcfg {name}`](commands/{name}.md) | {short}{f' {verbs}' if verbs else ''} |")
        lines.append("")
    rows = (f"| [`dcmcfg help {name}`](commands/topics.md#{name}) | {summary} |" for name, summary in TOPICS.items())
    lines += ["**Help topics**\n", "| topic | content |", "|---|---|", *rows, ""]
    return "\n".join([*lines, "## dcmcfg\n", f"```text\n{program.get_help(_context())}\n```\n"])


def command_page(name: str) -> str:
    """Return the text of ``commands/NAME.md``: the help of a command and of those in its group, 80 columns wide."""
    (title, _, text), *inner = _sections(name)
    blocks = (f"\n## {words}\n\n{each}" for words, _, each in inner)
    return "".join([f"# {title}\n\n{_WRITTEN}\n\n{text}", *blocks])


def topics_page() -> str:
    """Return the text of ``commands/topics.md``: each help topic, 80 columns wide."""
    context = _context()
    topics = (f"## {name}\n\n```text\n{format_topic(context, get_topic(name))}\n```\n" for name in TOPICS)
    return "\n".join([TOPICS_HEAD, *topics])


def _context() -> click.Context:
    return click.Context(program, info_name="dcmcfg", terminal_width=_WIDTH, **program.context_settings)


def _anchor(heading: str) -> str:
    return heading.replace(" ", "-")


def _sections(name: str) -> list[tuple[str, str, str]]:
    """Return how the command *name* is called, its line of help and its whole help, then those of its subcommands."""
    context = _context()
    command = program.get_command(context, name)
    if command is None:
        raise ValueError(f"dcmcfg has no command {name}")
    return list(_walk(command, click.Context(command, parent=context, info_name=name)))


def _walk(command: click.Command, context: click.Context) -> Iterator[tuple[str, str, str]]:
    yield context.command_path, command.get_short_help_str(limit=200), f"```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from _walk(found, click.Context(found, parent=context, info_name=name))


def rules_page() -> str:
    """Return the text of ``rules.md``."""
    head = RULES_HEAD.format(count=len(CHECK_RULES), parts=", ".join(f"`{part}`" for part in PARTS))
    return "\n".join([head, "## Entries and values\n", *map(_rule_text, SCHEMA_RULES), *_topics()])


def _topics() -> Iterator[str]:
    for heading, rules in RULES_BY_TOPIC.items():
        yield f"## {heading}\n"
        for rule in rules:
            whole = " Only for whole configurations." if rule.needs_whole_tree else ""
            yield _rule_text(rule.check_rule, whole=whole, command=f" `{rule.example_command}`")
    for heading, more_rules in COMPARISON_RULES_BY_TOPIC.items():
        yield f"## {heading}\n"
        yield from map(_rule_text, more_rules)


def _rule_text(rule: CheckRule, *, whole: str = "", command: str = "") -> str:
    impact = "" if rule.impact == "rule" else f" Impact: {rule.impact}."
    fixable = " Fixable." if rule.is_auto_fixable else ""
    fix = rule.fix.replace("dcmcfg explain ATTRIBUTE", "`dcmcfg explain ATTRIBUTE`")
    return (
        f"### `{rule.name}`\n\n{rule.requirement}\n\nSeverity: {rule.severity}. Part: "
        f"{rule.part}.{impact}{fixable}{whole}\n\n- reason: {rule.reason}\n- fix: {fix}{command}\n"
    )


EFFECT_HEAD = """\
# What takes effect when

<!-- Written by docs/generate.py from dcmcfg/schema/effect_timing.py. Run `make docs` after a change. -->

This page lists two kinds of attributes. For some, a reload of the archive (`dcmcfg reload`) is not enough after a
change. For others, no reload is necessary.

Changes of all other attributes take effect with a reload. This was tested on a dcm4chee-arc 5.35.1, but not for every
attribute. If a fact comes only from the archive's source code, the column *tested* is "no".

`dcmcfg explain ATTRIBUTE` prints the same information. If a reload does not activate a change, the changing command
prints a warning. [How the archive behaves](../explanation/archive-behaviour.md) explains the reasons.

| attribute | on | requires | takes effect | tested |
|---|---|---|---|---|
"""


def effect_page() -> str:
    """Return the text of ``taking-effect.md``; attributes with the same row stand together."""
    rows = (
        f"| {_code(each.attribute for each in alike)} | {on} | {needs.value} | {when} | {tried} |\n"
        for (on, needs, when, tried), alike in groupby(EFFECT_TIMINGS, _effect)
    )
    notes = (
        f"| {_code(each.attribute for each in alike)} | {text} |\n"
        for text, alike in groupby(BEHAVIOURS, lambda each: each.text)
    )
    heading = "## Notes on single attributes\n\n| attribute | note |\n|---|---|\n"
    return f"{EFFECT_HEAD}{''.join(rows)}\n{heading}{''.join(notes)}"


def _effect(row: EffectTiming) -> tuple[str, RequiredAction, str, str]:
    return row.affected_entries, row.required_action, row.timing, "yes" if row.is_tested else "no"


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def uid_table() -> str:
    """Return the text of ``uids.json``: name, kind, whether it is retired and keyword of each UID of PS3.6 Table A-1.

    pydicom.uid tells them of a given UID, and lists none: the dictionary behind it is private. It is read from its file
    because pynetdicom adds to the one that is loaded.
    """
    path = Path(pydicom.__file__).with_name("_uid_dict.py")
    rows = (
        f"{json.dumps(uid)}: {json.dumps([name, kind, bool(retired), keyword])}"
        for uid, (name, kind, _, retired, keyword) in runpy.run_path(str(path))["UID_dictionary"].items()
    )
    source = "PS3.6 Table A-1, as pydicom has it; written by docs/generate.py"
    return "\n".join(["{", f'"source": {json.dumps(source)},', '"uids": {', ",\n".join(rows), "}", "}", ""])


_DOCS = Path(__file__).parent
_CODE = Path(dcmcfg.__file__).parent
_INTERFACES = ("ldif", "plan", "lint", "route", "verify")


def _fill(page: str, parts: Mapping[str, str]) -> str:
    """Return the text of *page* with each of *parts* between its two comments, ``generated: NAME`` and ``end``.

    Raises :class:`ValueError` unless the page has each of them once.
    """
    text = (_DOCS / page).read_text("utf-8")
    for name, part in parts.items():
        begin, end = f"<!-- generated: {name} -->\n", "<!-- end -->"
        before, _, after = text.partition(begin)
        if not after or begin in after or end not in after:
            raise ValueError(f"{page} has no single place for {name}")
        text = f"{before}{begin}{part}{end}{after.partition(end)[2]}"
    return text


def design_page() -> str:
    """Return the text of ``design.md`` with the drawing of the layers, the topmost first."""
    rules = runpy.run_path(str(_DOCS.parent / "tests" / "test_architecture.py"))
    labels: tuple[str, ...] = rules["LAYER_LABELS"]
    layers: tuple[frozenset[str], ...] = rules["LAYERS"]
    width = max(map(len, labels)) + 2
    lines: list[str] = []
    for label, rooms in zip(reversed(labels), reversed(layers), strict=True):
        names = [f"{room}/" if (_CODE / room).is_dir() else room for room in sorted(rooms - {""})]
        names.sort(key=lambda name: not name.endswith("/"))
        margin = " " * width
        lines += textwrap.wrap(
            " · ".join(names), 110, initial_indent=label.ljust(width), subsequent_indent=margin, break_on_hyphens=False
        )
    drawing = "\n".join(line.rstrip() for line in lines)
    return _fill("project/design.md", {"layers": f"```text\n{drawing}\n```\n"})


def monitoring_page() -> str:
    """Return the text of ``monitoring.md`` with the table of the metrics."""
    rows = [
        f"| `{each.name}` | {_code(each.labels)} | {each.help} | {'yes' if each.in_performance_data else 'no'} |"
        for each in METRICS
    ]
    head = ("| metric | labels | meaning | in the performance data |", "|---|---|---|---|")
    return _fill("reference/monitoring.md", {"metrics": "\n".join((*head, *rows)) + "\n"})


def api_page() -> str:
    """Return the text of ``python-api.md`` with a table of the names that each package exports."""
    return _fill(
        "reference/python-api.md", {f"dcmcfg.{name}": _exports_table(f"dcmcfg.{name}") for name in _INTERFACES}
    )


def _exports_table(package: str) -> str:
    module = import_module(package)
    rows = (f"| `{_usage(module, name)}` | {_summary(module, name)} |\n" for name in sorted(module.__all__))
    return f"\n| name | description |\n|---|---|\n{''.join(rows)}\n"


def _usage(module: object, name: str) -> str:
    """Return *name*, with the names of its parameters where it is a function; those with a default end in ``=…``."""
    value = getattr(module, name)
    if not inspect.isfunction(value):
        return name
    shown = []
    for each in inspect.signature(value).parameters.values():
        if each.kind is each.KEYWORD_ONLY and "*" not in shown:
            shown.append("*")
        if each.kind is each.VAR_POSITIONAL:
            shown.append(f"*{each.name}")
            continue
        shown.append(each.name if each.default is each.empty else f"{each.name}=…")
    return f"{name}({', '.join(shown)})"


def _summary(module: object, name: str) -> str:
    """Return the first paragraph of the docstring of *name*; of a constant, the ``#:`` comment above it."""
    value = getattr(module, name)
    documented = inspect.isfunction(value) or inspect.isclass(value)
    text = (inspect.getdoc(value) or "") if documented else find_comment(getattr(module, "__name__", ""), name)
    paragraph = " ".join(text.partition("\n\n")[0].split())
    as_code = re.sub(r":[a-z]+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", paragraph).replace("``", "`")
    return as_code.replace("|", "\\|")


def find_comment(package: str, name: str) -> str:
    """Return the ``#:`` comment above the constant *name* in the module of *package* that defines it, or ``""``."""
    for path in sorted((_CODE / package.rpartition(".")[2]).glob("*.py")):
        lines = path.read_text("utf-8").splitlines()
        for node in ast.parse("\n".join(lines)).body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                above = node.lineno - 1
                first = above
                while first and lines[first - 1].startswith("#: "):
                    first -= 1
                return " ".join(line.removeprefix("#: ") for line in lines[first:above])
    return ""


def image_variables_page() -> str:
    """Return the text of ``image-variables.md`` with the table of the variables, image by image."""
    rows = (
        f"| `{each.role.value}` | `{each.name}` | {_default(each.default)} | {each.effect.value} | {each.touches} "
        f"| {'yes' if each.target is not Target.NONE else ''} | {'yes' if each.has_file_variant else ''} |\n"
        for each in VARIABLES
    )
    heading = "| image | variable | default | used at | setting | compared | file |\n|---|---|---|---|---|---|---|\n"
    return _fill("reference/image-variables.md", {"variables": f"\n{heading}{''.join(rows)}\n"})


EXIT_CODES_HEAD = """\
# Exit codes

<!-- Written by docs/generate.py from the commands' own help. Run `make docs` after a change. -->

This page lists the exit codes of all commands. `dcmcfg help exit-codes` prints the first table.

A script should treat every exit code except 0 as a failure. The second table has the exceptions.

| code | meaning |
|---|---|
"""
_EXIT_CODES_BY_COMMAND = """
## By command

The exit codes 2, 130 and 141 have the same meaning for all commands except `monitor`. If a cell is empty, the exit
code has the meaning of the first table, or the command does not have this exit code.

| command | 0 | 1 | 2 | 3 | 4 |
|---|---|---|---|---|---|
"""
_EXIT_CODES_NOTES = """
| case | exit code |
|---|---|
| you decline a change of the configuration | 1 |
| an internal error before the first write | 3 |
| an internal error after the first write | 4 |
| `monitor` | the state of a Nagios plugin |

More rules: [verify](verify.md#exit-codes), [route](route.md#exit-codes), [reload](reload.md#responses),
[many studies](many-studies.md).
"""
#: A code before its meaning: at the start, or after the end of the meaning before it.
_EXIT_CODE = re.compile(r"(?:^|(?<=[,.:] ))(?=\d{1,3} )")


def exit_codes_page() -> str:
    """Return the text of ``exit-codes.md``: the help topic, and the sentences in the help of the commands."""
    (section,) = get_topic("exit-codes").sections
    rows = [f"| {code} | {meaning.replace('|', '&#124;')} |" for code, meaning in section.rows]
    lines = []
    for name, command in _list_commands(program):
        if codes := find_exit_codes(command):
            cells = " | ".join(codes.get(code, "") for code in "01234")
            lines.append(f"| `{name}` | {cells} |")
    return f"{EXIT_CODES_HEAD}{_lines(rows)}{_EXIT_CODES_BY_COMMAND}{_lines(lines)}{_EXIT_CODES_NOTES}"


def _list_commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _list_commands(command, (*path, name))
        elif command is not None:
            yield " ".join((*path, name)), command


def find_exit_codes(command: click.Command) -> dict[str, str]:
    """Return the exit codes in the help of *command*, each with its meaning; empty without such a sentence."""
    _, _, text = " ".join((command.help or "").split()).partition("Exit codes: ")
    found: dict[str, str] = {}
    condition = ""
    for part in _EXIT_CODE.split(text):
        meaning = part.strip().rstrip(",.:")
        code, _, rest = meaning.partition(" ")
        before, _, after = rest.rpartition(". ")
        if not code.isdecimal():
            condition = meaning
            continue
        # A last sentence without an end is the condition of the next code: "With nodes: 4 …".
        continues = bool(before) and after.startswith("With ") and part.rstrip().endswith((",", ":"))
        rest = before if continues else rest
        rest = f"{condition[:1].lower()}{condition[1:]}: {rest}" if condition else rest
        found[code] = f"{found[code]}; {rest}" if code in found else rest
        condition = after if continues else ""
    return found


VARIABLES_HEAD = """\
# Environment variables

<!-- Written by docs/generate.py from the help topic. Run `make docs` after a change. -->

This page lists the environment variables that dcmcfg reads. `dcmcfg help environment` prints the same list.

dcmcfg ignores an empty variable. Options take precedence over the environment: see [settings.md](settings.md). For the
variables of the archive's containers, see [environment.md](../how-to/environment.md).
"""


def variables_page() -> str:
    """Return the text of ``environment-variables.md``: the tables of the help topic."""
    tables = [
        f"\n## {section.heading}\n\n| variable | meaning |\n|---|---|\n"
        + _lines(f"| {_code(term.split(', '))} | {_quote_code(text)} |" for term, text in section.rows)
        for section in get_topic("environment").sections
    ]
    return "".join((VARIABLES_HEAD, *tables))


def _quote_code(text: str) -> str:
    """Return *text* with commands and options as code, for Markdown."""
    return re.sub(r"'([^']+)'|(?<![\w-])(--[a-z][a-z-]*)", lambda found: f"`{found[1] or found[2]}`", text)


JSON_HEAD = """\
# JSON objects

<!-- Written by docs/generate.py from dcmcfg/render/json_schemas. Run `make docs` after a change. -->

This page lists the keys of each JSON object that `--json` prints. `dcmcfg help --json-schema COMMAND` prints the JSON
Schema (2020-12) of a command.

- Unknown values are null. Times are in UTC, durations are in seconds.
- *optional*: the key can be missing.
- `steps[].dn` is the key `dn` of each object in the list `steps`. `attributes.*` is each value in an object whose keys
  are names.
- If a command fails, the object has the key `error` ([error](#part-error)), and the other keys as far as they were
  known.
- [output.md](output.md#json) has the rules of `--json`.

## Commands

| commands | object |
|---|---|
"""


def json_page() -> str:
    """Return the text of ``json.md``: the objects by command, and a table of the keys of each object and part."""
    commands: dict[tuple[str, ...], list[str]] = {}
    for command, names in OBJECTS_BY_COMMAND.items():
        commands.setdefault(names, []).append(command)
    rows = [
        f"| {_code(alike)} | {', '.join(f'[{name}](#{name})' for name in names)} |" for names, alike in commands.items()
    ]
    objects = [_json_section(name, name) for name in list_objects()]
    parts = [_json_section(name, f"Part {name}") for name in list_parts()]
    return f"{JSON_HEAD}{_lines(rows)}{''.join(objects)}{''.join(parts)}"


def _json_section(name: str, heading: str) -> str:
    definition = read_definition(name)
    head = f"\n## {heading}\n\n{definition['description']}\n\n"
    rows = [f"| `{key}` | {kind} | {text} |" for key, kind, text in _list_keys(definition, "")]
    if not rows:
        return f"{head}Type: {_describe_type(definition)}.\n"
    return f"{head}| key | type | meaning |\n|---|---|---|\n{_lines(rows)}"


def _list_keys(schema: Schema, prefix: str) -> Iterator[tuple[str, str, str]]:
    """Yield each key of *schema* and of the objects in it, with its type and its description."""
    required = schema.get("required", ())
    for key, each in schema.get("properties", {}).items():
        kind = _describe_type(each) + ("" if key in required else ", *optional*")
        yield f"{prefix}{key}", kind, each["description"].replace("|", "\\|")
        yield from _list_keys(each, f"{prefix}{key}.")
    for key, suffix in (("items", "[]."), ("additionalProperties", ".*.")):
        if isinstance(schema.get(key), dict):
            yield from _list_keys(schema[key], f"{prefix.removesuffix('.')}{suffix}" if prefix else suffix[1:])


_TYPE_NAMES = {"string": "text", "boolean": "true or false", "integer": "integer", "number": "number", "null": "null"}


def _describe_type(schema: Schema) -> str:
    """Return the type of *schema* in words, such as ``list of text, or null``."""
    match schema:
        case {"$ref": str(reference)}:
            name = reference.rpartition("/")[2]
            return f"[{name}](#{name if name in list_objects() else f'part-{name}'})"
        case {"enum": values}:
            return " or ".join("null" if value is None else f"`{value}`" for value in values)
        case {"anyOf": schemas} | {"oneOf": schemas}:
            return ", or ".join(map(_describe_type, schemas))
        case {"type": list(kinds)}:
            *others, last = [_describe_type({**schema, "type": kind}) for kind in kinds]
            return f"{', '.join(others)}, or {last}"
        case {"type": "array", "items": items}:
            return f"list of {_describe_items(items)}"
        case {"type": "object"}:
            return _describe_object(schema)
    return _TYPE_NAMES[schema["type"]]


def _describe_object(schema: Schema) -> str:
    match schema:
        case {"additionalProperties": dict(values)}:
            return f"object, by name: {_describe_items(values)}"
        case {"properties": properties} if "description" not in schema:
            return f"object with {_code(properties)}"
    return "object"


def _describe_items(items: Schema) -> str:
    if items.get("type") == "object" and "properties" in items:
        return "objects"
    text = _describe_type(items)
    return f"({text})" if ", or " in text else text


def _lines(rows: Iterable[str]) -> str:
    return "".join(f"{row}\n" for row in rows)


def _default(text: str) -> str:
    return text if not text or text.startswith("(") else f"`{text}`"


#: Paths of the pages and the table, from here, and what makes each.
PAGES: dict[str, Callable[[], str]] = {
    "reference/commands.md": commands_page,
    "reference/commands/topics.md": topics_page,
    **{f"reference/commands/{name}.md": partial(command_page, name) for name in COMMANDS},
    "reference/environment-variables.md": variables_page,
    "reference/exit-codes.md": exit_codes_page,
    "reference/json.md": json_page,
    "project/design.md": design_page,
    "reference/image-variables.md": image_variables_page,
    "reference/monitoring.md": monitoring_page,
    "reference/python-api.md": api_page,
    "reference/rules.md": rules_page,
    "reference/taking-effect.md": effect_page,
    "../dcmcfg/dicom/uids.json": uid_table,
}

if __name__ == "__main__":
    (_DOCS / "reference" / "commands").mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (Path(__file__).parent / name).write_text(page(), "utf-8")
