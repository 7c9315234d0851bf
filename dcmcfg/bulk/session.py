"""A run from the list of studies to the report, on a store.

What of the tree decides how a C-MOVE goes, as one checksum.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum

from dcmcfg.bulk.attempt import Asking
from dcmcfg.bulk.events import Answered, Event
from dcmcfg.bulk.report import Report
from dcmcfg.bulk.requirements import NOTHING, Required
from dcmcfg.bulk.run import Ending, run
from dcmcfg.bulk.run_options import Manner
from dcmcfg.bulk.source import Matching, Source
from dcmcfg.bulk.study_result import Outcome, StudyResult
from dcmcfg.edits.temporary_destination import DESTINATIONS, PREFIX
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import DcmcfgError
from dcmcfg.model.devices import Configuration
from dcmcfg.model.export import export_record, exported
from dcmcfg.suggestions import first_of
from dcmcfg.timestamps import readable
from dcmcfg.verify.addresses import Addresses
from dcmcfg.verify.evidence import Question
from dcmcfg.verify.receiver_options import troubles
from dcmcfg.verify.verdict import counted

_UIDS_TOLD = 5
_REMARKS_TOLD = 5


class Anew(Enum):
    """Which answers of a store are asked for again."""

    NONE = "none"
    FAILED = "those that are no"
    ALL = "all"


@dataclass(frozen=True)
class Done:
    """How it ended; ``error`` is what ended it before all was done. ``tried`` says whether there was anything to do."""

    report: Report
    ending: Ending
    tried: bool
    notes: tuple[str, ...] = ()
    error: DcmcfgError | None = None


#: Given the number of studies, a context in which events are taken.
Watching = Callable[[int], AbstractContextManager[Callable[[Event], None]]]


@dataclass(frozen=True)
class Session:
    """What a run over many studies needs; a *source* by a query was asked, unless the store has what it matched."""

    asking: Asking
    source: Source
    manner: Manner
    watching: Watching
    anew: Anew = Anew.NONE
    required: Required = NOTHING

    def go(self) -> Done:
        """List the studies, ask for those that have no answer, and report on all.

        Raises :class:`DcmcfgError` for a list that is none and when the store does not work.
        """
        store = self.asking.store
        notes = [*self.asking.addresses.warnings, *self._list()]
        self._forget()
        uids = store.to_ask()
        notes += self._answered_before(uids)
        ending, error = Ending.DONE, None
        if uids:
            try:
                with self.watching(len(uids)) as on_event:
                    ending = run(uids, self.asking, self.manner, self._judged(on_event))
            except DcmcfgError as problem:
                error = problem
        else:
            notes.append("every study had its answer, nothing was asked: --again asks anew")
        results = self._results()
        now, tree = datetime.now(UTC), self.asking.tree
        report = Report.of(store.asked, store.path, results, now, asked_now=bool(uids), tree=tree)
        told = (*notes, *_of_another_tree(report), *_remarks(results), *self._left_over())
        return Done(report, ending, bool(uids), told, error)

    def _answered_before(self, uids: Sequence[str]) -> Iterator[str]:
        """Yield what is to be said of the answers that are kept, where *uids* have none."""
        kept = [each.last.ended for each in self.asking.store.results() if each.answer and each.last]
        first = min((each for each in kept if each is not None), default=None)
        if uids and first is not None:
            yield f"{len(kept):,} had their answer before, the oldest of {readable(first)}: --again asks all anew"

    def _forget(self) -> None:
        match self.anew:
            case Anew.ALL:
                self.asking.store.forget()
            case Anew.FAILED:
                answers = ((each.uid, each.answer) for each in self._results())
                self.asking.store.forget([uid for uid, answer in answers if answer and not answer.outcome.is_yes])
            case Anew.NONE:
                pass

    def _results(self) -> tuple[StudyResult, ...]:
        return tuple(map(self.required.told, self.asking.store.results()))

    def _judged(self, on_event: Callable[[Event], None]) -> Callable[[Event], None]:
        def hear(event: Event) -> None:
            told = replace(event, answer=self.required.judged(event.answer)) if isinstance(event, Answered) else event
            on_event(told)

        return hear

    def _list(self) -> Iterator[str]:
        """Enlist the studies in the store; yield what is to be said of the list."""
        store, source = self.asking.store, self.source
        if isinstance(source, Matching):
            listed_at = store.listed_at(source.name)
            if listed_at is not None and self.anew is not Anew.ALL:
                yield f"the studies are those that matched at {readable(listed_at)}: --again asks for others"
                return
            if source.leaves_out:
                yield f"more than {source.limit} studies match: the others are left out (--limit)"
        listed = source.read()
        if listed.repeated:
            yield f"{listed.repeated} of the list name a study again, and count once"
        store.enlist(listed.uids, source.name)

    def _left_over(self) -> Iterator[str]:
        """Yield what is to be said of what our receiver got, and nobody's attempt took."""
        receiver = self.asking.receiver
        if receiver is None:
            return
        yield from troubles(receiver)
        listed = {each.uid for each in self.asking.store.results()}
        left = [(self.asking.requests.study_of(each), each.study_uid) for each in receiver.received]
        late = [study for study, _ in left if study in listed]
        foreign = [inside for study, inside in left if study not in listed]
        if late:
            yield f"{counted(len(late))} came too late to count, of {_some(late)}"
        if foreign:
            yield f"{counted(len(foreign))} of no study in the list came, of {_some(foreign)}"


