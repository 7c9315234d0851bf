"""The values of an entry, one a line, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from dcmcfg.model.effective_settings import AttributeHeld
from dcmcfg.model.targets import Target
from dcmcfg.render.terminal.cells import SECRET, shown_member
from dcmcfg.render.terminal.console import print_line, visible
from dcmcfg.secret_values import is_secret
from dcmcfg.zip_members import zip_members


def print_held(console: Console, target: Target, held: Sequence[AttributeHeld], *, whole: bool) -> None:
    """Print *held* as lines ``ATTR: value``; what is to be said of them stands on lines that begin with ``#``.

    Of the *whole* entry the DN comes first.
    """
    if whole:
        print_line(console, f"dn: {visible(str(target.entry.dn))}")
    for each in held:
        if not each.values:
            print_line(console, f"# {visible(each.name)} is not set")
        elif each.inherited and target.device is not None:
            print_line(console, f"# from the device {visible(target.device.name)}:")
        for value in each.values:
            print_line(console, f"{visible(each.name)}: {_shown(each.name, value)}")
            for name, member in (zip_members(value) or {}).items():
                print_line(console, f"#   {visible(shown_member(name, member))}")


def held_json(target: Target, held: Sequence[AttributeHeld]) -> dict[str, Any]:
    """Return *held* for ``--json``: ``dn``, and ``attributes`` by name with ``values`` and ``from``.

    ``from`` is ``entry``, ``device``, or null for what is not set. Octets that are not UTF-8 are escaped.
    """
    return {
        "dn": str(target.entry.dn),
        "attributes": {
            each.name: {
                "values": [_text(each.name, value) for value in each.values],
                "from": ("device" if each.inherited else "entry") if each.values else None,
            }
            for each in held
        },
    }


def _shown(name: str, value: bytes) -> str:
    if is_secret(name, value):
        return SECRET
    try:
        return visible(value.decode("utf-8"))
    except UnicodeDecodeError:
        return f"({len(value)} octets)"


def _text(name: str, value: bytes) -> str:
    return SECRET if is_secret(name, value) else value.decode("utf-8", "backslashreplace")
