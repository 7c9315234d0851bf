"""Render one AE with its settings and the references to it, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from dcmcfg.model.connections import get_connection_name
from dcmcfg.model.devices import Connection, NetworkAE, find_devices_dn
from dcmcfg.model.references.index import Reference
from dcmcfg.onboarding.role import determine_role
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.connections import format_listening_address
from dcmcfg.render.device import (
    SETTING_COLUMNS,
    build_setting_rows,
    format_capability_counts,
    retrieve_settings_json,
)
from dcmcfg.render.search import ae_json
from dcmcfg.render.terminal.cells import format_cell_value, format_relative_dn
from dcmcfg.render.terminal.console import print_line
from dcmcfg.render.terminal.fields import Field, format_yes_no, print_fields
from dcmcfg.render.terminal.table import Column, WrapMode, print_table
from dcmcfg.schema_names import (
    ACCEPTED_CALLING_AE_TITLE,
    DICOM_ASSOCIATION_ACCEPTOR,
    DICOM_ASSOCIATION_INITIATOR,
    DICOM_DESCRIPTION,
)

_REFERENCES = (Column("Referring entry", WrapMode.AT_COMMAS), Column("Attribute"), Column("Value", WrapMode.AUTO))
_ANY_CALLER = "any"


def print_ae(console: Console, ae: NetworkAE, references: Sequence[Reference], *, registered: bool) -> None:
    """Print *ae* with its callers and capabilities, the *references* to it, and the settings of an archive's AE.

    *registered* is whether its title is in the registry of AE titles.
    """
    print_line(console, ae.qualified_title)
    print_fields(console, _build_fields(ae, registered=registered))
    if ae.device.is_archive:
        print_table(console, SETTING_COLUMNS, list(build_setting_rows((ae,))), blank_above=True)
    if references:
        base = find_devices_dn(ae.device.tree)
        rows = [
            (format_relative_dn(each.dn, base), each.attribute, format_cell_value(each.attribute, each.value))
            for each in references
        ]
        shown_rows = [tuple(map(escape_unprintable, row)) for row in rows]
        print_table(console, _REFERENCES, shown_rows, blank_above=not ae.device.is_archive)
    print_line(console, f"{format_count(len(references), 'reference')} to {ae.title}")


def ae_details_json(ae: NetworkAE, references: Sequence[Reference], *, registered: bool) -> dict[str, Any]:
    """Return *ae* for ``--json``: the keys of ``ae list``, and its roles, callers, settings and ``references``.

    ``accepted_callers`` is empty for an AE that accepts any caller. ``settings`` is empty unless the device is an
    archive.
    """
    return {
        **ae_json(ae),
        "role": determine_role(ae).value,
        "registered": registered,
        "other_ae_titles": list(ae.other_titles),
        "accepts_associations": _is_set(ae, DICOM_ASSOCIATION_ACCEPTOR),
        "initiates_associations": _is_set(ae, DICOM_ASSOCIATION_INITIATOR),
        "accepted_callers": list(ae.entry.texts(ACCEPTED_CALLING_AE_TITLE)),
        "settings": retrieve_settings_json(ae),
        "references": [
            {
                "dn": str(each.dn),
                "attribute": each.attribute,
                "value": format_cell_value(each.attribute, each.value),
            }
            for each in references
        ],
    }


def _build_fields(ae: NetworkAE, *, registered: bool) -> tuple[Field, ...]:
    description = ae.entry.texts(DICOM_DESCRIPTION)
    return (
        ("DN", (str(ae.entry.dn),)),
        ("Description", tuple(format_cell_value(DICOM_DESCRIPTION, each.encode()) for each in description)),
        ("Device", (f"{ae.device.name}{' (archive)' if ae.device.is_archive else ''}",)),
        ("Installed", (_format_installed(ae),)),
        ("Title registered", (format_yes_no(value=registered),)),
        ("Role", (determine_role(ae).value,)),
        ("Associations", (_format_associations(ae),)),
        ("Other titles", ae.other_titles),
        ("Connections", tuple(map(_format_connection, ae.connections)) or ("none",)),
        ("Accepted callers", ae.entry.texts(ACCEPTED_CALLING_AE_TITLE) or (_ANY_CALLER,)),
        ("Capabilities", (format_capability_counts(ae),)),
    )


def _format_installed(ae: NetworkAE) -> str:
    return "no (the device is not installed)" if not ae.device.installed else format_yes_no(value=ae.installed)


def _format_associations(ae: NetworkAE) -> str:
    verbs = [
        verb
        for attribute, verb in ((DICOM_ASSOCIATION_ACCEPTOR, "accepts"), (DICOM_ASSOCIATION_INITIATOR, "initiates"))
        if _is_set(ae, attribute)
    ]
    return " and ".join(verbs) or "accepts none, initiates none"


def _is_set(ae: NetworkAE, attribute: str) -> bool:
    return ae.entry.text(attribute) == "TRUE"


def _format_connection(connection: Connection) -> str:
    tls = " TLS" if connection.tls else ""
    installed = "" if connection.installed else " (not installed)"
    return f"{get_connection_name(connection.dn)}: {format_listening_address(connection)}{tls}{installed}"
