"""Find the AEs that may send instances because of a C-MOVE. Instances from others at the same time prove nothing."""

from __future__ import annotations

from collections.abc import Iterable

from dcmcfg.dicom.query import Instance
from dcmcfg.dicom.storage.receiver import ReceivedInstance
from dcmcfg.verify.evidence import ConfiguredRoute, VerificationRequest


def find_involved_ae_titles(
    request: VerificationRequest, route: ConfiguredRoute, instances: Iterable[Instance]
) -> frozenset[str]:
    """Return the AE titles that a C-STORE caused by the C-MOVE may have as caller or as Move Originator.

    These are the titles of dcmcfg, of the archive, and of all archives that it may ask.
    """
    external = {title for title, _ in route.external_requests} | {
        title for each in instances for title in each.retrieve_ae_titles
    }
    own = {
        request.calling_ae_title,
        request.archive.ae_title,
        route.fallback_move_scp,
        route.alternative_move_scp,
    } - {""}
    return frozenset(own | external | route.archive_ae_titles | route.calling_ae_titles | route.sending_ae_titles)


def is_unrelated(instance: ReceivedInstance, request: VerificationRequest, involved_ae_titles: frozenset[str]) -> bool:
    """Return whether *instance*, of the study in *request*, was sent because of another request.

    It has a Move Originator (PS3.7 Section 9.1.1.1), and neither that nor its caller is in *involved_ae_titles*. A
    C-STORE without a Move Originator may come from an archive that never sends one.
    """
    originator = instance.move_originator_ae_title
    return (
        instance.study_uid in (None, request.study_uid)
        and bool(originator)
        and not involved_ae_titles & {originator, instance.calling_ae_title}
    )
