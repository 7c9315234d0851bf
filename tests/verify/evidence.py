"""Evidence for tests: a good run, to spoil at one place each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from dcmcfg.archive.stored_studies import StoredInstance, StoredStudy
from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.dicom.peer import Peer
from dcmcfg.dicom.query import Instance
from dcmcfg.dicom.storage.receiver import ReceivedInstance
from dcmcfg.verify.evidence import ConfiguredRoute, DatabaseEvidence, Evidence, MoveRecord, VerificationRequest

STUDY = "1.2.3"
CT = "1.2.840.10008.5.1.4.1.1.2"
IMPLICIT = "1.2.840.10008.1.2"
UIDS = ("1.2.3.1", "1.2.3.2", "1.2.3.3")
QUESTION = VerificationRequest(STUDY, Peer("DCM4CHEE", "localhost", 11112), "WORKSTATION", "DCMCFG")
VIA_ARCHIVE = ConfiguredRoute("DCM4CHEE", "device dcm4chee-arc", frozenset({"DCM4CHEE", "AS_RECEIVED"}))
DIRECT = ConfiguredRoute(None, "", frozenset({"DCM4CHEE", "AS_RECEIVED"}))
GOOD_OUTCOME = MoveOutcome(0x0000, completed=3, failed=0, warning=0)


def instances_before_move(availability: str = "NEARLINE", uids: tuple[str, ...] = UIDS) -> tuple[Instance, ...]:
    return tuple(
        Instance(
            study_uid=STUDY,
            series_uid="1.2.3.0",
            sop_class_uid=CT,
            sop_instance_uid=uid,
            availability=availability,
            retrieve_ae_titles=("LONGTERM", "DCM4CHEE"),
        )
        for uid in uids
    )


def received_instances(uids: tuple[str, ...] = UIDS, calling: str = "DCM4CHEE") -> tuple[ReceivedInstance, ...]:
    return tuple(
        ReceivedInstance(
            sop_instance_uid=uid,
            sop_class_uid=CT,
            study_uid=STUDY,
            calling_ae_title=calling,
            move_originator_ae_title="DCMCFG",
            data_set_length=512,
            transfer_syntax=IMPLICIT,
        )
        for uid in uids
    )


def recorded(
    destination: str = "DCM4CHEE", status: int = 0, completed: int | None = 3, calling: str = "DCMCFG"
) -> MoveRecord:
    return MoveRecord(
        started=datetime(2026, 1, 2, tzinfo=UTC),
        calling_ae_title=calling,
        called_ae_title="LONGTERM",
        destination_ae_title=destination,
        study_uid=STUDY,
        status=status,
        completed=completed,
        failed=0,
    )


#: Witnessed, complete, purged before, recorded by the external archive.
GOOD = Evidence(
    request=QUESTION,
    instances_before=instances_before_move(),
    outcome=GOOD_OUTCOME,
    received=received_instances(),
    move_records=(recorded(),),
    route=VIA_ARCHIVE,
)
#: The same without our receiver and without the external archive's record.
UNWITNESSED = replace(GOOD, received=None, move_records=None)
#: Nobody but the archive and its database has anything to say.
ALONE = replace(GOOD, move_records=None, route=replace(VIA_ARCHIVE, storage_ids=frozenset({"fs1"})))


def study(*storages: str, external: str = "LONGTERM", completeness: str = "") -> StoredStudy:
    """The study in the archive's database: for each instance its storage ID, empty for no file."""
    held = tuple(
        StoredInstance(uid, (storage,) if storage else (), external)
        for uid, storage in zip(UIDS, storages, strict=False)
    )
    ids = tuple(sorted({storage for storage in storages if storage}))
    return StoredStudy(
        STUDY,
        is_known=True,
        instance_count=len(held),
        availability="ONLINE",
        storage_ids=ids,
        external_ae_title=external,
        completeness=completeness,
        instances=held,
    )


PURGED = study("", "", "")
LOCAL_STUDY = study("fs1", "fs1", "fs1")
UNKNOWN_STUDY = StoredStudy(STUDY, is_known=False)


def reporting(evidence: Evidence, **counters: int | None) -> Evidence:
    """Return *evidence* with another report: status and counters as given, the others absent."""
    status = counters.pop("status", 0)
    return replace(evidence, outcome=MoveOutcome(status, **counters))  # type: ignore[arg-type]  # names of counters


def stored(
    evidence: Evidence,
    before: StoredStudy,
    after: StoredStudy | None = None,
    availability: str = "ONLINE",
) -> Evidence:
    return replace(
        evidence, database=DatabaseEvidence(before, after), instances_before=instances_before_move(availability)
    )
