"""Determine the route evidence from the files before and after the C-MOVE.

It shows whether the archive itself had the files of the instances before the C-MOVE, and which files it received by the
move.

Only the archive's database has this information. Instance Availability (0008,0056) is not reliable: the archive reports
ONLINE for purged instances unless dcmExternalRetrieveInstanceAvailability is set. With the setting, it still reports
NEARLINE after a recall. NEARLINE may also be the configured value of a nearline storage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from dcmcfg.archive.stored_studies import StoredInstance, StoredStudy
from dcmcfg.dicom.query import Instance
from dcmcfg.verify.evidence import NOT_ONLINE, Evidence
from dcmcfg.verify.verdict import format_instance_count


@dataclass(kw_only=True)
class RouteReasons:
    """Reasons for *shown*, against it (``weak_objections``, ``strong_objections``), for *contradicted*, and remarks.

    The external archive's own record outweighs ``weak_objections``. It does not outweigh ``strong_objections``, which
    the archive's database shows.
    """

    supporting: list[str] = field(default_factory=list)
    weak_objections: list[str] = field(default_factory=list)
    strong_objections: list[str] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


class FileLocality(Enum):
    """Where the files of the expected instances were before the C-MOVE."""

    UNKNOWN = "unknown"
    LOCAL = "local"
    PARTLY_LOCAL = "partly local"
    NOT_LOCAL = "not local"
    UNCONFIGURED_STORAGE = "unconfigured storage"
    PROBABLY_NOT_LOCAL = "probably not local"


@dataclass(frozen=True)
class FilesBeforeMove:
    """Where the files were before the C-MOVE.

    ``not_local_count`` is the number of expected instances without a file according to the database,
    ``unconfigured_count`` of those with a file on a storage that is not in the tree. ``probably_not_local_count`` is
    ``not_local_count``, or without the database the number of instances that are not ONLINE: good enough for advice,
    but not for a proof.
    """

    locality: FileLocality
    not_local_count: int = 0
    unconfigured_count: int = 0
    probably_not_local_count: int = 0

    @property
    def is_from_database(self) -> bool:
        """Whether the archive's database answered for every expected instance."""
        return self.locality not in (FileLocality.UNKNOWN, FileLocality.PROBABLY_NOT_LOCAL)


def locate_files_before_move(evidence: Evidence) -> FilesBeforeMove:
    """Return where the files were: according to the archive's database, otherwise to Instance Availability."""
    expected = evidence.instances_before
    stored = _match_stored_instances(evidence, evidence.database.before)
    if stored is None:
        not_online_count = sum(instance.availability in NOT_ONLINE for instance in expected)
        is_probably_not_local = bool(expected) and not_online_count == len(expected)
        return FilesBeforeMove(
            FileLocality.PROBABLY_NOT_LOCAL if is_probably_not_local else FileLocality.UNKNOWN,
            probably_not_local_count=not_online_count,
        )
    not_local_count = sum(not each.storage_ids for each in stored)
    unconfigured_count = sum(bool(each.storage_ids) and not has_readable_file(evidence, each) for each in stored)
    match (not_local_count, unconfigured_count):
        case (0, 0):
            location = FileLocality.LOCAL
        case (count, 0) if count == len(stored):
            location = FileLocality.NOT_LOCAL
        case (0, count) if count == len(stored):
            location = FileLocality.UNCONFIGURED_STORAGE
        case _:
            location = FileLocality.PARTLY_LOCAL
    return FilesBeforeMove(location, not_local_count, unconfigured_count, probably_not_local_count=not_local_count)


def count_recalled(evidence: Evidence) -> int:
    """Return how many expected instances without any file got a local one by the C-MOVE; 0 if unknown."""
    before, after = (
        _match_stored_instances(evidence, evidence.database.before),
        _match_stored_instances(evidence, evidence.database.after),
    )
    if before is None or after is None:
        return 0
    # A file on an unconfigured storage may have been moved to another storage, without a recall.
    uids_before = {each.sop_instance_uid for each in before if each.storage_ids}
    return sum(has_readable_file(evidence, each) and each.sop_instance_uid not in uids_before for each in after)


def has_complete_database_evidence(evidence: Evidence) -> bool:
    """Return whether the database has every expected instance before the C-MOVE and after it."""
    return all(
        _match_stored_instances(evidence, study) is not None
        for study in (evidence.database.before, evidence.database.after)
    )


