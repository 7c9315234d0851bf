"""Whether the archive itself had the files before the move, as far as anybody told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from dcmcfg.verify.evidence import NOT_ONLINE, Evidence


class Files(Enum):
    """Where the files of the expected instances were before the move."""

    UNTOLD = "not told"
    HERE = "in the archive's own storage"
    IN_PART = "some in the archive's own storage"
    AWAY = "none in the archive's own storage"


@dataclass(frozen=True)
class FilesBefore:
    """``away`` is for how many of the expected instances it is known that they had to come from elsewhere.

    ``by_database`` tells that it is the archive's database that said so, and not Instance Availability, which is less:
    ONLINE is said of purged instances too, and NEARLINE of files on a storage that is nearline itself.
    """

    finding: Files
    away: int
    by_database: bool = False


def files_before(evidence: Evidence) -> FilesBefore:
    """Return where the files were: by the archive's database where that told, else by Instance Availability."""
    before, expected = evidence.stored.before, evidence.expected
    not_online = sum(instance.availability in NOT_ONLINE for instance in expected)
    if before is None or not before.known:
        return FilesBefore(Files.AWAY if expected and not_online == len(expected) else Files.UNTOLD, not_online)
    if not _usable(evidence, before.storage_ids):
        return FilesBefore(Files.AWAY, len(expected), by_database=True)
    if evidence.stored.objects is not None:
        return _by_objects(evidence)
    if not_online or before.number != len(expected):
        return FilesBefore(Files.UNTOLD, 0)
    return FilesBefore(Files.HERE, 0, by_database=True)


def recalled(evidence: Evidence) -> int:
    """Return how many instances are in the archive's own storage after the move that were not before; 0 if untold."""
    after = evidence.stored.after
    if after is not None and database_tells_after(evidence):
        return files_before(evidence).away if _usable(evidence, after.storage_ids) else 0
    now = {each.sop_instance_uid: each.availability for each in evidence.after or ()}
    away = (each for each in evidence.expected if each.availability in NOT_ONLINE)
    return sum(now.get(each.sop_instance_uid) == "ONLINE" for each in away)


def database_tells_after(evidence: Evidence) -> bool:
    """Tell whether the database's answer after the move tells what came: it names the storages of the whole study."""
    before = evidence.stored.before
    had_none = before is not None and before.known and not _usable(evidence, before.storage_ids)
    return had_none and evidence.stored.after is not None


def _by_objects(evidence: Evidence) -> FilesBefore:
    told = {each.sop_instance_uid: each for each in evidence.stored.objects or ()}
    away = sum(
        1
        for instance in evidence.expected
        if (stored := told.get(instance.sop_instance_uid)) and not _usable(evidence, stored.storage_ids)
    )
    if not evidence.expected or any(instance.sop_instance_uid not in told for instance in evidence.expected):
        return FilesBefore(Files.UNTOLD, away, by_database=True)
    finding = {0: Files.HERE, len(evidence.expected): Files.AWAY}.get(away, Files.IN_PART)
    return FilesBefore(finding, away, by_database=True)


def _usable(evidence: Evidence, storage_ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of *storage_ids* that are configured; files elsewhere are as good as none for the archive."""
    configured = evidence.route.storages
    return tuple(each for each in storage_ids if not configured or each in configured)
