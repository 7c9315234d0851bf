"""Read rows from YAML and JSON documents.

The documents are read as nodes, so that every value stays text. A YAML reader that converts values would turn the
title ``NO`` into false and the port ``0104`` into 68.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dcmcfg.errors import OnboardingError
from dcmcfg.onboarding.row import (
    COLUMNS,
    REASON,
    Sheet,
    SheetFormat,
    SheetRow,
    convert_to_single_line,
    resolve_column,
    warn_unknown_columns,
)
from dcmcfg.schema.findings import SourceLocation

#: Prefer libyaml if it is installed: it reads 500 rows in 20 ms instead of 300 ms.
_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_LIST_KEY, _MODALITIES_KEY = "aes", "DicomModalities"
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
#: Strings, comments and TABs of a JSON text; jsoncpp, and therefore Orthanc, allows comments. Strings come first, so
#: that comment marks inside strings are not matched. An unclosed string or comment extends to the end of the text, so
#: that no part is scanned twice.
_JSON_PARTS = re.compile(r'"(?:[^"\\]++|\\.)*(?:"|\\?\Z)|/\*.*?(?:\*/|\Z)|//[^\r\n]*|\t', re.DOTALL)
_NOT_LINE_ENDS = re.compile(r"[^\r\n]")
_SURROGATES = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_JSON_LITERAL = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_EXPECTED_CONTENT = f"a list of AEs with the keys {', '.join(COLUMNS)}; or Orthanc's {_MODALITIES_KEY}"
_UNLIMITED_WIDTH = 1_000_000
#: Maximum nesting depth of lists and mappings; a list of AEs has three levels.
_MAX_DEPTH = 100


@dataclass(frozen=True)
class YamlFormat:
    """YAML rows, kept as nodes."""

    nodes: tuple[Node, ...]

    def write_rejected_rows(self, reasons: Mapping[int, str], heading: str) -> str:
        """Return the rows as a list, each with its reason as a comment above it."""
        items = "".join(
            f"# {convert_to_single_line(reason)}\n{_format_yaml_item(self.nodes[index])}"
            for index, reason in sorted(reasons.items())
        )
        return f"# {convert_to_single_line(heading)}\n{items}"


@dataclass(frozen=True)
class JsonFormat:
    """JSON rows, kept as nodes."""

    nodes: tuple[Node, ...]

    def write_rejected_rows(self, reasons: Mapping[int, str], heading: str) -> str:  # noqa: ARG002 — there is no place for it
        """Return the rows as an array of objects, each with its reason in the key ``reason``."""
        items = (
            _format_json_row(self.nodes[index], convert_to_single_line(reason))
            for index, reason in sorted(reasons.items())
        )
        return "[\n" + ",\n".join(f"  {item}" for item in items) + "\n]\n"


@dataclass(frozen=True)
class OrthancFormat:
    """Orthanc's modalities: symbolic names and nodes; the rest of the Orthanc configuration is dropped."""

    modalities: tuple[tuple[Node, Node], ...]

    def write_rejected_rows(self, reasons: Mapping[int, str], heading: str) -> str:
        """Return the modalities as in Orthanc's configuration file, each with its reason as a comment above it."""
        lines: list[str] = []
        for index, reason in sorted(reasons.items()):
            name, node = self.modalities[index]
            comma = "," if len(lines) < len(reasons) - 1 else ""
            lines.append(
                f"    // {convert_to_single_line(reason)}\n    {_format_json(name)}: {_format_json(node)}{comma}\n"
            )
        return f'// {convert_to_single_line(heading)}\n{{\n  "{_MODALITIES_KEY}": {{\n{"".join(lines)}  }}\n}}\n'


def read_yaml(name: str, text: str) -> Sheet:
    """Return the rows of *text*, the YAML file *name*: a list of AEs at the top level or in the key ``aes``.

    Raises :class:`OnboardingError` for invalid YAML, and for any other document.
    """
    return _build_sheet(name, _compose(name, text, "YAML"), as_json=False)


