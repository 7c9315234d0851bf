"""Further witnesses of a C-MOVE: the archive's database, the external archive's record, a second C-FIND.

None of them can end a verification: what could not be learnt is a warning of the evidence.

What the archive lists of the study after the C-MOVE, and what its database has of it before and after.

Nothing here ends a verification: what could not be learnt is a note.
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
from dcmcfg.verify.evidence import Evidence, Stored
from dcmcfg.verify.external_log import LogMark, Told, is_orthancs, note_where_it_ends, records_since
from dcmcfg.verify.log_query import Sought
from dcmcfg.verify.orthanc_log import resource_ids

Notes = tuple[str, ...]


def instances_after(
    opened: OpenAssociation, study_uid: str, before: tuple[Instance, ...], patient: Patient | None = None
) -> tuple[tuple[Instance, ...] | None, Notes]:
    """Return what the archive lists now of the study of which it listed *before*; None where it does not answer.

    Instance Availability of a study is the worst of its instances (PS3.4 §C.3.5), so ONLINE at STUDY level, and as
    many instances as before, tell of each of them; only otherwise are they asked for one by one. With *patient* they
    are asked for by Patient Root.
    """
    try:
        found = find_studies(opened, {"StudyInstanceUID": study_uid}, most=1) if patient is None else ()
        if found and found[0].availability == "ONLINE" and found[0].instances == len(before):
            return tuple(replace(each, availability="ONLINE") for each in before), ()
        asked_for = {each.sop_instance_uid for each in before}
        listed = find_instances(opened, study_uid, patient)
        return tuple(each for each in listed if not before or each.sop_instance_uid in asked_for), ()
    except DicomError as error:
        return None, (f"what the archive lists after the move is not known: {error.what}",)


def stored_before(database: Database, study_uid: str) -> tuple[Stored, Notes]:
    """Return what the archive's database has of the study before the move, by one search for its instances."""
    try:
        return Stored(database.study(study_uid)), ()
    except ArchiveError as error:
        where = f"{error.on}: " if error.on else ""
        return Stored(), (f"where the files were before the move is not known ({where}{error.what})",)


def stored_after(database: Database, study_uid: str, before: Stored) -> tuple[Stored, Notes]:
    """Return *before* with what the database has now; it is not asked again where it gave no answer before."""
    if before.before is None:
        return before, ()
    try:
        return replace(before, after=database.study(study_uid)), ()
    except ArchiveError as error:
        return before, (f"where the files are after the move is not known ({error.on}: {error.what})",)


def _ignore(_: str) -> None:
    """Take no notice."""


@dataclass(frozen=True)
class Heard:
    """What was told, or noticed, before the C-MOVE was sent."""

    stored: Stored
    warnings: tuple[str, ...]
    log: LogMark | None


@dataclass(frozen=True)
class Witnesses:
    """The witnesses; with ``asks_again`` the archive is asked by C-FIND once more after the move.

    ``warnings`` say which of them could not be asked, and why.
    """

    external_log: Path | None = None
    database: Database | None = None
    asks_again: bool = False
    warnings: tuple[str, ...] = ()

    def before(self, study_uid: str, on_step: Callable[[str], None] = _ignore) -> Heard:
        """Hear those that have something to say before the move."""
        stored, warnings = Stored(), self.warnings
        if self.database is not None:
            on_step(f"asking the archive's database where the files are ({self.database.url})")
            stored, more = stored_before(self.database, study_uid)
            warnings += more
        return Heard(stored, warnings, note_where_it_ends(self.external_log) if self.external_log else None)

    def after(self, evidence: Evidence, heard: Heard, opened: OpenAssociation) -> Evidence:
        """Return *evidence* with what they say now; *opened* is asked only where it had an answer to the move."""
        study_uid = evidence.question.study_uid
        stored, after, warnings = heard.stored, evidence.after, heard.warnings
        if self.asks_again and evidence.outcome.status is not None:
            after, more = instances_after(opened, study_uid, evidence.expected, evidence.question.patient)
            warnings += more
        if self.database is not None:
            stored, more = stored_after(self.database, study_uid, stored)
            warnings += more
        told = self._records(evidence, heard, opened)
        warnings += (told.why,) if told.why else ()
        return replace(
            evidence,
            after=after,
            stored=stored,
            records=told.records,
            legs=told.legs,
            log_is_archives=told.by_archive,
            log_is_silent=told.is_silent,
            warnings=(*evidence.warnings, *warnings),
        )

    def _records(self, evidence: Evidence, heard: Heard, opened: OpenAssociation) -> Told:
        if heard.log is None:
            return Told(None)
        uids = frozenset(each.sop_instance_uid for each in evidence.expected)
        question, own = evidence.question, evidence.route.archive_titles
        sought = Sought(
            question.study_uid,
            uids,
            calling=question.calling,
            archive_titles=own,
            external_titles=_external_titles(evidence),
        )
        if is_orthancs(heard.log) and (patient_id := _patient_id(evidence, opened)):
            sought = replace(sought, resources=resource_ids(patient_id, evidence.expected))
        return records_since(heard.log, sought)


NOBODY_ELSE = Witnesses()


def _external_titles(evidence: Evidence) -> frozenset[str]:
    """Return the titles of the external archives that the archive may ask for the study."""
    listed = {title for each in evidence.expected for title in each.retrieve_ae_titles}
    asked = {title for title, _ in evidence.route.asks}
    return frozenset((listed | asked) - evidence.route.archive_titles)


def _patient_id(evidence: Evidence, opened: OpenAssociation) -> str:
    """Return the ID of the study's patient; empty where it is not known."""
    if evidence.outcome.status is None:
        return ""
    try:
        found = find_studies(opened, {"StudyInstanceUID": evidence.question.study_uid}, most=1)
    except DicomError:
        return ""
    return found[0].patient_id if found else ""
