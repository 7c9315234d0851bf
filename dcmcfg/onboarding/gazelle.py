"""Read rows of a Gazelle Test Management export ("URL for downloading configurations as CSV").

Columns according to its manual: Configuration Type, Company, System, Host, Actor, is secured, is approved, comment,
aeTitle, sopClass, transferRole, port, port proxy, port secured. The export has a row for each SOP class and transfer
role of an AE (SCU rows have no port), and rows of other protocols.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dcmcfg.onboarding.role import AERole
from dcmcfg.onboarding.row import DESCRIPTION, HOST, PORT, ROLE, TITLE, TLS, SheetRow, simplify_heading
from dcmcfg.schema.findings import SourceLocation

_GAZELLE_KIND, _GAZELLE_TITLE, _GAZELLE_SECURED = "configurationtype", "aetitle", "issecured"
_GAZELLE_HEADINGS = frozenset(
    (
        _GAZELLE_KIND,
        _GAZELLE_TITLE,
        _GAZELLE_SECURED,
        "company",
        "system",
        "host",
        "port",
        "portsecured",
        "transferrole",
    )
)
_GAZELLE_TRUE = "true"


def is_gazelle_heading(text: str) -> bool:
    """Return whether *text* is the heading of a column that this module reads."""
    return simplify_heading(text) in _GAZELLE_HEADINGS


def is_gazelle_export(header: Sequence[str]) -> bool:
    """Return whether *header* is the header of a Gazelle export."""
    return {_GAZELLE_KIND, _GAZELLE_TITLE, "host"} <= {simplify_heading(heading) for heading in header}


def read_gazelle_rows(
    name: str, header: Sequence[str], body: Sequence[tuple[int, tuple[str, ...]]]
) -> tuple[tuple[SheetRow, ...], tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """Return a row for each DICOM AE of *body* (line, cells), its original cells, and warnings about ignored rows.

    Of several rows of the same AE and host, the first row with a port is used, or else the first row.
    """
    headings = [simplify_heading(heading) for heading in header]
    found: dict[tuple[str, str], tuple[SheetRow, tuple[str, ...]]] = {}
    other_count = repeated_count = 0
    for line, cells in body:
        record = dict(zip(headings, cells, strict=False))
        if not record.get(_GAZELLE_KIND, "").upper().startswith("DICOM"):
            other_count += 1
            continue
        row = _make_gazelle_row(SourceLocation(name, line), record)
        # Host names ignore case, AE titles do not.
        key = (row.text(TITLE), row.text(HOST).casefold())
        repeated_count += key in found
        if key not in found or (not found[key][0].text(PORT) and row.text(PORT)):
            found[key] = (row, cells)
    warnings = []
    if other_count:
        warnings.append(f"{name}: {other_count} of {len(body)} rows do not describe DICOM AEs and were ignored.")
    if repeated_count:
        warnings.append(
            f"{name}: {repeated_count} rows repeat the AE of an earlier row; for each AE, dcmcfg uses the first row "
            "with a port, or else the first row."
        )
    return tuple(row for row, _ in found.values()), tuple(cells for _, cells in found.values()), tuple(warnings)


def _make_gazelle_row(location: SourceLocation, record: Mapping[str, str]) -> SheetRow:
    secured = record.get(_GAZELLE_SECURED, "").lower() == _GAZELLE_TRUE
    port = (record.get("portsecured") if secured else "") or record.get("port", "")
    sends_only = record.get("transferrole", "").upper() == "SCU" and not port
    description_parts = (record.get("company", ""), record.get("system", ""), record.get("comment", ""))
    values = {
        TITLE: record.get(_GAZELLE_TITLE, ""),
        HOST: record.get("host", ""),
        PORT: port,
        TLS: "yes" if secured else "no",
        DESCRIPTION: " ".join(part for part in description_parts if part),
        ROLE: (AERole.MODALITY if sends_only else AERole.WORKSTATION).value,
    }
    return SheetRow(location, {column: value for column, value in values.items() if value})
