"""Rows of a Gazelle Test Management export ("URL for downloading configurations as CSV").

Its columns are, as its manual shows them: Configuration Type, Company, System, Host, Actor, is secured, is approved,
comment, aeTitle, sopClass, transferRole, port, port proxy, port secured. It has a row for each SOP class and transfer
role of an AE, an SCU without port, and rows of other protocols.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dcmcfg.onboarding.row import DESCRIPTION, HOST, PORT, ROLE, TITLE, TLS, Role, Row, plain

_KIND, _TITLE, _SECURED = "configurationtype", "aetitle", "issecured"
_HEADINGS = frozenset((_KIND, _TITLE, _SECURED, "company", "system", "host", "port", "portsecured", "transferrole"))
_TRUE = "true"


def is_heading(text: str) -> bool:
    """Tell whether *text* is the heading of one of the columns that are read here."""
    return plain(text) in _HEADINGS


def is_export(header: Sequence[str]) -> bool:
    """Tell whether *header* is that of Gazelle."""
    return {_KIND, _TITLE, "host"} <= {plain(heading) for heading in header}


def rows(
    name: str, header: Sequence[str], body: Sequence[tuple[int, tuple[str, ...]]]
) -> tuple[tuple[Row, ...], tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """Return a row for each DICOM AE of *body* (line, cells), the cells it comes from, and what was passed over.

    Of the rows of one AE at one host that with a port counts, else the first.
    """
    headings = [plain(heading) for heading in header]
    found: dict[tuple[str, str], tuple[Row, tuple[str, ...]]] = {}
    others = again = 0
    for line, cells in body:
        record = dict(zip(headings, cells, strict=False))
        if not record.get(_KIND, "").upper().startswith("DICOM"):
            others += 1
            continue
        row = _row(f"{name}:{line}", record)
        key = (row.text(TITLE), row.text(HOST).casefold())
        again += key in found
        if key not in found or (not found[key][0].text(PORT) and row.text(PORT)):
            found[key] = (row, cells)
    warnings = []
    if others:
        warnings.append(f"{name}: {others} of {len(body)} rows are not about DICOM and were passed over.")
    if again:
        warnings.append(f"{name}: {again} more rows are about AEs that have a row; one with a port counts.")
    return tuple(row for row, _ in found.values()), tuple(cells for _, cells in found.values()), tuple(warnings)


def _row(place: str, record: Mapping[str, str]) -> Row:
    secured = record.get(_SECURED, "").lower() == _TRUE
    port = (record.get("portsecured") if secured else "") or record.get("port", "")
    sends_only = record.get("transferrole", "").upper() == "SCU" and not port
    described = (record.get("company", ""), record.get("system", ""), record.get("comment", ""))
    values = {
        TITLE: record.get(_TITLE, ""),
        HOST: record.get("host", ""),
        PORT: port,
        TLS: "yes" if secured else "no",
        DESCRIPTION: " ".join(part for part in described if part),
        ROLE: (Role.MODALITY if sends_only else Role.WORKSTATION).value,
    }
    return Row(place, {column: value for column, value in values.items() if value})
