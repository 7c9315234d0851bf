"""Which AE the archive had to call for a study, as far as that is known.

Who refused a move destination: the archive itself, before it looks for the study, or whom it asked for that.
"""

from __future__ import annotations

from collections.abc import Iterable

from dcmcfg.verify.evidence import Evidence, MoveRecord
from dcmcfg.verify.external_request import asked_alternative, asked_fallback, sends_straight
from dcmcfg.verify.file_evidence import Files, database_tells_after, external_archives, files_before, recalled

#: Refused: sub-operations could not be performed (PS3.4 C.4.2.1.5).
NOT_PERFORMED = 0xA702


def called(evidence: Evidence) -> str:
    """Return the title of the one AE that the archive had to call first; ``""`` where several come into question.

    That is the destination for what it had itself, and the external archive for what it had purged. Of connections that
    do not fit it is the AE whose connections do not fit by the tree; where it may be either, the only one that is
    called over TLS, since more is needed for that than the tree says.
    """
    first = _first_called(evidence)
    if not no_connection_fits(evidence):
        return first
    fits = evidence.route.fits
    unfit = _only(each.title for each in fits if not each.fits)
    over_tls = _only(each.title for each in fits if each.tls)
    return unfit or (over_tls if _is_either(evidence, first) else first)


def _is_either(evidence: Evidence, first: str) -> bool:
    """Tell whether a connection may lack to the destination as well: what comes back has to be sent on to it.

    An archive may look for both before it asks anybody.
    """
    return not first or (first != evidence.question.destination and evidence.route.destination is not None)


def no_connection_fits(evidence: Evidence) -> bool:
    """Tell whether the archive answered that it found no connection of its own that fits."""
    return "IncompatibleConnectionException" in evidence.outcome.comment


def _only(titles: Iterable[str]) -> str:
    several = set(titles)
    return several.pop() if len(several) == 1 else ""


def _first_called(evidence: Evidence) -> str:
    match files_before(evidence).finding:
        case Files.HERE:
            return evidence.question.destination
        case Files.AWAY if not (evidence.records or came_back(evidence) or either_side_failed(evidence)):
            return _only(_recorded_or_likely(evidence))
        case Files.PROBABLY_AWAY if not evidence.records and _is_about_another_archive(evidence):
            return _only(_recorded_or_likely(evidence))
        case _:
            return ""


def _is_about_another_archive(evidence: Evidence) -> bool:
    """Return whether the Error Comment cannot be about the destination.

    A destination that is not found is A801; one whose device cannot be loaded gets no response (``CommonCMoveSCP``).
    """
    comment = evidence.outcome.comment
    return "ConfigurationNotFoundException" in comment or "IllegalArgumentException" in comment


def at_its_place(evidence: Evidence, title: str) -> str:
    """Return *title* with the address at which the archive looks for it, where the tree has one."""
    place = dict(evidence.route.places).get(title)
    return f"{title} ({place})" if place else title


def came_back(evidence: Evidence) -> bool:
    """Return whether the archive is known to have got the study from the external archive, delivered or not."""
    return bool(recalled(evidence)) or any(
        record.completed and record.destination == evidence.route.destination for record in evidence.records or ()
    )


def either_side_failed(evidence: Evidence) -> bool:
    """Return whether A702 may be the destination's failure or the external archive's, and nothing tells which.

    The archive counts what it could not send on as failed, and also what the external archive could not send to it
    (``ForwardRetrieveTask``). Its database tells them apart: it has the files of what came back.
    """
    outcome, route = evidence.outcome, evidence.route
    refused = outcome.status == NOT_PERFORMED and bool(outcome.failed)
    unclear = bool(files_before(evidence).probably_away) and not database_tells_after(evidence)
    return refused and route.destination in route.archive_titles and unclear


def holders(evidence: Evidence) -> frozenset[str]:
    """Return the titles of the archives that may have been asked for the study.

    The fallback archive for a study that is not known, the AE of dcmAltCMoveSCP for files on a storage that is not
    configured, else the external archives by the database, else by C-FIND, else by the tree.
    """
    return _recorded_or_likely(evidence) - {""}


def _recorded_or_likely(evidence: Evidence) -> frozenset[str]:
    """Return the same; ``""`` stands for one that the database does not know."""
    if asked_fallback(evidence):
        return frozenset({evidence.route.fallback})
    if asked_alternative(evidence):
        return frozenset({evidence.route.alternative})
    recorded = frozenset(external_archives(evidence))
    listed = frozenset(title for instance in evidence.expected for title in instance.retrieve_ae_titles)
    likely = listed - evidence.route.archive_titles or frozenset(title for title, _ in evidence.route.asks)
    return recorded or likely


#: Move Destination unknown (PS3.4 C.4.2.1.5), and the archive's own for one that it does not accept.
DESTINATION_UNKNOWN, NOT_ALLOWED = 0xA801, 0xC801


def refused_by_the_archive(evidence: Evidence) -> bool:
    """Tell whether the archive refused the destination itself: nothing was asked of anybody, nothing sent."""
    if evidence.outcome.status == NOT_ALLOWED:
        return True
    if evidence.outcome.status != DESTINATION_UNKNOWN or refused_elsewhere(evidence) is not None:
        return False
    if not evidence.route.destination_known:
        return True
    return _asked_nobody(evidence) or (_in_own_words(evidence) and not sends_straight(evidence))


def refused_elsewhere(evidence: Evidence) -> MoveRecord | None:
    """Return the external archive's own record that it does not know its Move Destination, if there is one."""
    return next((record for record in evidence.records or () if record.status == DESTINATION_UNKNOWN), None)


def _asked_nobody(evidence: Evidence) -> bool:
    """Tell whether the external archive's record shows that it was not asked.

    Where several hold studies it may be another one's, and words that are not the archive's own were told to it.
    """
    own = _in_own_words(evidence) or not evidence.outcome.comment
    return evidence.records == () and own and len(holders(evidence)) <= 1


def _in_own_words(evidence: Evidence) -> bool:
    comment, title = evidence.outcome.comment, evidence.question.destination
    return comment == f"Unknown AE: {title}" or comment.startswith(f"AE: {title} not installed")
