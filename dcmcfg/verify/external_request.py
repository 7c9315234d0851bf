"""Which other archive the archive asked instead of the recorded one, and with which Move Destination."""

from __future__ import annotations

from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.file_evidence import Files, external_archives, files_before


def asked_fallback(evidence: Evidence) -> bool:
    """Return whether the archive did not know the study, and has a fallback archive to ask (dcmFallbackCMoveSCP)."""
    before = evidence.stored.before
    unknown = not evidence.expected if before is None else not before.known
    return unknown and bool(evidence.route.fallback)


def asked_alternative(evidence: Evidence) -> bool:
    """Return whether the archive asked the AE of dcmAltCMoveSCP, as far as is known.

    It is asked for files on a storage that is not configured. It may also be the one that is recorded.
    """
    alternative = evidence.route.alternative
    elsewhere = files_before(evidence).finding is Files.UNCONFIGURED
    return bool(alternative) and (elsewhere or external_archives(evidence) == (alternative,))


def move_destination(evidence: Evidence) -> str:
    """Return the Move Destination with which the archive asks another archive for the study, by the tree.

    The fallback archive has a setting of its own for that; for the AE of dcmAltCMoveSCP there is none
    (``CommonCMoveSCP``, ``RetrieveServiceImpl``).
    """
    route, requested = evidence.route, evidence.question.destination
    if asked_fallback(evidence):
        return route.fallback_destination or requested
    if asked_alternative(evidence):
        return requested
    return route.destination or requested


def sends_straight(evidence: Evidence) -> bool:
    """Return whether another archive had to send to the destination of the request itself, as far as is known."""
    if asked_fallback(evidence):
        return not evidence.route.fallback_destination
    if asked_alternative(evidence):
        return True
    return evidence.route.destination is None and bool(files_before(evidence).probably_away)