def count_new_files(evidence: Evidence) -> int:
    """Return of how many instances the archive has files after the C-MOVE, for a study that it did not know before."""
    before, after = evidence.database.before, evidence.database.after
    if before is None or before.is_known or after is None:
        return 0
    return sum(has_readable_file(evidence, each) for each in after.instances or ())


def has_readable_file(evidence: Evidence, stored: StoredInstance) -> bool:
    """Return whether the archive can read a file of *stored*: one on a storage that the tree configures."""
    configured = evidence.route.storage_ids
    # If the tree has no storage at all, it is unknown which ones are configured.
    return any(not configured or each in configured for each in stored.storage_ids)


def find_without_file(evidence: Evidence) -> Iterator[StoredInstance]:
    """Yield the expected instances that had no file before the C-MOVE according to the database."""
    yield from (
        each for each in _match_stored_instances(evidence, evidence.database.before) or () if not each.storage_ids
    )


def _match_stored_instances(evidence: Evidence, study: StoredStudy | None) -> tuple[StoredInstance, ...] | None:
    """Return the expected instances in the database; None unless it has each of them."""
    if study is None or not study.is_known or study.instances is None or not evidence.instances_before:
        return None
    stored_instances = {each.sop_instance_uid: each for each in study.instances}
    uids = {instance.sop_instance_uid for instance in evidence.instances_before}
    # A part of the instances would prove nothing about the others.
    return tuple(stored_instances[uid] for uid in sorted(uids)) if uids <= stored_instances.keys() else None


def weigh_files(evidence: Evidence, findings: RouteReasons, files: FilesBeforeMove, *, delivered: bool) -> None:
    """Weigh the location of the files: an instance that is delivered without a local file came from elsewhere."""
    before = evidence.database.before
    if before is not None and not before.is_known:
        _weigh_unknown_study(evidence, findings)
    elif before is not None and not files.is_from_database and evidence.instances_before:
        findings.remarks.append("some instances that the archive lists by C-FIND are missing in the archive's database")
    if files.is_from_database:
        _weigh_database(evidence, findings, files, delivered=delivered)
    elif evidence.instances_before and not files.probably_not_local_count and evidence.move_records is None:
        findings.remarks.append(
            f"the location of the files before the C-MOVE is unknown ({_describe_sources(evidence)})"
        )
    elif files.probably_not_local_count:
        findings.remarks.append(
            f"before the C-MOVE, Instance Availability of {_format_share(files.probably_not_local_count, evidence)} "
            f"was not ONLINE. But possibly, the archive still had the files ({_describe_sources(evidence)})"
        )
    if evidence.instances_before:
        remark = (
            f"Instance Availability before the C-MOVE: {', '.join(_list_availabilities(evidence.instances_before))}"
        )
        after = (
            ""
            if evidence.instances_after is None
            else f", after the C-MOVE: {', '.join(_list_availabilities(evidence.instances_after)) or 'none'}"
        )
        findings.remarks.append(remark + after)


def _describe_sources(evidence: Evidence) -> str:
    """Return the evidence sources, not used so far, that show the route if only Instance Availability is known."""
    if evidence.move_records is not None:
        return "the archive's database can show the route: see --archive-url"
    return (
        "the archive's database or the external archive's log can show the route: see --archive-url and --external-log"
    )


def _weigh_unknown_study(evidence: Evidence, findings: RouteReasons) -> None:
    """Weigh a study that the database did not have before the C-MOVE.

    Files that it has afterwards do not prove a retrieve from the fallback archive, because a modality may have sent
    them.
    """
    listed = (
        f", although the archive lists {format_instance_count(len(evidence.instances_before))} by C-FIND"
        if evidence.instances_before
        else ""
    )
    findings.remarks.append(
        "before the C-MOVE, a search in the archive's database through the AE "
        f"{evidence.request.archive.ae_title} did not find the requested study{listed}"
    )
    new_count = count_new_files(evidence)
    if not new_count:
        return
    fallback = evidence.route.fallback_move_scp
    hint = f"; the log of {fallback} (--external-log) can show which AE sent these instances" if fallback else ""
    findings.remarks.append(
        f"after the C-MOVE, the database has local files for {format_instance_count(new_count)}{hint}"
    )


