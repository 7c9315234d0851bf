"""Names that a plan takes away and that the archive's database may have recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from dcmcfg.changes import Add, Change, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.plan.recorded_names import RecordedName, find_recorded_names
from tests.lint.breaking import (
    ARCHIVE,
    DCM4CHEE,
    EXPORTER,
    LONGTERM,
    LONGTERM_DEVICE,
    STORAGE,
    STORESCP,
    STORESCP_DEVICE,
    ae_of,
    delete,
    new,
    put,
    valid_tree,
    without_capabilities,
)

EXTERNAL = RecordedName(EntityKind.AE, "LONGTERM", (DN.parse(LONGTERM),))


def names(*changes: Change, earlier: Iterable[Change] = ()) -> tuple[RecordedName, ...]:
    return find_recorded_names(
        make_plan(valid_tree().with_changes(earlier), [DesiredChange(each) for each in changes]), device="dcm4chee-arc"
    )


def renamed(dn: str, rdn: str) -> Rename:
    return Rename(DN.parse(dn), RDN.of(*rdn.split("=")), delete_old_rdn=True)


@pytest.mark.parametrize(
    "changes",
    [
        (*without_capabilities(LONGTERM), delete(LONGTERM)),
        (renamed(LONGTERM, "dicomAETitle=TAPE"),),
        (put(LONGTERM, dicomInstalled="FALSE"),),
        (put(LONGTERM_DEVICE, dicomInstalled="FALSE"),),
    ],
    ids=["deleted", "renamed", "not installed", "its device not installed"],
)
def test_the_title_of_the_external_archive_goes(changes: tuple[Change, ...]) -> None:
    is_renamed = isinstance(changes[0], Rename)
    assert names(*changes) == (replace(EXTERNAL, is_renamed=is_renamed),)


@pytest.mark.parametrize(
    "changes",
    [
        (),
        (put(LONGTERM, dicomDescription="x"),),
        (renamed(LONGTERM_DEVICE, "dicomDeviceName=tape"),),
        (*ae_of(STORESCP_DEVICE, "LONGTERM")[:1], *without_capabilities(LONGTERM), delete(LONGTERM)),
        (renamed(DCM4CHEE, "dicomAETitle=HOSP"),),
        (put(EXPORTER, dcmStgCmtSCP=()), put(STORAGE, dcmExternalRetrieveAET=())),
    ],
    ids=["nothing", "described", "device renamed", "carried by another", "the archive's own AE", "named no more"],
)
def test_a_title_that_remains_is_not_reported(changes: tuple[Change, ...]) -> None:
    assert names(*changes) == ()


def test_a_title_that_nothing_names_as_an_external_archive_comes_last_and_is_not_expected() -> None:
    gone = names(renamed(STORESCP, "dicomAETitle=VIEWER"), renamed(LONGTERM, "dicomAETitle=TAPE"))
    assert gone == (
        replace(EXTERNAL, is_renamed=True),
        RecordedName(EntityKind.AE, "STORESCP", (DN.parse(STORESCP),), expects_records=False, is_renamed=True),
    )


def test_other_archives_that_use_the_title_are_reported() -> None:
    other = ARCHIVE.replace("dcm4chee-arc", "branch-arc")
    classes = ("dicomDevice", "dcmDevice", "dcmArchiveDevice")
    added = (
        new(
            other, objectClass=classes, dicomDeviceName="branch-arc", dicomInstalled="TRUE", dcmFuzzyAlgorithmClass="x"
        ),
        new(f"dcmExporterID=x,{other}", objectClass="dcmExporter", dcmExporterID="x", dcmStgCmtSCP="LONGTERM"),
    )
    (gone,) = names(renamed(LONGTERM, "dicomAETitle=TAPE"), earlier=added)
    assert (gone.expects_records, gone.other_archives) == (True, ("branch-arc",))


def test_a_storage_of_the_archive_goes_and_one_that_another_archive_has_stays() -> None:
    assert names(renamed(STORAGE, "dcmStorageID=fs7")) == (
        RecordedName(EntityKind.STORAGE, "fs1", (DN.parse(STORAGE),)),
    )
    storage = valid_tree().get(DN.parse(STORAGE))
    assert storage is not None
    copy = Add(storage.with_values("dcmStorageID", [b"fs2"]).with_dn(DN.parse(STORAGE.replace("fs1", "fs2"))))
    assert names(copy) == ()
