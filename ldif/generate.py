"""Write the transfer capabilities of the lab's AEs into ``site/*-capabilities.ldif``.

Run it after a change of ``sop-classes.csv`` or of the table below: ``python ldif/generate.py``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.ldif.writer import VERSION_LINE, format_entry

HERE = Path(__file__).parent
DEVICES = DN.parse("cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org")

UNCOMPRESSED = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")
DEFLATED = ("1.2.840.10008.1.2.1.99",)
JPEG = tuple(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91))
RLE = ("1.2.840.10008.1.2.5",)
MPEG = tuple(f"1.2.840.10008.1.2.4.{number}" for number in (100, 101, 102, 103, 104, 105, 106))

#: What an archive keeps as it comes, by the kind of SOP class; everything else travels in the default syntax alone.
ARCHIVED = {
    "image": UNCOMPRESSED + JPEG + RLE,
    "video": JPEG[:1] + MPEG,
    "document": UNCOMPRESSED + DEFLATED,
}
STORAGE = tuple(ARCHIVED)
QUERY_RETRIEVE = ("query", "retrieve")


@dataclass(frozen=True)
class SopClass:
    """A row of ``sop-classes.csv``."""

    uid: str
    kind: str
    name: str


@dataclass(frozen=True)
class Capabilities:
    """Which kinds of SOP class an AE provides (SCP) or uses (SCU), and whether it takes compressed objects."""

    file: str
    device: str
    ae_title: str
    scp: tuple[str, ...]
    scu: tuple[str, ...] = ()
    compressed: bool = True


TABLE = (
    Capabilities(
        "31-dcm4chee-arc-capabilities.ldif",
        "dcm4chee-arc",
        "DCM4CHEE",
        scp=("verification", *STORAGE, *QUERY_RETRIEVE, "commitment", "performed"),
        scu=("verification", *STORAGE, "commitment", "performed", "availability"),
    ),
    Capabilities(
        "31-dcm4chee-arc-capabilities.ldif",
        "dcm4chee-arc",
        "AS_RECEIVED",
        scp=("verification", *QUERY_RETRIEVE),
        scu=("verification", *STORAGE),
    ),
    Capabilities(
        "31-dcm4chee-arc-capabilities.ldif",
        "dcm4chee-arc",
        "WORKLIST",
        scp=("verification", "worklist", "workitem", "performed"),
        scu=("verification", "performed"),
    ),
    Capabilities(
        "41-storescp-capabilities.ldif", "storescp", "STORESCP", scp=("verification", *STORAGE), compressed=False
    ),
    Capabilities(
        "51-workstation-capabilities.ldif",
        "workstation",
        "WORKSTATION",
        scp=("verification", "image"),
        scu=("verification", *QUERY_RETRIEVE),
    ),
    Capabilities(
        "61-longterm-capabilities.ldif",
        "longterm",
        "LONGTERM",
        scp=("verification", *STORAGE, *QUERY_RETRIEVE, "commitment"),
        scu=("verification",),
    ),
)


def files() -> dict[str, str]:
    """Return the text of each file that this script writes, by its name."""
    written = {row.file: VERSION_LINE + "\n" for row in TABLE}
    for row in TABLE:
        written[row.file] += "".join(map(format_entry, _transfer_capabilities(row)))
    return written


def _transfer_capabilities(row: Capabilities) -> Iterator[Entry]:
    ae = DEVICES.child("dicomDeviceName", row.device).child("dicomAETitle", row.ae_title)
    for sop_class in _sop_classes():
        for role, kinds in (("SCP", row.scp), ("SCU", row.scu)):
            if sop_class.kind in kinds:
                yield _transfer_capability(ae, sop_class, role, compressed=row.compressed)


def _sop_classes() -> list[SopClass]:
    with (HERE / "sop-classes.csv").open(encoding="utf-8", newline="") as table:
        return [SopClass(**row) for row in csv.DictReader(table)]


def _transfer_capability(ae: DN, sop_class: SopClass, role: str, *, compressed: bool) -> Entry:
    name = f"{sop_class.name} {role}"
    archived = ARCHIVED.get(sop_class.kind, UNCOMPRESSED[:1])
    if not compressed and sop_class.kind in ARCHIVED:
        archived = archived if sop_class.kind == "video" else UNCOMPRESSED
    return Entry.from_values(
        ae.child("cn", name),
        {
            "objectClass": ["dicomTransferCapability", "dcmTransferCapability"],
            "cn": name,
            "dicomSOPClass": sop_class.uid,
            "dicomTransferRole": role,
            "dicomTransferSyntax": archived,
            **_query_options(sop_class, role),
        },
    )


def _query_options(sop_class: SopClass, role: str) -> dict[str, str]:
    if role != "SCP" or sop_class.kind not in QUERY_RETRIEVE:
        return {}
    if sop_class.kind == "retrieve":
        return {"dcmRelationalQueries": "TRUE"}
    return {
        "dcmRelationalQueries": "TRUE",
        "dcmCombinedDateTimeMatching": "TRUE",
        "dcmFuzzySemanticMatching": "TRUE",
        "dcmTimezoneQueryAdjustment": "TRUE",
    }


if __name__ == "__main__":
    for name, text in files().items():
        (HERE / "site" / name).write_text(text, "utf-8")