def _of_another_tree(report: Report) -> Iterator[str]:
    """Yield what is to be said of answers of another tree, but of those that are counted as outdated."""
    outcomes = [each.answer.outcome for each in report.of_another_tree if each.answer is not None]
    accepted = sum(outcome.is_yes for outcome in outcomes)
    failed = len(outcomes) - accepted - outcomes.count(Outcome.OUTDATED)
    if accepted:
        yield (
            f"{accepted:,} of {len(report.results):,} were answered before the tree was changed, and their yes counts "
            "because of --only-failed: --again asks all anew"
        )
    if failed:
        yield f"{failed:,} failed before the tree was changed: --only-failed asks for those anew"


def _remarks(results: Sequence[StudyResult]) -> Iterator[str]:
    """Yield what was odd about the evidence of studies, once for all of which it was."""
    remarks = Counter(each.answer.remark for each in results if each.answer is not None and each.answer.remark)
    for remark, number in remarks.most_common(_REMARKS_TOLD):
        yield f"of {number:,} of {len(results):,}: {remark}"


def _some(studies: Sequence[str | None]) -> str:
    return first_of(list(dict.fromkeys(each or "none at all" for each in studies)), _UIDS_TOLD)


def deciding_tree(configuration: Configuration, device: str, addresses: Addresses, question: Question) -> str:
    """Return the SHA-256 of the entries that decide, in hexadecimal; the same for equal ones, without their secrets.

    They are those of the archive's *device*, and of each device with an AE that asks, is sent to, or may be asked by
    the archive: of the rest of its tree a hospital changes something each day. What another run adds for a temporary
    destination of its own counts for nothing. Raises :class:`~dcmcfg.errors.NotFound` for the *device*.
    """
    asks = (title for pair in addresses.route.asks for title in pair)
    titles = {question.destination, question.calling, *asks}
    others = {ae.device.name for ae in configuration.network_aes() if ae.title in titles}
    archive = configuration.device(device).name
    digest = hashlib.sha256()
    for name in (archive, *sorted(others - {archive})):
        for entry in exported(configuration.tree, name):
            lasting = Entry(entry.dn, tuple(_lasting(entry)))
            digest.update(export_record(lasting, with_secrets=False).encode())
    return digest.hexdigest()


def _lasting(entry: Entry) -> Iterator[Attribute]:
    """Yield the attributes of *entry* without the titles of temporary destinations."""
    for attribute in entry.attributes:
        values = attribute.values
        if attribute.name.lower() == DESTINATIONS.lower():
            values = tuple(value for value in values if not value.startswith(PREFIX.encode()))
        yield Attribute(attribute.name, values)
