"""The values of an entry, one a line, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from dcmcfg.model.effective_settings import EffectiveValues
from dcmcfg.model.targets import Target
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.terminal.cells import SECRET_PLACEHOLDER, format_zip_member
from dcmcfg.render.terminal.console import print_line
from dcmcfg.secret_values import is_secret
from dcmcfg.zip_members import list_zip_members


def print_values(console: Console, target: Target, attributes: Sequence[EffectiveValues], *, show_dn: bool) -> None:
    """Print *attributes* as lines ``ATTR: value``; what is to be said of them stands on lines that begin with ``#``.

    With *show_dn* the DN comes first.
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

    ``level`` is ``entry``, ``device``, or null for what is not set. Octets that are not UTF-8 are escaped.
    """
    return {
        "dn": str(target.entry.dn),
        "attributes": {
            each.name: {
                "values": [_get_value_text(each.name, value) for value in each.values],
                "level": ("device" if each.inherited else "entry") if each.values else None,
            }
            for each in attributes
        },
    }


def _format_value(name: str, value: bytes) -> str:
    if is_secret(name, value):
        return SECRET_PLACEHOLDER
    try:
        return escape_unprintable(value.decode("utf-8"))
    except UnicodeDecodeError:
        return f"({len(value)} octets)"


def _get_value_text(name: str, value: bytes) -> str:
    return SECRET_PLACEHOLDER if is_secret(name, value) else value.decode("utf-8", "backslashreplace")
