"""Transfer capabilities as tables, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console

from dcmcfg.dicom.uid_registry import keyword_of
from dcmcfg.entry import Entry
from dcmcfg.model.capabilities import Lacking, ability, open_roles, plain_name
from dcmcfg.model.devices import NetworkAE
from dcmcfg.render.terminal.console import print_line, visible
from dcmcfg.render.terminal.table import Breaks, Column, print_table

_COLUMNS = (
    Column("SOP class", Breaks.AT_BLANKS),
    Column("UID"),
    Column("role"),
    Column("transfer syntaxes", Breaks.AT_BLANKS),
)
_SYNTAXES = "dicomTransferSyntax"


def print_capabilities(console: Console, ae: NetworkAE, entries: Sequence[Entry]) -> None:
    """Print the capability *entries* of *ae* and how many there are."""
    if ae.shared_from is not ae:
        print_line(console, visible(f"{ae.title} shares the capabilities of {ae.shared_from.title}"))
    rows = [_row(plain_name(each), *ability(each), each.texts(_SYNTAXES)) for each in entries]
    if rows:
        print_table(console, _COLUMNS, rows)
    print_line(console, f"{len(rows)} {'capability' if len(rows) == 1 else 'capabilities'}")
    if not ae.shared_from.capabilities and not ae.device.is_archive:
        print_line(console, "an AE that lists none is sent everything")


def capabilities_json(ae: NetworkAE, entries: Iterable[Entry]) -> dict[str, Any]:
    """Return the capability *entries* of *ae* for ``--json``; ``shared_from`` is the AE that has them."""
    return {
        "ae": ae.qualified_title,
        "shared_from": ae.shared_from.qualified_title,
        "capabilities": [
            {
                "name": each.text("cn"),
                "sop_class": ability(each)[0],
                "role": ability(each)[1],
                "transfer_syntaxes": list(each.texts(_SYNTAXES)),
            }
            for each in entries
        ],
    }


def print_lacking(console: Console, one: NetworkAE, other: NetworkAE, found: Sequence[Lacking]) -> None:
    """Print what *one* can and *other* cannot; of a SOP class that both can, the transfer syntaxes."""
    if not one.shared_from.capabilities:
        print_line(console, visible(f"{one.title} lists no capabilities: there is nothing to hold {other.title} to"))
    if note := _left_open(other):
        print_line(console, visible(f"{other.title} lists no {note}"))
    if not found:
        print_line(console, visible(f"{other.title} can all that {one.title} can"))
        return
    rows = [_row(each.name, each.sop_class, each.role, each.syntaxes if each.partly else ("all",)) for each in found]
    print_table(console, _COLUMNS, rows)
    print_line(console, visible(f"{len(rows)} that {one.title} can and {other.title} cannot"))


def _left_open(ae: NetworkAE) -> str:
    """Return what *ae* does not list and what that means, empty when it lists capabilities as SCP."""
    roles = open_roles(ae)
    if len(roles) > 1:
        return "capabilities: as the AE of another system it can everything"
    if roles:
        return "SCP capability: as the AE of another system it is sent everything"
    return "" if ae.shared_from.capabilities else "capabilities: as an archive's own AE it accepts nothing"


def lacking_json(one: NetworkAE, other: NetworkAE, found: Iterable[Lacking]) -> dict[str, Any]:
    """Return for ``--json`` what ``one`` can and ``other`` cannot: ``lacking``.

    ``partly``: the SOP class is there without those ``transfer_syntaxes``.
    """
    return {
        "one": one.qualified_title,
        "other": other.qualified_title,
        "lacking": [
            {
                "name": each.name,
                "sop_class": each.sop_class,
                "role": each.role,
                "transfer_syntaxes": list(each.syntaxes),
                "partly": each.partly,
            }
            for each in found
        ],
    }


def _row(name: str, sop_class: str, role: str, syntaxes: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(visible, (name, sop_class, role, " ".join(map(keyword_of, syntaxes)))))
