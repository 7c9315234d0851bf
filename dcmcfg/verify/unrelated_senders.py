"""Who may send instances because of a C-MOVE. What others send at the same time proves nothing of it."""

from __future__ import annotations

from collections.abc import Iterable

from dcmcfg.dicom.query import Instance
from dcmcfg.dicom.storage.receiver import ReceivedInstance
from dcmcfg.verify.evidence import ConfiguredRoute, Question


def titles_involved(question: Question, route: ConfiguredRoute, listed: Iterable[Instance]) -> frozenset[str]:
    """Return the AE titles that a C-STORE caused by our C-MOVE may have as caller or as Move Originator.

    These are our own, those of the archive, and those of all archives that it may ask.
    """
    asked = {title for title, _ in route.asks} | {title for each in listed for title in each.retrieve_ae_titles}
    one_each = {question.calling, question.archive.ae_title, route.fallback, route.alternative} - {""}
    return frozenset(one_each | asked | route.archive_titles | route.asks_as | route.sends_as)


def is_uninvited(instance: ReceivedInstance, question: Question, involved: frozenset[str]) -> bool:
    """Return whether *instance*, of the study in *question*, was sent because of somebody else's request.

    It names a Move Originator (PS3.7 Section 9.1.1.1), and neither that nor its caller is among those *involved*. A
    C-STORE that names none may be of an archive that does not name them.
    """
    originator = instance.move_originator_ae_title
    return (
        instance.study_uid in (None, question.study_uid)
        and bool(originator)
        and not involved & {originator, instance.calling_ae_title}
    )
