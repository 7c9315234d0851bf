"""Further evidence sources of a C-MOVE: the archive's database, the external archive's log, a second C-FIND.

They show what the archive lists of the study after the C-MOVE, and what its database has of it before and after. None
of them can end a verification: what they do not show is a warning of the evidence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from dcmcfg.archive.database import Database
from dcmcfg.dicom.open_association import OpenAssociation
from dcmcfg.dicom.query import Instance, find_instances, find_studies
from dcmcfg.dicom.retrieval import Patient
from dcmcfg.errors import ArchiveError, DicomError
from dcmcfg.verify.evidence import DatabaseEvidence, Evidence
from dcmcfg.verify.external_log import (
    LogEvidence,
    LogPosition,
    get_log_position,
    is_written_by_orthanc,
    read_log_evidence,
)
from dcmcfg.verify.log_query import LogQuery
from dcmcfg.verify.orthanc_log import compute_resource_ids

Notes = tuple[str, ...]


def query_instances_after(
    association: OpenAssociation, study_uid: str, before: tuple[Instance, ...], patient: Patient | None = None
) -> tuple[tuple[Instance, ...] | None, Notes]:
    """Return what the archive lists now of the study of which it listed *before*; None where it does not answer.

    Instance Availability of a study is the worst of its instances (PS3.4 §C.3.5), so ONLINE at STUDY level, and as
    many instances as before, tell of each of them; only otherwise are they asked for one by one. With *patient* they
    are asked for by Patient Root.
    """
    try:
        studies = find_studies(association, {"StudyInstanceUID": study_uid}, max_studies=1) if patient is None else ()
        if studies and studies[0].availability == "ONLINE" and studies[0].instance_count == len(before):
            return tuple(replace(each, availability="ONLINE") for each in before), ()
        requested_uids = {each.sop_instance_uid for each in before}
        listed = find_instances(association, study_uid, patient)
        return tuple(each for each in listed if not before or each.sop_instance_uid in requested_uids), ()
    except DicomError as error:
        return None, (f"what the archive lists after the move is not known: {error.message}",)


def query_database_before(database: Database, study_uid: str) -> tuple[DatabaseEvidence, Notes]:
    """Return what the archive's database has of the study before the move, by one search for its instances."""
    try:
        return DatabaseEvidence(database.get_study(study_uid)), ()
    except ArchiveError as error:
        source = f"{error.subject}: " if error.subject else ""
        return DatabaseEvidence(), (f"where the files were before the move is not known ({source}{error.message})",)


def query_database_after(
    database: Database, study_uid: str, before: DatabaseEvidence
) -> tuple[DatabaseEvidence, Notes]:
    """Return *before* with what the database has now; it is not asked again where it gave no answer before."""
    if before.before is None:
        return before, ()
    try:
        return replace(before, after=database.get_study(study_uid)), ()
    except ArchiveError as error:
        return before, (f"where the files are after the move is not known ({error.subject}: {error.message})",)


def _do_nothing(_: str) -> None:
    """Do nothing (default callback)."""


@dataclass(frozen=True)
class PreMoveEvidence:
    """What the evidence sources showed before the C-MOVE was sent."""

    database: DatabaseEvidence
    warnings: tuple[str, ...]
    log_position: LogPosition | None


@dataclass(frozen=True)
class EvidenceSources:
    """The evidence sources; with ``queries_again`` the archive is asked by C-FIND once more after the move.

    ``warnings`` say which of them could not be asked, and why.
    """

    external_log: Path | None = None
    database: Database | None = None
    queries_again: bool = False
    warnings: tuple[str, ...] = ()

    def collect_before(self, study_uid: str, on_step: Callable[[str], None] = _do_nothing) -> PreMoveEvidence:
        """Return what those sources show that have evidence before the move."""
        stored, warnings = DatabaseEvidence(), self.warnings
        if self.database is not None:
            on_step(f"asking the archive's database where the files are ({self.database.url})")
            stored, more = query_database_before(self.database, study_uid)
            warnings += more
        return PreMoveEvidence(stored, warnings, get_log_position(self.external_log) if self.external_log else None)

    def collect_after(self, evidence: Evidence, pre_move: PreMoveEvidence, association: OpenAssociation) -> Evidence:
        """Return *evidence* with what they show now; *association* is used only if the move got a final response."""
        study_uid = evidence.request.study_uid
        stored, after, warnings = pre_move.database, evidence.instances_after, pre_move.warnings
        if self.queries_again and evidence.outcome.status is not None:
            after, more = query_instances_after(
                association, study_uid, evidence.instances_before, evidence.request.patient
            )
            warnings += more
        if self.database is not None:
            stored, more = query_database_after(self.database, study_uid, stored)
            warnings += more
        log_evidence = self._read_log(evidence, pre_move, association)
        warnings += (log_evidence.reason,) if log_evidence.reason else ()
        return replace(
            evidence,
            instances_after=after,
            database=stored,
            move_records=log_evidence.move_records,
            legs=log_evidence.legs,
            log_is_from_archive=log_evidence.is_from_archive_log,
            log_is_unchanged=log_evidence.is_unchanged,
            warnings=(*evidence.warnings, *warnings),
        )

    def _read_log(self, evidence: Evidence, pre_move: PreMoveEvidence, association: OpenAssociation) -> LogEvidence:
        if pre_move.log_position is None:
            return LogEvidence(None)
        uids = frozenset(each.sop_instance_uid for each in evidence.instances_before)
        request, archive_ae_titles = evidence.request, evidence.route.archive_ae_titles
        query = LogQuery(
            request.study_uid,
            uids,
            calling_ae_title=request.calling_ae_title,
            archive_ae_titles=archive_ae_titles,
            external_ae_titles=_find_external_ae_titles(evidence),
        )
        if is_written_by_orthanc(pre_move.log_position) and (patient_id := _query_patient_id(evidence, association)):
            query = replace(query, orthanc_resource_ids=compute_resource_ids(patient_id, evidence.instances_before))
        return read_log_evidence(pre_move.log_position, query)


#: No evidence beyond the responses of the archive and the receiver of dcmcfg.
NO_EVIDENCE_SOURCES = EvidenceSources()


def _find_external_ae_titles(evidence: Evidence) -> frozenset[str]:
    """Return the titles of the external archives that the archive may ask for the study."""
    listed = {title for each in evidence.instances_before for title in each.retrieve_ae_titles}
    configured = {title for title, _ in evidence.route.external_requests}
    return frozenset((listed | configured) - evidence.route.archive_ae_titles)


def _query_patient_id(evidence: Evidence, association: OpenAssociation) -> str:
    """Return the ID of the study's patient; empty where it is not known."""
    if evidence.outcome.status is None:
        return ""
    try:
        studies = find_studies(association, {"StudyInstanceUID": evidence.request.study_uid}, max_studies=1)
    except DicomError:
        return ""
    return studies[0].patient_id if studies else ""
