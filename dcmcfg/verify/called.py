"""Which AE the archive had to call for a study, as far as that is known."""

from __future__ import annotations

from collections.abc import Iterable

from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.files import Files, database_tells_after, files_before, recalled
from dcmcfg.verify.passed_on import asked_alternative, asked_fallback
from dcmcfg.verify.stored_route import external_archives

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
