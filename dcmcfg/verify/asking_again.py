"""What the archive lists of the study after the C-MOVE, and what its database has of it before and after.

Nothing here ends a verification: what could not be learnt is a note.
"""

from __future__ import annotations

from dataclasses import replace

from dcmcfg.archive.database import Database
from dcmcfg.dicom.associate import OpenAssociation
from dcmcfg.dicom.query import Instance, find_instances, find_studies
from dcmcfg.dicom.retrieval import Patient
from dcmcfg.errors import ArchiveError, DicomError
from dcmcfg.verify.evidence import Stored

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
