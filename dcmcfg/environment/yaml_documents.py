"""Read YAML documents as texts with their lines, in bounded time and memory.

The reader follows events, so nesting costs no stack. It creates no objects from tags, and keeps every scalar as text: a
reader that converts values would turn the title ``NO`` into false. Anchors and merge keys (``<<``) are resolved, but
the number of resolved pairs is bounded: a file of some lines can stand for billions of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, field

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from dcmcfg.errors import DcmcfgError

#: Prefer libyaml if it is installed: it is ten times as fast.
_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_MAX_DEPTH, _MAX_NODES = 100, 200_000
_MERGE_KEY = "<<"
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))


@dataclass(frozen=True)
class YamlScalar:
    """A single value. ``is_null`` is True for a plain ``null``, ``~`` or nothing; ``tag`` is empty without a tag."""

    text: str
    line: int
    is_null: bool = False
    tag: str = ""


@dataclass(frozen=True)
class YamlSequence:
    """A list; ``tag`` is empty without a tag."""

    items: tuple[YamlNode, ...]
    line: int
    tag: str = ""


@dataclass(frozen=True)
class YamlMapping:
    """A mapping with text as keys, in order; keys that are no text are omitted. ``key_lines`` has the line of each.

    ``tag`` is empty without a tag.
    """

    values: dict[str, YamlNode]
    key_lines: dict[str, int]
    line: int
    tag: str = ""

    def get_mapping(self, key: str) -> YamlMapping | None:
        """Return the mapping of *key*, or None."""
        found = self.values.get(key)
        return found if isinstance(found, YamlMapping) else None

    def get_items(self, key: str) -> tuple[YamlNode, ...]:
        """Return the items of the list of *key*; empty if it is no list."""
        found = self.values.get(key)
        return found.items if isinstance(found, YamlSequence) else ()

    def get_text(self, key: str) -> str | None:
        """Return the text of *key*; None if it is missing, null, or no single value."""
        found = self.values.get(key)
        return found.text if isinstance(found, YamlScalar) and not found.is_null else None


YamlNode = YamlScalar | YamlSequence | YamlMapping


def read_documents(name: str, text: str) -> tuple[YamlNode, ...]:
    """Return the documents of *text*, the file *name*; empty documents are omitted.

    Raises :class:`DcmcfgError` for invalid YAML and for a document above the limits. Messages never quote the text,
    because it may contain secrets.
    """
    try:
        return tuple(_Reader(name).read(yaml.parse(text, Loader=_Loader)))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position if isinstance(error.position, int) else 0) + 1
        raise DcmcfgError("not YAML: the file contains a control character", subject=f"{name}:{line}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        subject = f"{name}:{mark.line + 1}" if mark else name
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        raise DcmcfgError(f"not YAML: {problem}", subject=subject, next_step=_suggest_fix(text)) from error


def _suggest_fix(text: str) -> str:
    """Return what to do about *text*, which is not YAML; empty if the reason is none of the common ones."""
    if "{{" in text:
        return "check the output of the template, for example of helm template"
    if any("\t" in line[: len(line) - len(line.lstrip())] for line in text.splitlines()):
        return "indent lines with spaces, because YAML does not permit tabs for indentation"
    return ""


@dataclass
class _Open:
    """A list or mapping whose end has not been read; a mapping has keys and values in turn."""

    is_mapping: bool
    anchor: str | None
    line: int
    _: KW_ONLY
    tag: str = ""
    nodes: list[YamlNode] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name
        self._node_count = 0
        self._anchors: dict[str, YamlNode] = {}
        self._open: list[_Open] = []
        self._root: YamlNode | None = None

    def read(self, events: Iterator[Event]) -> Iterator[YamlNode]:
        for event in events:
            match event:
                case DocumentStartEvent():
                    self._anchors, self._open, self._root = {}, [], None
                case DocumentEndEvent():
                    if self._root is not None and not (isinstance(self._root, YamlScalar) and self._root.is_null):
                        yield self._root
                case _:
                    mark = event.start_mark
                    self._read_node(event, mark.line + 1 if mark else 1)

    def _read_node(self, event: Event, line: int) -> None:
        match event:
            case ScalarEvent():
                is_null = not event.style and event.value in _NULLS
                self._add(YamlScalar(event.value, line, is_null, event.tag or ""), event.anchor, line)
            case AliasEvent():
                if event.anchor not in self._anchors:
                    raise self._refuse(
                        "an alias refers to an unknown anchor, or to an anchor that contains the alias", line
                    )
                self._add(self._anchors[event.anchor], None, line)
            case MappingStartEvent() | SequenceStartEvent():
                is_mapping = isinstance(event, MappingStartEvent)
                self._open.append(_Open(is_mapping, event.anchor, line, tag=event.tag or ""))
                if len(self._open) > _MAX_DEPTH:
                    raise self._refuse(f"the file has more than {_MAX_DEPTH} levels of lists and mappings", line)
            case MappingEndEvent() | SequenceEndEvent():
                closed = self._open.pop()
                node = self._build_mapping(closed) if closed.is_mapping else self._build_sequence(closed)
                self._add(node, closed.anchor, closed.line)

    def _add(self, node: YamlNode, anchor: str | None, line: int) -> None:
        self._count(1, line)
        if anchor:
            self._anchors[anchor] = node
        if self._open:
            self._open[-1].nodes.append(node)
            self._open[-1].lines.append(line)
        else:
            self._root = node

    def _count(self, number: int, line: int) -> None:
        self._node_count += number
        if self._node_count > _MAX_NODES:
            raise self._refuse(f"the file has more than {_MAX_NODES} values", line)

    def _build_sequence(self, closed: _Open) -> YamlSequence:
        return YamlSequence(tuple(closed.nodes), closed.line, closed.tag)

    def _build_mapping(self, closed: _Open) -> YamlMapping:
        values: dict[str, YamlNode] = {}
        key_lines: dict[str, int] = {}
        merged: list[YamlNode] = []
        for key, value, line in zip(closed.nodes[::2], closed.nodes[1::2], closed.lines[::2], strict=True):
            if not isinstance(key, YamlScalar):
                continue
            if key.text == _MERGE_KEY:
                merged += value.items if isinstance(value, YamlSequence) else [value]
            else:
                values[key.text], key_lines[key.text] = value, line
        # The mapping's own keys and earlier merged mappings win.
        for each in merged:
            if isinstance(each, YamlMapping):
                self._count(len(each.values), closed.line)
                for text, value in each.values.items():
                    if text not in values:
                        values[text], key_lines[text] = value, each.key_lines[text]
        return YamlMapping(values, key_lines, closed.line, closed.tag)

    def _refuse(self, problem: str, line: int) -> DcmcfgError:
        return DcmcfgError(f"dcmcfg does not read this file: {problem}", subject=f"{self._name}:{line}")
