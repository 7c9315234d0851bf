"""What it says about the route where the files were before the move, and where they are after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dcmcfg.dicom.query import Instance
from dcmcfg.verify.evidence import NOT_ONLINE, Evidence
from dcmcfg.verify.files import Files, FilesBefore
from dcmcfg.verify.findings import Findings
from dcmcfg.verify.verdict import counted

NO_EXTERNAL_ARCHIVE = "no external archive is recorded for"


def weigh_files(evidence: Evidence, findings: Findings, files: FilesBefore, *, delivered: bool) -> None:
    """Weigh where the files were: what is delivered without a file here came from elsewhere."""
    if evidence.stored.before is not None and not evidence.stored.before.known:
        listed = f", although it lists {counted(len(evidence.expected))} by C-FIND" if evidence.expected else ""
        findings.neutral.append(
            f"the archive's database has no such study for {evidence.question.archive.ae_title}{listed}"
        )
    if files.by_database:
        _weigh_database(evidence, findings, files, delivered=delivered)
    elif files.away and delivered:
        away = " or ".join(value for value in _availabilities(evidence.expected) if value in NOT_ONLINE)
        number = _out_of(files.away, evidence)
        findings.shown.append(f"before the move, {number} {'was' if files.away == 1 else 'were'} {away}")
        _weigh_availability_after(evidence, findings)
        return
    if evidence.expected:
        line = f"Instance Availability before the move: {', '.join(_availabilities(evidence.expected))}"
        after = "" if evidence.after is None else f", after it: {', '.join(_availabilities(evidence.after)) or 'none'}"
        findings.neutral.append(line + after)


def _weigh_database(evidence: Evidence, findings: Findings, files: FilesBefore, *, delivered: bool) -> None:
    before = evidence.stored.before
    storages = ", ".join(before.storage_ids) if before else ""
    if files.finding is Files.HERE:
        what = "that it delivers them" if delivered else "to have them sent"
        findings.neutral.append(
            f"before the move, the archive's database had the files on {storages}: {what} proves nothing about "
            "external retrieve"
        )
    elif files.away:
        words = f"before the move, the archive's database had no file of {_out_of(files.away, evidence)}"
        unusable = f" that it can read ({storages} is not configured)" if storages and _is_whole(files) else ""
        (findings.shown if delivered else findings.neutral).append(words + unusable)
        if files.finding is Files.IN_PART:
            findings.neutral.append(f"the others were still local, on {storages}: of them it proves nothing")
    _weigh_storages_after(evidence, findings, files)
    findings.neutral += _oddities(evidence, files)
    findings.neutral += _external_archives(evidence, files)


def _is_whole(files: FilesBefore) -> bool:
    return files.finding is Files.AWAY


def _weigh_storages_after(evidence: Evidence, findings: Findings, files: FilesBefore) -> None:
    before, after = evidence.stored.before, evidence.stored.after
    if before is None or after is None or not _is_whole(files):
        return
    if gained := [each for each in after.storage_ids if each not in before.storage_ids]:
        findings.shown.append(f"after the move, it has files on {', '.join(gained)}: the study was recalled")


def _weigh_availability_after(evidence: Evidence, findings: Findings) -> None:
    """Weigh what became of those that were not ONLINE: a recall leaves them so."""
    if evidence.after is None:
        return
    after = {each.sop_instance_uid: each.availability for each in evidence.after}
    now = [after.get(each.sop_instance_uid) for each in evidence.expected if each.availability in NOT_ONLINE]
    came, stayed = now.count("ONLINE"), sum(value in NOT_ONLINE for value in now)
    if came:
        findings.shown.append(f"after the move, {came} of them {_are(came)} ONLINE: recalled")
    if stayed:
        findings.neutral.append(f"after the move, {stayed} of them {_are(stayed)} as before")
    if gone := now.count(None):
        findings.neutral.append(f"after the move, the archive no longer lists {gone} of them")


def _oddities(evidence: Evidence, files: FilesBefore) -> Iterator[str]:
    """Yield where the database and another piece of evidence do not go together."""
    not_online = [value for value in _availabilities(evidence.expected) if value in NOT_ONLINE]
    if files.finding is Files.HERE and not_online:
        yield f"{' or '.join(not_online)} is said although the files are here: by the storage's own availability"
    if files.finding is Files.HERE and any(record.completed for record in evidence.records or ()):
        yield "the external archive's record tells of a C-MOVE that completed, although the files were here"
    before = evidence.stored.before
    if before is not None and before.completeness:
        yield f"the archive counts the study as {before.completeness}, failed retrieves: {before.failed_retrieves}"


def _external_archives(evidence: Evidence, files: FilesBefore) -> Iterator[str]:
    """Yield whom the archive asks for what it has no file of, and why that cannot work where it cannot."""
    if not files.away:
        return
    titles = external_archives(evidence)
    if "" in titles:
        yield (
            "no external archive is recorded for it in the archive's database (storage commitment records one): "
            "the archive looks for an AE called *, and answers A702"
        )
    named = [title for title in titles if title]
    if named:
        yield f"the archive's database names {', '.join(named)} as external archive"
    if strangers := [title for title in named if evidence.route.titles and title not in evidence.route.titles]:
        yield f"the tree has no AE {', '.join(strangers)}: the archive cannot ask it, and answers A702"


def external_archives(evidence: Evidence) -> tuple[str, ...]:
    """Return the external AE titles that the database has for what it has no file of; ``""`` stands for none."""
    stored, expected = evidence.stored, {each.sop_instance_uid for each in evidence.expected}
    if stored.before is None or not stored.before.known:
        return ()
    if stored.before.external:
        return (stored.before.external,)
    if stored.objects is None:
        return ()
    away = (each for each in stored.objects if each.sop_instance_uid in expected and not each.storage_ids)
    return tuple(sorted({each.external for each in away}))


def _availabilities(instances: Iterable[Instance]) -> list[str]:
    return sorted({instance.availability or "not given" for instance in instances})


def _out_of(number: int, evidence: Evidence) -> str:
    whole: Sequence[Instance] = evidence.expected
    return counted(number) if number == len(whole) else f"{number} of {len(whole)} instances"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