def read_json(name: str, text: str) -> Sheet:
    """Return the rows of *text*, the JSON file *name*, which may contain comments.

    The document is a list of AEs at the top level or in the key ``aes``, an Orthanc configuration, or the content of
    its ``DicomModalities``. Raises :class:`OnboardingError` for invalid JSON, and for any other document.
    """
    # YAML nodes know their lines, and JSON is YAML except for comments, TABs and surrogate pairs.
    root = _compose(name, _JSON_PARTS.sub(_clean_json_part, text), "JSON")
    _refuse_aliases(name, root)
    return _build_sheet(name, root, as_json=True)


def _refuse_aliases(name: str, root: Node) -> None:
    """Raise :class:`OnboardingError` for YAML aliases (one node in several places), which JSON does not have."""
    seen: set[int] = set()
    for node in _walk_nodes(root):
        if id(node) in seen:
            subject = f"{name}:{node.start_mark.line + 1}"
            raise OnboardingError("not JSON: the file contains a YAML alias", subject=subject)
        seen.add(id(node))


def _walk_nodes(root: Node) -> Iterator[Node]:
    """Yield *root* and each node below it, once per place; does not end for a node that contains itself."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending += reversed(_list_children(node))


def _list_children(node: Node) -> list[Node]:
    match node:
        case SequenceNode():
            return list(node.value)
        case MappingNode():
            return [each for pair in node.value for each in pair]
        case _:
            return []


def _clean_json_part(part: re.Match[str]) -> str:
    text = part[0]
    if text.startswith('"'):
        return _SURROGATES.sub(lambda pair: str(json.loads(f'"{pair[0]}"')), text)
    return _NOT_LINE_ENDS.sub(" ", text)


def _compose(name: str, text: str, language: str) -> Node:
    """Return the root node of *text*. Error messages never quote the text, because it may contain secrets."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position if isinstance(error.position, int) else 0) + 1
        message = f"not {language}: the file contains a control character"
        raise OnboardingError(message, subject=f"{name}:{line}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        last = max(1, len(text.splitlines()))
        subject = f"{name}:{min(mark.line + 1, last)}" if mark else name
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        raise OnboardingError(f"not {language}: {problem}", subject=subject) from error
    except RecursionError as error:
        message = f"not a {language} list of AEs: the file has too many nested levels"
        raise OnboardingError(message, subject=name) from error
    if root is None:
        raise OnboardingError("the file is empty", subject=name, next_step=f"expected {_EXPECTED_CONTENT}")
    # _format_json is recursive, so the depth is limited before a row can be rejected.
    _refuse_depth(name, root, language)
    return root


def _refuse_depth(name: str, root: Node, language: str) -> None:
    """Raise :class:`OnboardingError` if lists and mappings are nested too deeply."""
    level, seen = [root], {id(root)}
    for _ in range(_MAX_DEPTH):
        children = {id(child): child for node in level for child in _list_children(node) if id(child) not in seen}
        seen |= children.keys()
        level = list(children.values())
        if not level:
            return
    line = level[0].start_mark.line + 1
    raise OnboardingError(
        f"not a {language} list of AEs: the file has too many nested levels",
        subject=f"{name}:{line}",
        next_step=f"expected {_EXPECTED_CONTENT}",
    )


def _build_sheet(name: str, root: Node, *, as_json: bool) -> Sheet:
    if isinstance(root, MappingNode):
        keys = {key.value: value for key, value in root.value if isinstance(key, ScalarNode)}
        if isinstance(modalities := keys.get(_MODALITIES_KEY), MappingNode):
            return _build_modalities_sheet(name, modalities)
        if isinstance(keys.get(_LIST_KEY), SequenceNode):
            root = keys[_LIST_KEY]
        elif root.value and all(_is_modality(value) for _, value in root.value):
            return _build_modalities_sheet(name, root)
    if not isinstance(root, SequenceNode):
        raise OnboardingError("not a list of AEs", subject=name, next_step=f"expected {_EXPECTED_CONTENT}")
    unknown: list[str] = []
    rows = tuple(_make_row(name, node, unknown) for node in root.value)
    source: SheetFormat = JsonFormat(tuple(root.value)) if as_json else YamlFormat(tuple(root.value))
    return Sheet(rows, source, tuple(warn_unknown_columns(name, unknown, "key")))


def _make_row(name: str, node: Node, unknown: list[str]) -> SheetRow:
    location = SourceLocation(name, node.start_mark.line + 1)
    if not isinstance(node, MappingNode):
        return SheetRow(location, {}, ("not an AE: this element of the list has no keys such as 'title' and 'host'",))
    values: dict[str, str] = {}
    problems: list[str] = []
    for heading, value in _iterate_pairs(node):
        known = resolve_column(heading)
        if known is None:
            unknown.append(heading)
        elif known in values:
            problems.append(f"{known} occurs twice")
        elif known != REASON:
            text = _get_scalar_text(value)
            if text is None:
                problems.append(f"{known} is not a single value")
            elif text:
                values[known] = text
    return SheetRow(location, values, tuple(problems))


def _iterate_pairs(node: MappingNode) -> Iterator[tuple[str, Node]]:
    for key, value in node.value:
        yield (str(key.value) if isinstance(key, ScalarNode) else "(a list or mapping)"), value


def _get_scalar_text(node: Node) -> str | None:
    """Return the text of a scalar, empty for a null, None for a list or mapping."""
    if not isinstance(node, ScalarNode):
        return None
    is_plain = not node.style
    return "" if is_plain and node.value in _NULLS else str(node.value).strip()


# Orthanc's modalities are "name": ["AET", "host", port, "manufacturer"], or an object (RemoteModalityParameters).
def _is_modality(node: Node) -> bool:
    if isinstance(node, SequenceNode):
        return len(node.value) >= 3
    return isinstance(node, MappingNode) and "AET" in {key.value for key, _ in node.value}


def _build_modalities_sheet(name: str, modalities: MappingNode) -> Sheet:
    rows = tuple(_make_modality_row(name, key, value) for key, value in modalities.value)
    return Sheet(rows, OrthancFormat(tuple(modalities.value)))


def _make_modality_row(name: str, key: Node, node: Node) -> SheetRow:
    location = SourceLocation(name, key.start_mark.line + 1)
    match node:
        case SequenceNode():
            given = dict(zip(("AET", "Host", "Port"), node.value, strict=False))
        case MappingNode():
            given = dict(_iterate_pairs(node))
        case _:
            return SheetRow(location, {}, (f"{key.value!r} is neither an array nor an object",))
    problems = []
    # A dictionary keeps one of equal keys, so the pairs are counted.
    if isinstance(node, MappingNode) and len(given) < len(node.value):
        problems.append("a key occurs twice")
    columns = {"title": given.get("AET"), "host": given.get("Host"), "port": given.get("Port")}
    columns["tls"] = given.get("UseDicomTls")
    values = {}
    for known, value in columns.items():
        text = "" if value is None else _get_scalar_text(value)
        if text is None:
            problems.append(f"{known} is not a single value")
        elif text:
            values[known] = text
    symbolic_name = str(key.value).strip()
    if symbolic_name and symbolic_name != values.get("title"):
        values["description"] = symbolic_name
    return SheetRow(location, values, tuple(problems))


def _format_yaml_item(node: Node) -> str:
    # BaseDumper resolves no tags, so the text of each value stays as it was read.
    item = SequenceNode("tag:yaml.org,2002:seq", [node], flow_style=False)
    return str(yaml.serialize(item, Dumper=yaml.dumper.BaseDumper, allow_unicode=True, width=_UNLIMITED_WIDTH))


def _format_json_row(node: Node, reason: str) -> str:
    if not isinstance(node, MappingNode):
        return f"{_format_json(node)}"
    pairs = [
        (_format_json(key), _format_json(value))
        for key, value in node.value
        if resolve_column(str(key.value)) != REASON
    ]
    pairs.append((_quote_json(REASON), _quote_json(reason)))
    return "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"


def _format_json(node: Node) -> str:
    match node:
        case SequenceNode():
            return "[" + ", ".join(map(_format_json, node.value)) + "]"
        case MappingNode():
            return "{" + ", ".join(f"{_format_json(key)}: {_format_json(value)}" for key, value in node.value) + "}"
        case ScalarNode() if not node.style and _JSON_LITERAL.fullmatch(node.value):
            return str(node.value)
        case _:
            return _quote_json(node.value)


def _quote_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=not text.isprintable())
