"""Renaming parts of an archive: on its device only, and not where database or program keep the name."""

from __future__ import annotations

import pytest

from dcmcfg.dn import DN
from dcmcfg.edits.rename.part import rename_part
from dcmcfg.edits.rename.renaming import Renaming
from dcmcfg.errors import NotFound, Refused
from dcmcfg.lint.linter import lint
from dcmcfg.model.references.index import References
from dcmcfg.model.references.kinds import EntityKind
from tests.lint.breaking import ARCHIVE, DEVICES, EXPORTER, NOW, RULE, device, new, put, valid_tree
from tests.trees import octets

ARC = "dcm4chee-arc"


def rename(kind: EntityKind, old: str, name: str, *, force: bool = False) -> Renaming:
    return rename_part(References(valid_tree()), ARC, kind, old=old, new=name, force=force)


@pytest.mark.parametrize(
    ("kind", "old"),
    [
        (EntityKind.EXPORTER, "LONGTERM"),
        (EntityKind.QUEUE, "Export"),
        (EntityKind.STORAGE, "fs1"),
        (EntityKind.VIEW, "hideRejected"),
        (EntityKind.WEB_APP, "AS_RECEIVED"),
    ],
)
def test_what_names_it_names_it_newly_and_lint_finds_nothing(kind: EntityKind, old: str) -> None:
    renaming = rename(kind, old, "another", force=True)
    after = valid_tree().with_changes(renaming.edit.changes)
    assert lint(after, NOW) == ()
    assert References(after).find_references(kind, old) == ()
    assert (
        len(References(after).find_references(kind, "another"))
        == len(References(valid_tree()).find_references(kind, old))
        == len(renaming.references)
    )


def test_an_ae_of_the_same_name_is_another_thing() -> None:
    after = valid_tree().with_changes(rename(EntityKind.EXPORTER, "LONGTERM", "TAPE").edit.changes)
    exporter = after.get(DN.parse(f"dcmExporterID=TAPE,{ARCHIVE}"))
    assert exporter is not None
    assert exporter.text("dcmURI") == "dicom:LONGTERM"
    rule = after.get(DN.parse(RULE))
    assert rule is not None
    assert rule.text("dcmExporterID") == "TAPE"


def test_a_queue_of_another_device_stays_and_so_does_what_names_it() -> None:
    other = f"dicomDeviceName=other,{DEVICES}"
    exporter = {"dcmExporterID": "X", "dcmURI": "dicom:STORESCP", "dcmQueueName": "Export"}
    tree = valid_tree().with_changes(
        [
            *device("other"),
            new(f"dcmQueueName=Export,{other}", objectClass="dcmQueue", dcmQueueName="Export"),
            new(f"dcmExporterID=X,{other}", objectClass="dcmExporter", **exporter),
        ]
    )
    after = tree.with_changes(
        rename_part(References(tree), ARC, EntityKind.QUEUE, old="Export", new="Slow").edit.changes
    )
    untouched = list(tree.subtree(DN.parse(other)))
    assert list(after.subtree(DN.parse(other))) == untouched


def test_objects_and_built_in_queues_need_a_word() -> None:
    with pytest.raises(Refused, match="database contains the ID fs1 for each stored object") as refused:
        rename(EntityKind.STORAGE, "fs1", "fs2")
    assert "--force-stored-objects" in refused.value.next_step
    with pytest.raises(Refused, match="program code uses a queue with the name StgCmtSCU"):
        rename(EntityKind.QUEUE, "StgCmtSCU", "Commitments")
    assert rename(EntityKind.QUEUE, "StgCmtSCU", "Commitments", force=True).edit.warnings
    warnings = rename(EntityKind.STORAGE, "fs1", "fs2", force=True).edit.warnings
    assert "until the database contains fs2" in " ".join(warnings)


@pytest.mark.parametrize(
    ("kind", "old", "name", "error", "message"),
    [
        (
            EntityKind.QUEUE,
            "Exporr",
            "Slow",
            NotFound,
            "the device dcm4chee-arc has no queue Exporr — known names: Export",
        ),
        (EntityKind.QUEUE, "Export", "Retrieve", Refused, "the name Retrieve is already used by another queue"),
        (
            EntityKind.WEB_APP,
            "AS_RECEIVED",
            "DCM4CHEE",
            Refused,
            "the name DCM4CHEE is already used by another web application",
        ),
        (EntityKind.QUEUE, "Export", "Säcke", Refused, "is not a valid queue name"),
        (EntityKind.QUEUE, "Export", "a<b", Refused, "the queue name a<b contains one of"),
    ],
)
def test_what_is_refused(kind: EntityKind, old: str, name: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as refused:
        rename(kind, old, name)
    assert message in str(refused.value)


def test_what_another_device_has_is_told_as_that() -> None:
    tree = valid_tree().with_changes(
        [
            *device("other"),
            new(f"dcmQueueName=Q,dicomDeviceName=other,{DEVICES}", objectClass="dcmQueue", dcmQueueName="Q"),
        ]
    )
    with pytest.raises(NotFound, match="to rename the queue of other: --device other"):
        rename_part(References(tree), ARC, EntityKind.QUEUE, old="Q", new="R")


def test_a_rename_by_hand_is_finished_by_the_references_alone() -> None:
    tree = valid_tree().with_changes([put(RULE, dcmExporterID="OLD")])
    with pytest.raises(
        NotFound,
        match=r"1 value refers to OLD, and LONGTERM exists\. To change these references to LONGTERM: --references-only",
    ):
        rename_part(References(tree), ARC, EntityKind.EXPORTER, old="OLD", new="LONGTERM")
    renaming = rename_part(References(tree), ARC, EntityKind.EXPORTER, old="OLD", new="LONGTERM", only_references=True)
    assert octets(tree.with_changes(renaming.edit.changes)) == octets(valid_tree())


def test_the_same_name_is_nothing_to_do() -> None:
    assert rename(EntityKind.EXPORTER, "LONGTERM", "LONGTERM").edit.changes == ()
    assert DN.parse(EXPORTER) in valid_tree()
