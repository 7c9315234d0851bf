"""Find the AE that the archive had to call for a study, and the archive that refused a Move Destination."""

from __future__ import annotations

from collections.abc import Iterable

from dcmcfg.dicom.status import MOVE_DESTINATION_NOT_ALLOWED, MOVE_DESTINATION_UNKNOWN, UNABLE_TO_PERFORM_SUB_OPERATIONS
from dcmcfg.verify.evidence import Evidence, MoveRecord
from dcmcfg.verify.external_request import is_alternative_used, is_fallback_used, is_sent_directly
from dcmcfg.verify.local_files import (
    FileLocality,
    count_recalled,
    find_recorded_archives,
    has_complete_database_evidence,
    locate_files_before_move,
)


def find_called_ae(evidence: Evidence) -> str:
    """Return the title of the one AE that the archive had to call first; ``""`` if several are possible.

    This is the destination for local objects, and the external archive for purged ones. For incompatible connections it
    is the AE whose connections are incompatible in the tree. If it may be either, it is the only one called over TLS,
    because TLS requires more than the tree shows.
    """
    first_ae_title = _find_first_called_ae(evidence)
    if not has_no_compatible_connection(evidence):
        return first_ae_title
    matches = evidence.route.connection_matches
    incompatible_ae_title = _get_single_title(each.ae_title for each in matches if not each.is_compatible)
    tls_ae_title = _get_single_title(each.ae_title for each in matches if each.tls)
    return incompatible_ae_title or (tls_ae_title if _may_be_either_ae(evidence, first_ae_title) else first_ae_title)


def _may_be_either_ae(evidence: Evidence, first_ae_title: str) -> bool:
    """Return whether the connection to the destination may be missing as well, because the archive forwards to it.

    An archive may look up both connections before it calls another AE.
    """
    return not first_ae_title or (
        first_ae_title != evidence.request.destination_ae_title
        and evidence.route.external_retrieve_destination is not None
    )


def has_no_compatible_connection(evidence: Evidence) -> bool:
    """Return whether the archive answered that it found no compatible connection of its own."""
    return "IncompatibleConnectionException" in evidence.outcome.comment


def _get_single_title(titles: Iterable[str]) -> str:
    distinct = set(titles)
    return distinct.pop() if len(distinct) == 1 else ""


def _find_first_called_ae(evidence: Evidence) -> str:
    match locate_files_before_move(evidence).locality:
        case FileLocality.LOCAL:
            return evidence.request.destination_ae_title
        case FileLocality.NOT_LOCAL if not (
            evidence.move_records or is_returned_to_archive(evidence) or is_failed_side_unknown(evidence)
        ):
            return _get_single_title(_find_recorded_or_likely_archives(evidence))
        case FileLocality.PROBABLY_NOT_LOCAL if not evidence.move_records and _is_about_another_archive(evidence):
            return _get_single_title(_find_recorded_or_likely_archives(evidence))
        case _:
            return ""


def _is_about_another_archive(evidence: Evidence) -> bool:
    """Return whether the Error Comment cannot refer to the destination.

    An unknown destination is answered with A801; one whose device cannot be loaded gets no response
    (``CommonCMoveSCP``).
    """
    comment = evidence.outcome.comment
    return "ConfigurationNotFoundException" in comment or "IllegalArgumentException" in comment


def format_ae_address(evidence: Evidence, ae_title: str) -> str:
    """Return *ae_title* with the address at which the archive calls it, if the tree has one."""
    address = dict(evidence.route.ae_addresses).get(ae_title)
    return f"{ae_title} ({address})" if address else ae_title


def is_returned_to_archive(evidence: Evidence) -> bool:
    """Return whether the archive received objects of the study from the external archive, delivered or not."""
    return bool(count_recalled(evidence)) or any(
        record.completed and record.destination_ae_title == evidence.route.external_retrieve_destination
        for record in evidence.move_records or ()
    )


def is_failed_side_unknown(evidence: Evidence) -> bool:
    """Return whether A702 may be a failure of the destination or of the external archive, without further evidence.

    The archive counts instances as failed if it could not forward them, or if the external archive could not send them
    (``ForwardRetrieveTask``). Its database distinguishes the two: it has the files of objects that came back.
    """
    outcome, route = evidence.outcome, evidence.route
    is_not_performed = outcome.status == UNABLE_TO_PERFORM_SUB_OPERATIONS and bool(outcome.failed)
    is_location_unclear = bool(
        locate_files_before_move(evidence).probably_not_local_count
    ) and not has_complete_database_evidence(evidence)
    return is_not_performed and route.external_retrieve_destination in route.archive_ae_titles and is_location_unclear


def find_candidate_archives(evidence: Evidence) -> frozenset[str]:
    """Return the titles of the archives to which the archive may have sent a C-MOVE for the study.

    These are the fallback archive for an unknown study, and the AE of dcmAltCMoveSCP for files on a storage that is not
    configured. Otherwise they are the external archives according to the database, to C-FIND, or to the tree, in this
    order.
    """
    return _find_recorded_or_likely_archives(evidence) - {""}


def _find_recorded_or_likely_archives(evidence: Evidence) -> frozenset[str]:
    """Return the same; ``""`` stands for an archive that the database does not record."""
    if is_fallback_used(evidence):
        return frozenset({evidence.route.fallback_move_scp})
    if is_alternative_used(evidence):
        return frozenset({evidence.route.alternative_move_scp})
    recorded = frozenset(find_recorded_archives(evidence))
    listed = frozenset(title for instance in evidence.instances_before for title in instance.retrieve_ae_titles)
    likely = listed - evidence.route.archive_ae_titles or frozenset(
        title for title, _ in evidence.route.external_requests
    )
    return recorded or likely


def is_refused_by_archive(evidence: Evidence) -> bool:
    """Return whether the archive itself refused the destination before it opened another association."""
    # C801 is the archive's own status for a destination that it does not accept (dcmAcceptedMoveDestination).
    if evidence.outcome.status == MOVE_DESTINATION_NOT_ALLOWED:
        return True
    if evidence.outcome.status != MOVE_DESTINATION_UNKNOWN or find_external_refusal(evidence) is not None:
        return False
    if not evidence.route.move_destination_known:
        return True
    # An external dcm4chee archive that sends directly answers in the same words.
    return _is_without_external_request(evidence) or (_is_archive_wording(evidence) and not is_sent_directly(evidence))


def find_external_refusal(evidence: Evidence) -> MoveRecord | None:
    """Return the record of the external archive's refusal of its Move Destination, if there is one."""
    # Here A801 is the external archive's answer to the archive, about the Move Destination in the record.
    return next((record for record in evidence.move_records or () if record.status == MOVE_DESTINATION_UNKNOWN), None)


def _is_without_external_request(evidence: Evidence) -> bool:
    """Return whether the external archive's log shows that it received no request.

    If several archives hold studies, the log may belong to another one. A comment that is not the archive's own wording
    came from an external archive.
    """
    may_be_from_archive = _is_archive_wording(evidence) or not evidence.outcome.comment
    return evidence.move_records == () and may_be_from_archive and len(find_candidate_archives(evidence)) <= 1


def _is_archive_wording(evidence: Evidence) -> bool:
    comment, title = evidence.outcome.comment, evidence.request.destination_ae_title
    return comment == f"Unknown AE: {title}" or comment.startswith(f"AE: {title} not installed")
