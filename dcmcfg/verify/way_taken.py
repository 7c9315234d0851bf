"""Whether what became of the files, and who called, goes with the way that the tree configures."""

from __future__ import annotations

from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.files import database_tells_after, files_before, recalled
from dcmcfg.verify.findings import Findings
from dcmcfg.verify.stored_route import external_archives
from dcmcfg.verify.verdict import counted


def weigh_way(evidence: Evidence, findings: Findings) -> None:
    """Weigh, of what was delivered without a file here, where it came by: back to the archive, or past it.

    Files that are here afterwards came back, which excludes a way past the archive. None here although the tree has
    them come back, or a call by the archive itself although it has them go past, leaves the way open: Instance
    Availability may be that of a storage of the archive's own, and anybody may use any title.
    """
    if not files_before(evidence).away:
        return
    match _comes_back(evidence):
        case True if _told_after(evidence) and not recalled(evidence):
            findings.doubted.append(
                "after the move, none of them is in the archive's own storage, although the tree has them come back to "
                f"{evidence.route.destination or 'the archive'}"
            )
        case False if came := recalled(evidence):
            findings.contradicted.append(
                f"after the move, {counted(came)} {'is' if came == 1 else 'are'} in the archive's own storage, "
                f"although the tree has the external archive send straight to {evidence.question.destination}"
            )
        case False if callers := _only_the_archive(evidence):
            findings.doubted.append(
                f"{', '.join(sorted(callers))} called the receiver, although the tree has the external archive send "
                f"straight to {evidence.question.destination}"
            )


def _comes_back(evidence: Evidence) -> bool | None:
    """Tell whether each way that the tree has for the study leads back to the archive, or none; None for some."""
    route, requested = evidence.route, evidence.question.destination
    if requested in route.archive_titles:
        return None
    listed = {title for instance in evidence.expected for title in instance.retrieve_ae_titles}
    holders = {title for title in external_archives(evidence) if title} or listed - route.archive_titles
    asked = {each for title in holders or {""} for each in route.destinations_of(title, requested)}
    back = asked & route.archive_titles
    return None if back and back != asked else bool(back)


def _told_after(evidence: Evidence) -> bool:
    return database_tells_after(evidence) or any(each.availability for each in evidence.after or ())


def _only_the_archive(evidence: Evidence) -> frozenset[str]:
    """Return who called the receiver, where that was nobody but AEs of the archive."""
    callers = frozenset(each.calling_ae_title for each in evidence.received or () if each.calling_ae_title)
    return callers if callers <= evidence.route.archive_titles else frozenset()
