"""Render transfer capabilities as tables and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from dcmcfg.dicom.uid_registry import format_uid_name, get_keyword
from dcmcfg.entry import Entry
from dcmcfg.model.capabilities import MissingCapability, find_unrestricted_roles, get_sop_class_name, get_sop_class_role
from dcmcfg.model.devices import NetworkAE
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.terminal.cells import format_cell_value
from dcmcfg.render.terminal.console import print_line
from dcmcfg.render.terminal.fields import print_fields
from dcmcfg.render.terminal.list_table import ListColumn, print_list
from dcmcfg.render.terminal.styles import CHANGED, REMOVED, SIGN_STYLES
from dcmcfg.schema_names import (
    COMMON_NAME,
    DICOM_SOP_CLASS,
    DICOM_TRANSFER_ROLE,
    DICOM_TRANSFER_SYNTAX,
    OBJECT_CLASS,
)

#: The first transfer syntaxes of most capabilities are the same, so a narrow column for them would show nothing.
_COLUMNS = (
    ListColumn(heading="SOP class", min_width=60, wraps=True),
    ListColumn(heading="UID", drop_order=2),
    ListColumn(heading="Role"),
    ListColumn(heading="Transfer syntaxes", drop_order=1, min_width=40),
)
_MISSING_COLUMNS = (
    ListColumn(heading=""),
    ListColumn(heading="SOP class", min_width=40, wraps=True),
    ListColumn(heading="UID", drop_order=1),
    ListColumn(heading="Role"),
    ListColumn(heading="Transfer syntaxes", min_width=17, wraps=True),
)
#: The attributes that have their own label.
_SHOWN_ATTRIBUTES = frozenset({OBJECT_CLASS, COMMON_NAME, DICOM_SOP_CLASS, DICOM_TRANSFER_ROLE, DICOM_TRANSFER_SYNTAX})


def print_capabilities(console: Console, ae: NetworkAE, entries: Sequence[Entry]) -> None:
    """Print the capability *entries* of *ae*, and their number."""
    if ae.capability_source is not ae:
        print_line(console, escape_unprintable(f"{ae.title} shares the capabilities of {ae.capability_source.title}"))
    rows = [
        _build_row(get_sop_class_name(each), *get_sop_class_role(each), each.texts(DICOM_TRANSFER_SYNTAX))
        for each in entries
    ]
    if rows:
        print_list(console, _COLUMNS, rows)
    print_line(console, format_count(len(rows), "capability", "capabilities"))
    if not ae.capability_source.capabilities and not ae.device.is_archive:
        print_line(console, "The archive sends all SOP classes to an AE without capabilities.")


def print_capability_details(console: Console, ae: NetworkAE, entries: Sequence[Entry]) -> None:
    """Print each capability of *entries*, which belong to *ae*, with its transfer syntaxes and other attributes."""
    if ae.capability_source is not ae:
        print_line(console, f"{ae.title} shares the capabilities of {ae.capability_source.title}")
    for each in entries:
        sop_class, role = get_sop_class_role(each)
        print_line(console, f"{get_sop_class_name(each)} {role} of {ae.qualified_title}")
        print_fields(
            console,
            (
                ("DN", (str(each.dn),)),
                ("SOP class", (_format_uid(sop_class),)),
                ("Role", (role,)),
                ("Transfer syntaxes", tuple(map(_format_uid, each.texts(DICOM_TRANSFER_SYNTAX))) or ("none",)),
                (
                    "Other attributes",
                    tuple(
                        f"{attribute.name}={format_cell_value(attribute.name, value)}"
                        for attribute in sorted(each.attributes, key=lambda attribute: attribute.name)
                        if attribute.name not in _SHOWN_ATTRIBUTES
                        for value in attribute.values
                    ),
                ),
            ),
        )


def _format_uid(uid: str) -> str:
    name = format_uid_name(uid)
    return uid if name == uid else f"{name} ({uid})"


def capabilities_json(ae: NetworkAE, entries: Iterable[Entry]) -> dict[str, Any]:
    """Return the capability *entries* of *ae* for ``--json``; ``shared_from`` is the AE that owns them."""
    return {
        "ae": ae.qualified_title,
        "shared_from": ae.capability_source.qualified_title,
        "capabilities": [
            {
                "name": each.text(COMMON_NAME),
                "sop_class": get_sop_class_role(each)[0],
                "role": get_sop_class_role(each)[1],
                "transfer_syntaxes": list(each.texts(DICOM_TRANSFER_SYNTAX)),
            }
            for each in entries
        ],
    }


def print_missing_capabilities(
    console: Console, reference_ae: NetworkAE, compared_ae: NetworkAE, missing: Sequence[MissingCapability]
) -> None:
    """Print the SOP classes and transfer syntaxes that *reference_ae* supports and *compared_ae* does not."""
    if not reference_ae.capability_source.capabilities:
        print_line(
            console,
            escape_unprintable(f"{reference_ae.title} has no capabilities, so there is nothing to compare"),
        )
    if note := _describe_unlisted_roles(compared_ae):
        print_line(console, escape_unprintable(note))
    if not missing:
        print_line(console, escape_unprintable(f"{compared_ae.title} has all capabilities of {reference_ae.title}"))
        return
    print_list(console, _MISSING_COLUMNS, list(map(_build_missing_row, missing)))
    print_line(
        console,
        escape_unprintable(
            f"Capabilities of {reference_ae.title} that are missing in {compared_ae.title}: {len(missing)}"
        ),
    )


def _describe_unlisted_roles(ae: NetworkAE) -> str:
    """Return a sentence with the role that *ae* does not list; empty if it lists capabilities as SCP."""
    roles = find_unrestricted_roles(ae)
    if len(roles) > 1:
        return f"{ae.title} lists no capabilities, so the archive assumes that {ae.title} supports everything"
    if roles:
        return f"{ae.title} lists no SCP capability, so the archive sends all SOP classes to {ae.title}"
    return (
        ""
        if ae.capability_source.capabilities
        else f"{ae.title} lists no capabilities. An AE of the archive without capabilities accepts nothing"
    )


def missing_capabilities_json(
    reference_ae: NetworkAE, compared_ae: NetworkAE, missing: Iterable[MissingCapability]
) -> dict[str, Any]:
    """Return for ``--json`` the capabilities of ``reference_ae`` that ``compared_ae`` lacks: ``missing_capabilities``.

    ``sop_class_supported``: the SOP class is listed, but without these ``transfer_syntaxes``.
    """
    return {
        "reference_ae": reference_ae.qualified_title,
        "compared_ae": compared_ae.qualified_title,
        "missing_capabilities": [
            {
                "name": each.name,
                "sop_class": each.sop_class,
                "role": each.role,
                "transfer_syntaxes": list(each.transfer_syntaxes),
                "sop_class_supported": each.sop_class_supported,
            }
            for each in missing
        ],
    }


def _build_missing_row(missing: MissingCapability) -> tuple[str | Text, ...]:
    """Return the cells of *missing*; the sign shows whether the SOP class or only transfer syntaxes are missing."""
    sign = CHANGED if missing.sop_class_supported else REMOVED
    syntaxes = missing.transfer_syntaxes if missing.sop_class_supported else ("all",)
    cells = (sign, *_build_row(missing.name, missing.sop_class, missing.role, syntaxes))
    return tuple(Text(cell, style=SIGN_STYLES[sign]) for cell in cells)


def _build_row(name: str, sop_class: str, role: str, syntaxes: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(escape_unprintable, (name, sop_class, role, " ".join(map(get_keyword, syntaxes)))))
