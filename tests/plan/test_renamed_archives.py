"""Which archives a plan gives another name."""

from __future__ import annotations

from collections.abc import Iterable

from dcmcfg.changes import Change, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.plan.renamed_archives import RenamedArchive, find_renamed_archives
from tests.trees import ARCHIVE, DEVICES, STORESCP, site


def rename(dn: str, new: str) -> Rename:
    return Rename(DN.parse(dn), RDN.of("dicomDeviceName", new))


def renamed_archives(changes: Iterable[Change]) -> tuple[RenamedArchive, ...]:
    every = tuple(changes)
    return find_renamed_archives(every, site().with_changes(every))


def test_only_the_device_of_an_archive_counts() -> None:
    assert renamed_archives([rename(ARCHIVE, "arc"), rename(STORESCP, "scp")]) == (
        RenamedArchive("dcm4chee-arc", "arc"),
    )


def test_what_comes_of_several_renames_counts() -> None:
    there = rename(ARCHIVE, "arc")
    assert renamed_archives([there, rename(f"dicomDeviceName=arc,{DEVICES}", "pacs")]) == (
        RenamedArchive("dcm4chee-arc", "pacs"),
    )
    assert renamed_archives([there, rename(f"dicomDeviceName=arc,{DEVICES}", "dcm4chee-arc")]) == ()


def test_another_spelling_is_not_a_rename() -> None:
    assert renamed_archives([rename(ARCHIVE, "DCM4CHEE-ARC")]) == ()


def test_renames_of_other_entries_do_not_count() -> None:
    ae = DN.parse(f"dicomAETitle=DCM4CHEE,{ARCHIVE}")
    assert renamed_archives([Rename(ae, RDN.of("dicomAETitle", "PACS"))]) == ()
