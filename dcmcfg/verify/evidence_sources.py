"""Collect evidence from the archive's database, the external archive's log, and a second C-FIND.

The second C-FIND shows the instances that the archive lists after the C-MOVE; the database shows their files before and
after it. A failure of a source does not end a verification: it becomes a warning in the evidence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
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
    """Return the instances that the archive now lists of the study, listed *before*; None without a response.

    Instance Availability of a study is the worst of its instances (PS3.4 §C.3.5). ONLINE at STUDY level with the same
    number of instances therefore applies to each of them; only otherwise are they queried one by one. With *patient*,
    the query uses Patient Root.
    """
    try:
        studies = find_studies(association, {"StudyInstanceUID": study_uid}, max_studies=1) if patient is None else ()
        if studies and studies[0].availability == "ONLINE" and studies[0].instance_count == len(before):
            return tuple(replace(each, availability="ONLINE") for each in before), ()
        requested_uids = {each.sop_instance_uid for each in before}
        listed = find_instances(association, study_uid, patient)
        return tuple(each for each in listed if not before or each.sop_instance_uid in requested_uids), ()
    except DicomError as error:
        return None, (f"the archive's list of instances after the C-MOVE is unknown: {error.message}",)


def query_database_before(database: Database, study_uid: str) -> tuple[DatabaseEvidence, Notes]:
    """Return the study in the archive's database before the C-MOVE, by one search for its instances."""
    try:
        return DatabaseEvidence(database.get_study(study_uid)), ()
    except ArchiveError as error:
        source = f"{error.subject}: " if error.subject else ""
        return DatabaseEvidence(), (
            f"the location of the files before the C-MOVE is unknown ({source}{error.message})",
        )


def query_database_after(
    database: Database, study_uid: str, before: DatabaseEvidence
) -> tuple[DatabaseEvidence, Notes]:
    """Return *before* with the present state of the database; no second query if the first one failed."""
    if before.before is None:
        return before, ()
    try:
        return replace(before, after=database.get_study(study_uid)), ()
    except ArchiveError as error:
        return before, (f"the location of the files after the C-MOVE is unknown ({error.subject}: {error.message})",)


def _do_nothing(_: str) -> None:
    """Do nothing (default callback)."""


@dataclass(frozen=True)
class PreMoveEvidence:
    """The evidence of the sources from before the C-MOVE."""

    database: DatabaseEvidence
    warnings: tuple[str, ...]
    log_position: LogPosition | None


@dataclass(frozen=True)
class EvidenceSources:
    """The evidence sources; with ``queries_again``, the archive is queried by C-FIND again after the C-MOVE.

    ``warnings`` explain which sources could not be used. With ``shares_log``, C-MOVEs of other studies of the run are
    in the log too. With ``waits_briefly_for_log``, a C-MOVE that the external archive logs late may be missing.
    """

    external_log: Path | None = None
    database: Database | None = None
    _: KW_ONLY
    queries_again: bool = False
    shares_log: bool = False
    waits_briefly_for_log: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def can_show_route(self) -> bool:
        """Whether one of the sources can show the route."""
        return self.database is not None or self.external_log is not None

    def collect_before(self, study_uid: str, on_step: Callable[[str], None] = _do_nothing) -> PreMoveEvidence:
        """Return the evidence from before the C-MOVE."""
        stored, warnings = DatabaseEvidence(), self.warnings
        if self.database is not None:
            on_step(f"querying the archive's database for the location of the files ({self.database.url})")
            stored, more = query_database_before(self.database, study_uid)
            warnings += more
        return PreMoveEvidence(stored, warnings, get_log_position(self.external_log) if self.external_log else None)

    def collect_after(self, evidence: Evidence, pre_move: PreMoveEvidence, association: OpenAssociation) -> Evidence:
        """Return *evidence* with the evidence after the C-MOVE; *association* is used only after a final response."""
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
            log_is_shared=self.shares_log,
            log_is_from_archive=log_evidence.is_from_archive_log,
            unchanged_log=self.external_log if log_evidence.is_unchanged else None,
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
        # Only Orthanc's resource IDs depend on the Patient ID, so other logs cost no query.
        if is_written_by_orthanc(pre_move.log_position) and (patient_id := _query_patient_id(evidence, association)):
            query = replace(query, orthanc_resource_ids=compute_resource_ids(patient_id, evidence.instances_before))
        return read_log_evidence(
            pre_move.log_position, query, is_shared=self.shares_log, waits_briefly=self.waits_briefly_for_log
        )


#: No evidence beyond the responses of the archive and the receiver of dcmcfg.
NO_EVIDENCE_SOURCES = EvidenceSources()


def _find_external_ae_titles(evidence: Evidence) -> frozenset[str]:
    """Return the titles of the external archives that the archive may ask for the study."""
    listed = {title for each in evidence.instances_before for title in each.retrieve_ae_titles}
    configured = {title for title, _ in evidence.route.external_requests}
    return frozenset((listed | configured) - evidence.route.archive_ae_titles)


def _query_patient_id(evidence: Evidence, association: OpenAssociation) -> str:
    """Return the Patient ID of the study; empty if unknown."""
    if evidence.outcome.status is None:
        return ""
    try:
        studies = find_studies(association, {"StudyInstanceUID": evidence.request.study_uid}, max_studies=1)
    # Without the ID, the log is read without resource IDs, and may not show the study.
    except DicomError:
        return ""
    return studies[0].patient_id if studies else ""
