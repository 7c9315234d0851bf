"""Render the values of an entry, one a line, and as JSON."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console

from dcmcfg.entry import Entry
from dcmcfg.model.effective_settings import EffectiveValues
from dcmcfg.model.export import attribute_sort_key
from dcmcfg.model.targets import Target
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.terminal.cells import SECRET_PLACEHOLDER, format_zip_member
from dcmcfg.render.terminal.console import print_line
from dcmcfg.secret_values import is_secret, remove_secrets_from_entry
from dcmcfg.zip_members import list_zip_members


def print_values(console: Console, target: Target, attributes: Sequence[EffectiveValues], *, show_dn: bool) -> None:
    """Print *attributes* as lines ``ATTR: value``; remarks are on lines that start with ``#``.

    With *show_dn*, the first line is the DN.
    """
    if show_dn:
        print_line(console, f"dn: {escape_unprintable(str(target.entry.dn))}")
    for each in attributes:
        if not each.values:
            print_line(console, f"# {escape_unprintable(each.name)} is not set")
        elif each.inherited and target.device is not None:
            print_line(console, f"# from the device {escape_unprintable(target.device.name)}:")
        for value in each.values:
            print_line(console, f"{escape_unprintable(each.name)}: {_format_value(each.name, value)}")
            for name, member in (list_zip_members(value) or {}).items():
                print_line(console, f"#   {escape_unprintable(format_zip_member(name, member))}")


def values_json(target: Target, attributes: Sequence[EffectiveValues]) -> dict[str, Any]:
    """Return *attributes* for ``--json``: ``dn``, and ``attributes`` by name with ``values`` and ``level``.

    ``level`` is ``entry``, ``device``, or null for an attribute that is not set. Octets that are not UTF-8 are escaped.
    A secret value is null; ``secret`` is true for an attribute with one.
    """
    return {
        "dn": str(target.entry.dn),
        "attributes": {
            each.name: {
                "values": [_get_value_text(each.name, value) for value in each.values],
                "secret": any(is_secret(each.name, value) for value in each.values),
                "level": ("device" if each.inherited else "entry") if each.values else None,
            }
            for each in attributes
        },
    }


def entries_json(entries: Iterable[Entry], *, with_secrets: bool) -> dict[str, Any]:
    """Return *entries* for ``--json``: ``dn``, ``attributes`` (name to values) and ``omitted_secrets`` of each.

    A value is text, or ``{"base64": …}`` if its octets are not UTF-8. ``omitted_secrets`` lists the attributes with
    secret values that were left out.
    """
    return {"entries": [_entry_json(entry, with_secrets=with_secrets) for entry in entries]}


def _entry_json(entry: Entry, *, with_secrets: bool) -> dict[str, Any]:
    shown, omitted = (entry, ()) if with_secrets else remove_secrets_from_entry(entry)
    return {
        "dn": str(shown.dn),
        "attributes": {
            each.name: [_value_json(value) for value in sorted(each.values)]
            for each in sorted(shown.attributes, key=lambda each: attribute_sort_key(each.name))
        },
        "omitted_secrets": sorted(omitted),
    }


def _value_json(value: bytes) -> str | dict[str, str]:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def _format_value(name: str, value: bytes) -> str:
    if is_secret(name, value):
        return SECRET_PLACEHOLDER
    try:
        return escape_unprintable(value.decode("utf-8"))
    except UnicodeDecodeError:
        return f"({len(value)} octets)"


def _get_value_text(name: str, value: bytes) -> str | None:
    return None if is_secret(name, value) else value.decode("utf-8", "backslashreplace")
