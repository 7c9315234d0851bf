"""Whether the files after the move, and the callers of the receiver, agree with the route that the tree configures."""

from __future__ import annotations

from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.files import database_tells_after, files_before, recalled
from dcmcfg.verify.findings import Findings
from dcmcfg.verify.stored_route import external_archives
from dcmcfg.verify.verdict import counted


def weigh_way(evidence: Evidence, findings: Findings) -> None:
    """Weigh which way the instances took that were delivered without a file here: back to the archive, or past it.

    With the route back, each of them must have a file here afterwards. With the route past the archive, none may; and
    only our own receiver sees them, because the archive relays the external archive's answer unchecked.
    """
    away = files_before(evidence).away
    if not away:
        return
    came, destination = recalled(evidence), evidence.question.destination
    if not database_tells_after(evidence):
        findings.doubted.append(
            "where the files are after the move is not known, so neither is the way that the instances took"
        )
        return
    match _comes_back(evidence):
        case True if came < away:
            findings.disproved.append(
                f"after the move, the archive has no file of {counted(away - came)} of these, although the tree has "
                f"them sent to {evidence.route.destination or 'the archive'}"
            )
        case False if came:
            findings.contradicted.append(
                f"after the move, {counted(came)} {'is' if came == 1 else 'are'} in the archive's own storage, "
                f"although the tree has the external archive send straight to {destination}"
            )
        case False if evidence.received is None:
            findings.doubted.append(
                f"the archive relays the external archive's answer, and nobody saw what arrived at {destination} "
                "(--receive does)"
            )
        case False if callers := _callers(evidence) & (evidence.route.archive_titles | evidence.route.sends_as):
            findings.doubted.append(
                f"{', '.join(sorted(callers))} called the receiver, although the tree has the external archive send "
                f"straight to {destination}"
            )
        case False if strangers := _callers(evidence) - set(external_archives(evidence)):
            findings.doubted.append(
                f"{', '.join(sorted(strangers))} called the receiver, which the archive's database does not record as "
                "the external archive"
            )
        case True if strangers := _callers(evidence) - evidence.route.archive_titles - evidence.route.sends_as:
            findings.doubted.append(
                f"{', '.join(sorted(strangers))} called the receiver, although the tree has the archive forward the "
                "instances"
            )
        case None if came < away and evidence.received is None:
            findings.doubted.append(
                "the tree has several ways for it, and nobody saw which of them the instances took (--receive does)"
            )


def _comes_back(evidence: Evidence) -> bool | None:
    """Return whether each way that the tree has for the study leads back to the archive, or none; None for some."""
    route, requested = evidence.route, evidence.question.destination
    if requested in route.archive_titles:
        return None
    listed = {title for instance in evidence.expected for title in instance.retrieve_ae_titles}
    holders = {title for title in external_archives(evidence) if title} or listed - route.archive_titles
    asked = {each for title in holders or {""} for each in route.destinations_of(title, requested)}
    back = asked & route.archive_titles
    return None if back and back != asked else bool(back)


def _callers(evidence: Evidence) -> frozenset[str]:
    """Return the AE titles that called the receiver, as they gave them."""
    return frozenset(each.calling_ae_title for each in evidence.received or () if each.calling_ae_title)