def _weigh_database(evidence: Evidence, findings: RouteReasons, files: FilesBeforeMove, *, delivered: bool) -> None:
    before = evidence.database.before
    storages = ", ".join(before.storage_ids) if before else ""
    match files.locality:
        case FileLocality.LOCAL:
            findings.remarks.append(
                f"before the C-MOVE, the files were on the storage {storages}, according to the archive's database. A "
                "local study proves nothing about external retrieve"
            )
        case FileLocality.UNCONFIGURED_STORAGE:
            findings.remarks.append(
                f"before the C-MOVE, the files were on the storage {storages}, according to the archive's "
                "database. This storage is not in the LDAP configuration. Such files prove nothing about external "
                "retrieve"
            )
        case _:
            reason = (
                "before the C-MOVE, the archive's database had no local file for "
                f"{_format_share(files.not_local_count, evidence)}"
            )
            # Only an instance that was delivered shows where it came from.
            (findings.supporting if delivered and files.not_local_count else findings.remarks).append(reason)
            if files.not_local_count < len(evidence.instances_before):
                findings.remarks.append(
                    f"the files of the other instances were on the storage {storages} of the archive. These instances "
                    "prove nothing about the route"
                )
    _weigh_recalled(evidence, findings, files, delivered=delivered)
    findings.remarks += _find_inconsistencies(evidence, files)
    findings.remarks += _describe_external_archives(evidence, files)


def _weigh_recalled(evidence: Evidence, findings: RouteReasons, files: FilesBeforeMove, *, delivered: bool) -> None:
    """Weigh which instances got a file by the C-MOVE, if that is known."""
    recalled_count = count_recalled(evidence)
    if recalled_count and files.not_local_count:
        reason = f"after the C-MOVE, the database also has files for {format_instance_count(recalled_count)} (recalled)"
        (findings.supporting if delivered else findings.remarks).append(reason)
    elif files.not_local_count and has_complete_database_evidence(evidence):
        findings.remarks.append("after the C-MOVE, the database has no new files")


def _find_inconsistencies(evidence: Evidence, files: FilesBeforeMove) -> Iterator[str]:
    """Yield contradictions between the database and other evidence."""
    not_online = [value for value in _list_availabilities(evidence.instances_before) if value in NOT_ONLINE]
    if files.locality is FileLocality.LOCAL and not_online:
        yield (
            f"Instance Availability is {' or '.join(not_online)} although the archive has the files: the archive "
            "set this value when it purged the study, and a recall does not change the value"
        )
    if files.locality is FileLocality.LOCAL and any(record.completed for record in evidence.move_records or ()):
        yield "the external archive's log shows a completed C-MOVE, although the archive had the files"
    before = evidence.database.before
    if before is not None and before.completeness:
        yield f"the archive marks the study as {before.completeness}; failed retrieves: {before.failed_retrieves}"


def _describe_external_archives(evidence: Evidence, files: FilesBeforeMove) -> Iterator[str]:
    """Yield the external archives recorded for instances without a file, and why one cannot be called."""
    if not files.not_local_count:
        return
    titles = find_recorded_archives(evidence)
    if "" in titles:
        yield (
            "the archive's database has no external archive for this study, so the archive answers A702. The archive "
            "records an external archive only after a storage commitment"
        )
    known_titles = [title for title in titles if title]
    if known_titles:
        yield f"external archive according to the archive's database: {', '.join(known_titles)}"
    if unknown_titles := [
        title for title in known_titles if evidence.route.ae_titles and title not in evidence.route.ae_titles
    ]:
        yield (
            f"the tree has no AE {', '.join(unknown_titles)}, so the archive cannot open an association and answers "
            "A702"
        )


def find_recorded_archives(evidence: Evidence) -> tuple[str, ...]:
    """Return the external AE titles in the database for expected instances without a file; ``""`` for none."""
    return tuple(sorted({each.external_ae_title for each in find_without_file(evidence)}))


def _list_availabilities(instances: Iterable[Instance]) -> list[str]:
    return sorted({instance.availability or "not given" for instance in instances})


def _format_share(count: int, evidence: Evidence) -> str:
    total = len({instance.sop_instance_uid for instance in evidence.instances_before})
    return format_instance_count(count) if count == total else f"{count} of {total} instances"
