"""Differences that the archive itself may have written are recognised, and can be accepted."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dcmcfg.changes import Change
from dcmcfg.dn import DN
from dcmcfg.model.tree import Tree
from dcmcfg.plan.archive_writes import ArchiveWrite, accept_archive_writes, find_archive_writes
from dcmcfg.plan.tree_diff import diff_trees
from tests.lint.breaking import ARCHIVE, DCM4CHEE, LONGTERM_DEVICE, STORAGE, delete, new, put, valid_tree
from tests.trees import octets

DICOM = f"cn=dicom,{ARCHIVE}"
FS2 = new(f"dcmStorageID=fs2,{ARCHIVE}", objectClass="dcmStorage", dcmStorageID="fs2", dcmURI="file:/fs2/")
THRESHOLD = put(STORAGE, dcmStorageThreshold="1GB")
#: Two storages, of which fs1 has a threshold.
STORAGES = (FS2, THRESHOLD, put(DCM4CHEE, dcmObjectStorageID=("fs1", "fs2")))


def find(live: Tree, other: Tree, live_index: int) -> list[tuple[str, str]]:
    sides = (live, other) if live_index == 0 else (other, live)
    writes = find_archive_writes(diff_trees(*sides), live_index)
    return [(str(each.dn.rdn), each.attribute) for each in writes]


@pytest.mark.parametrize("live_index", [0, 1])
@pytest.mark.parametrize(
    ("before", "written", "expected"),
    [
        (
            (put(ARCHIVE, dicomSoftwareVersion="5.33"),),
            (put(ARCHIVE, dicomSoftwareVersion="5.35"),),
            [("dicomDeviceName=dcm4chee-arc", "dicomSoftwareVersion")],
        ),
        (
            STORAGES,
            (put(DCM4CHEE, dcmObjectStorageID="fs2"),),
            [("dicomAETitle=DCM4CHEE", "dcmObjectStorageID")],
        ),
        ((), (put(DICOM, dcmTCPReceiveBufferSize="65536"),), [("cn=dicom", "dcmTCPReceiveBufferSize")]),
        # The archive does not write these.
        (STORAGES, (put(DCM4CHEE, dcmObjectStorageID="fs1"),), []),
        (STORAGES, (put(DCM4CHEE, dcmObjectStorageID=()),), []),
        (STORAGES, (put(DCM4CHEE, dcmObjectStorageID=("fs2", "fs3")),), []),
        ((FS2, put(DCM4CHEE, dcmObjectStorageID=("fs1", "fs2"))), (put(DCM4CHEE, dcmObjectStorageID="fs2"),), []),
        ((), (put(DICOM, dcmTCPReceiveBufferSize="4096"),), []),
        ((put(DICOM, dcmTCPReceiveBufferSize="4096"),), (put(DICOM, dcmTCPReceiveBufferSize="65536"),), []),
        ((), (put(LONGTERM_DEVICE, dicomSoftwareVersion="1"),), []),
        ((), (put(f"cn=dicom,{LONGTERM_DEVICE}", dcmTCPReceiveBufferSize="65536"),), []),
        ((), (put(DCM4CHEE, dicomDescription="x"),), []),
        ((), (delete(DICOM),), []),
        ((), (FS2,), []),
    ],
)
def test_only_what_the_archive_is_known_to_write_is_recognised(
    before: Sequence[Change], written: Sequence[Change], expected: list[tuple[str, str]], live_index: int
) -> None:
    other = valid_tree().with_changes(before)
    assert find(other.with_changes(written), other, live_index) == expected


@pytest.mark.parametrize("live_index", [0, 1])
def test_a_storage_that_the_live_tree_has_more_is_not_written_by_the_archive(live_index: int) -> None:
    """The archive only removes storages."""
    live = valid_tree().with_changes(STORAGES)
    assert find(live, live.with_changes([put(DCM4CHEE, dcmObjectStorageID="fs2")]), live_index) == []


def test_an_entry_can_differ_in_more_than_the_archive_has_written() -> None:
    other = valid_tree()
    live = other.with_changes([put(ARCHIVE, dicomSoftwareVersion="6", dicomDescription="x")])
    assert find(live, other, 0) == [("dicomDeviceName=dcm4chee-arc", "dicomSoftwareVersion")]


@pytest.mark.parametrize("live_index", [0, 1])
def test_accepted_writes_no_longer_differ_and_everything_else_still_does(live_index: int) -> None:
    other = valid_tree()
    live = other.with_changes(
        [put(ARCHIVE, dicomSoftwareVersion="6", dicomDescription="x"), put(DICOM, dcmTCPReceiveBufferSize="65536")]
    )
    sides = (live, other) if live_index == 0 else (other, live)
    writes = find_archive_writes(diff_trees(*sides), live_index)
    accepted = accept_archive_writes(other, live, writes)
    assert octets(accepted) == octets(other.with_changes([
        put(ARCHIVE, dicomSoftwareVersion="6"), put(DICOM, dcmTCPReceiveBufferSize="65536")
    ]))  # fmt: skip
    (step,) = diff_trees(live, accepted).plan.steps
    assert step.change.dn == DN.parse(ARCHIVE)
    assert find(live, accepted, 0) == []


def test_accepting_nothing_changes_nothing() -> None:
    assert accept_archive_writes(valid_tree(), valid_tree(), ()) == valid_tree()


def test_a_write_to_an_entry_that_only_one_tree_has_is_not_accepted() -> None:
    other = valid_tree()
    live = other.with_changes([delete(DICOM)])
    write = ArchiveWrite(DN.parse(DICOM), "dcmTCPReceiveBufferSize")
    assert octets(accept_archive_writes(other, live, [write])) == octets(other)
