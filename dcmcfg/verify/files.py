"""Whether the archive itself had the files of the instances before the move, and which it got by it.

Only the archive's database knows. Instance Availability (0008,0056) does not: the archive says ONLINE of purged
instances unless dcmExternalRetrieveInstanceAvailability is set; with it, it goes on saying NEARLINE after a recall; and
NEARLINE is also what a nearline storage of its own is set to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from dcmcfg.archive.stored import StoredInstance, StoredStudy
from dcmcfg.verify.evidence import NOT_ONLINE, Evidence


class Files(Enum):
    """Where the files of the expected instances were before the move."""

    UNKNOWN = "not known"
    HERE = "in the archive's own storage"
    IN_PART = "some in the archive's own storage"
    AWAY = "none in the archive's own storage"
    UNCONFIGURED = "on a storage that is not configured"
    PROBABLY_AWAY = "not known: Instance Availability is not ONLINE, which does not prove a purge"


@dataclass(frozen=True)
class FilesBefore:
    """Where the files were before the move.

    ``away`` counts the expected instances without a file according to the database, ``unconfigured`` those with a file
    on a storage that the tree does not have. ``probably_away`` is ``away``, or without the database the number of
    instances that are not ONLINE: good enough for advice, and for no proof.
    """

    finding: Files
    away: int = 0
    unconfigured: int = 0
    probably_away: int = 0

    @property
    def by_database(self) -> bool:
        """Whether the archive's database answered for every expected instance."""
        return self.finding not in (Files.UNKNOWN, Files.PROBABLY_AWAY)


def files_before(evidence: Evidence) -> FilesBefore:
    """Return where the files were: according to the archive's database, else what Instance Availability suggests."""
    expected = evidence.expected
    stored = _stored(evidence, evidence.stored.before)
    if stored is None:
        suggested = sum(instance.availability in NOT_ONLINE for instance in expected)
        likely = bool(expected) and suggested == len(expected)
        return FilesBefore(Files.PROBABLY_AWAY if likely else Files.UNKNOWN, probably_away=suggested)
    away = sum(not each.storage_ids for each in stored)
    unconfigured = sum(bool(each.storage_ids) and not usable(evidence, each) for each in stored)
    match (away, unconfigured):
        case (0, 0):
            finding = Files.HERE
        case (count, 0) if count == len(stored):
            finding = Files.AWAY
        case (0, count) if count == len(stored):
            finding = Files.UNCONFIGURED
        case _:
            finding = Files.IN_PART
    return FilesBefore(finding, away, unconfigured, probably_away=away)


def recalled(evidence: Evidence) -> int:
    """Return how many expected instances without any file got one here by the move; 0 where that is not known."""
    before, after = _stored(evidence, evidence.stored.before), _stored(evidence, evidence.stored.after)
    if before is None or after is None:
        return 0
    had = {each.sop_instance_uid for each in before if each.storage_ids}
    return sum(usable(evidence, each) and each.sop_instance_uid not in had for each in after)


def database_tells_after(evidence: Evidence) -> bool:
    """Return whether the database answered for every expected instance before the move and after it."""
    return all(_stored(evidence, study) is not None for study in (evidence.stored.before, evidence.stored.after))


def new_to_the_archive(evidence: Evidence) -> int:
    """Return how many instances the archive has files of after the move, of a study that it did not know before."""
    before, after = evidence.stored.before, evidence.stored.after
    if before is None or before.known or after is None:
        return 0
    return sum(usable(evidence, each) for each in after.instances or ())


def usable(evidence: Evidence, stored: StoredInstance) -> bool:
    """Return whether the archive can read a file of *stored*: one on a storage that the tree configures."""
    configured = evidence.route.storages
    return any(not configured or each in configured for each in stored.storage_ids)


def without_file(evidence: Evidence) -> Iterator[StoredInstance]:
    """Yield the expected instances that had no file before the move according to the database."""
    yield from (each for each in _stored(evidence, evidence.stored.before) or () if not each.storage_ids)


def _stored(evidence: Evidence, study: StoredStudy | None) -> tuple[StoredInstance, ...] | None:
    """Return what the database has of the expected instances; None unless it has each of them."""
    if study is None or not study.known or study.instances is None or not evidence.expected:
        return None
    held = {each.sop_instance_uid: each for each in study.instances}
    uids = {instance.sop_instance_uid for instance in evidence.expected}
    return tuple(held[uid] for uid in sorted(uids)) if uids <= held.keys() else None
