"""What the files before the move and after it show about the route.

Whether the archive itself had the files of the instances before the move, and which it got by it.

Only the archive's database knows. Instance Availability (0008,0056) does not: the archive says ONLINE of purged
instances unless dcmExternalRetrieveInstanceAvailability is set; with it, it goes on saying NEARLINE after a recall; and
NEARLINE is also what a nearline storage of its own is set to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from dcmcfg.archive.stored_studies import StoredInstance, StoredStudy
from dcmcfg.dicom.query import Instance
from dcmcfg.verify.evidence import NOT_ONLINE, Evidence
from dcmcfg.verify.route_reasons import Findings
from dcmcfg.verify.verdict import counted


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


#: What shows the route where Instance Availability is all that is known.
WITNESSES = "the archive's database (--archive-url) or the external archive's log (--external-log) can show it"


def weigh_files(evidence: Evidence, findings: Findings, files: FilesBefore, *, delivered: bool) -> None:
    """Weigh where the files were: an instance that is delivered without a file here came from elsewhere."""
    before = evidence.stored.before
    if before is not None and not before.known:
        _weigh_unknown_study(evidence, findings)
    elif before is not None and not files.by_database and evidence.expected:
        findings.neutral.append("the archive's database does not list every instance that the archive lists by C-FIND")
    if files.by_database:
        _weigh_database(evidence, findings, files, delivered=delivered)
    elif evidence.expected and not files.probably_away and evidence.records is None:
        findings.neutral.append(f"where the files were before the move is not known: {WITNESSES}")
    elif files.probably_away:
        findings.neutral.append(
            f"before the move, Instance Availability of {_out_of(files.probably_away, evidence)} was not ONLINE, which "
            f"does not prove that the archive had no file: {WITNESSES}"
        )
    if evidence.expected:
        line = f"Instance Availability before the move: {', '.join(_availabilities(evidence.expected))}"
        after = "" if evidence.after is None else f", after it: {', '.join(_availabilities(evidence.after)) or 'none'}"
        findings.neutral.append(line + after)


def _weigh_unknown_study(evidence: Evidence, findings: Findings) -> None:
    """Weigh a study that the database did not have before the move.

    Files that it has afterwards do not show the fallback archive: a modality may have sent them meanwhile.
    """
    listed = f", although it lists {counted(len(evidence.expected))} by C-FIND" if evidence.expected else ""
    findings.neutral.append(
        f"before the move, the archive's database had no such study for {evidence.question.archive.ae_title}{listed}"
    )
    came = new_to_the_archive(evidence)
    if not came:
        return
    fallback = evidence.route.fallback
    log = f"; the log of {fallback} (--external-log) can show who sent them" if fallback else ""
    findings.neutral.append(f"after the move, the database has files of {counted(came)}{log}")


def _weigh_database(evidence: Evidence, findings: Findings, files: FilesBefore, *, delivered: bool) -> None:
    before = evidence.stored.before
    storages = ", ".join(before.storage_ids) if before else ""
    match files.finding:
        case Files.HERE:
            findings.neutral.append(
                f"before the move, the archive's database had the files on {storages}: a local study proves nothing "
                "about external retrieve"
            )
        case Files.UNCONFIGURED:
            findings.neutral.append(
                f"before the move, the archive's database had the files on {storages}, a storage that the tree does "
                "not configure: such files prove nothing about external retrieve"
            )
        case _:
            words = f"before the move, the archive's database had no file of {_out_of(files.away, evidence)}"
            (findings.shown if delivered and files.away else findings.neutral).append(words)
            if files.away < len(evidence.expected):
                findings.neutral.append(f"the other files were on {storages}: they prove nothing about the route")
    _weigh_recalled(evidence, findings, files, delivered=delivered)
    findings.neutral += _oddities(evidence, files)
    findings.neutral += _external_archives(evidence, files)


def _weigh_recalled(evidence: Evidence, findings: Findings, files: FilesBefore, *, delivered: bool) -> None:
    """Weigh which instances got a file by the move, where that is known."""
    came = recalled(evidence)
    if came and files.away:
        words = f"after the move, the database has files of {counted(came)} more (recalled)"
        (findings.shown if delivered else findings.neutral).append(words)
    elif files.away and database_tells_after(evidence):
        findings.neutral.append("after the move, the database has no more files than before")


def _oddities(evidence: Evidence, files: FilesBefore) -> Iterator[str]:
    """Yield where the database and another piece of evidence do not agree."""
    not_online = [value for value in _availabilities(evidence.expected) if value in NOT_ONLINE]
    if files.finding is Files.HERE and not_online:
        yield (
            f"Instance Availability is {' or '.join(not_online)}, although the archive has the files: it keeps the "
            "value of the purge"
        )
    if files.finding is Files.HERE and any(record.completed for record in evidence.records or ()):
        yield "the external archive's record shows a completed C-MOVE, although the archive had the files"
    before = evidence.stored.before
    if before is not None and before.completeness:
        yield f"the archive counts the study as {before.completeness}, failed retrieves: {before.failed_retrieves}"


def _external_archives(evidence: Evidence, files: FilesBefore) -> Iterator[str]:
    """Yield the external archives recorded for instances without a file, and why one cannot be asked."""
    if not files.away:
        return
    titles = external_archives(evidence)
    if "" in titles:
        yield (
            "the archive's database has no external archive for it (a storage commitment records one): the archive "
            "answers A702"
        )
    named = [title for title in titles if title]
    if named:
        yield f"external archive according to the archive's database: {', '.join(named)}"
    if strangers := [title for title in named if evidence.route.titles and title not in evidence.route.titles]:
        yield f"the tree has no AE {', '.join(strangers)}: the archive cannot ask it, and answers A702"


def external_archives(evidence: Evidence) -> tuple[str, ...]:
    """Return the external AE titles that the database has for expected instances without a file; ``""`` for none."""
    return tuple(sorted({each.external for each in without_file(evidence)}))


def _availabilities(instances: Iterable[Instance]) -> list[str]:
    return sorted({instance.availability or "not given" for instance in instances})


def _out_of(number: int, evidence: Evidence) -> str:
    whole = len({instance.sop_instance_uid for instance in evidence.expected})
    return counted(number) if number == whole else f"{number} of {whole} instances"
