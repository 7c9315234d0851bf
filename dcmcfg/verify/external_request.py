"""Find the archive that received the C-MOVE instead of the recorded one, and its Move Destination."""

from __future__ import annotations

from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.local_files import FileLocality, find_recorded_archives, locate_files_before_move


def is_fallback_used(evidence: Evidence) -> bool:
    """Return whether the archive did not know the study, and has a fallback archive (dcmFallbackCMoveSCP)."""
    before = evidence.database.before
    is_unknown = not evidence.instances_before if before is None else not before.is_known
    return is_unknown and bool(evidence.route.fallback_move_scp)


def is_alternative_used(evidence: Evidence) -> bool:
    """Return whether the archive sent its C-MOVE to the AE of dcmAltCMoveSCP, as far as is known.

    The archive asks it for files on a storage that is not configured. It may also be the recorded external archive.
    """
    alternative = evidence.route.alternative_move_scp
    is_on_unconfigured_storage = locate_files_before_move(evidence).locality is FileLocality.UNCONFIGURED_STORAGE
    return bool(alternative) and (is_on_unconfigured_storage or find_recorded_archives(evidence) == (alternative,))


def get_external_move_destination(evidence: Evidence) -> str:
    """Return the Move Destination of the archive's C-MOVE to another archive, according to the tree.

    The fallback archive has its own setting for it; the AE of dcmAltCMoveSCP has none (``CommonCMoveSCP``,
    ``RetrieveServiceImpl``).
    """
    route, requested = evidence.route, evidence.request.destination_ae_title
    if is_fallback_used(evidence):
        return route.fallback_destination or requested
    if is_alternative_used(evidence):
        return requested
    return route.external_retrieve_destination or requested


def is_sent_directly(evidence: Evidence) -> bool:
    """Return whether another archive had to send straight to the requested destination, as far as is known."""
    if is_fallback_used(evidence):
        return not evidence.route.fallback_destination
    if is_alternative_used(evidence):
        return True
    return evidence.route.external_retrieve_destination is None and bool(
        locate_files_before_move(evidence).probably_not_local_count
    )
