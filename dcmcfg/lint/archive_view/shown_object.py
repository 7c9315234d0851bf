"""The JSON of a device as objects with attributes and parts, independent of the names in it.

The archive (``JsonConfiguration`` and its extensions) writes an object for each entry. The keys are names of
attributes. An object as a value has the attributes of an auxiliary class of the same entry. A list of objects has
entries below the entry; its key is their object class.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ShownObject:
    """An object in the JSON of a device.

    ``pointer`` is its JSON pointer (RFC 6901), with which references in the same document refer to it. ``attributes``
    has the values of each key as text, in the spelling of LDAP. ``extensions`` are objects as values, and ``lists`` the
    objects in lists, both by key.
    """

    pointer: str
    attributes: Mapping[str, tuple[str, ...]]
    extensions: Mapping[str, ShownObject]
    lists: Mapping[str, tuple[ShownObject, ...]]


def parse_object(content: Mapping[str, Any], pointer: str = "") -> ShownObject:
    """Return *content*, a JSON object; null counts as a missing value."""
    attributes: dict[str, tuple[str, ...]] = {}
    extensions: dict[str, ShownObject] = {}
    lists: dict[str, tuple[ShownObject, ...]] = {}
    for key, value in content.items():
        position = f"{pointer}/{_escape(key)}"
        match value:
            case dict():
                extensions[key] = parse_object(value, position)
            case list():
                lists[key] = tuple(
                    parse_object(each, f"{position}/{number}")
                    for number, each in enumerate(value)
                    if isinstance(each, dict)
                )
                if texts := tuple(_list_texts(value)):
                    attributes[key] = texts
            case None:
                pass
            case _:
                attributes[key] = (_format_scalar(value),)
    return ShownObject(pointer, attributes, extensions, lists)


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _list_texts(values: list[Any]) -> Iterator[str]:
    for value in values:
        if value is not None and not isinstance(value, dict):
            yield _format_scalar(value)


def _format_scalar(value: Any) -> str:
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case str():
            return value
        case _:
            return json.dumps(value)
