"""Select a part of a study, and create the C-MOVE requests for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from dcmcfg.dicom.query import Instance
from dcmcfg.dicom.retrieval import Patient, QueryRetrieveLevel, Retrieval
from dcmcfg.errors import NotFound
from dcmcfg.printable import format_count

#: UIDs in one request: an element of VR UI holds 65,534 octets at most in Explicit VR (PS3.5 §7.1.2).
MAX_UIDS = 1000
_MAX_LISTED = 10


@dataclass(frozen=True)
class RetrieveSelection:
    """The level of the requests, and the selected series and instances; none selects the whole study."""

    level: QueryRetrieveLevel = QueryRetrieveLevel.STUDY
    series_uids: tuple[str, ...] = ()
    instance_uids: tuple[str, ...] = ()

    @property
    def is_whole_study(self) -> bool:
        """Whether the whole study is selected, at any level."""
        return not self.series_uids and not self.instance_uids

    def select(self, instances: Iterable[Instance]) -> tuple[Instance, ...]:
        """Return the selected ones of *instances*."""
        return tuple(
            each
            for each in instances
            if (not self.series_uids or each.series_uid in self.series_uids)
            and (not self.instance_uids or each.sop_instance_uid in self.instance_uids)
        )

    def create_retrievals(
        self, study_uid: str, study_instances: Sequence[Instance], patient: Patient | None = None
    ) -> tuple[Retrieval, ...]:
        """Return the requests: one for the study, one for its series, or one for the instances of each series.

        *study_instances* are the listed instances of the study. Raises :class:`NotFound` if a selected series or
        instance is not listed, and below STUDY level if the archive lists nothing.
        """
        if self.level is QueryRetrieveLevel.STUDY:
            return (Retrieval(study_uid, patient=patient),)
        # Below STUDY level, the requests name the listed UIDs, so an unlisted one cannot be requested.
        self._require_listed(study_uid, study_instances)
        return tuple(
            Retrieval(study_uid, self.level, series, instances, patient=patient)
            for series, instances in self._split_keys(self.select(study_instances))
        )

    def _split_keys(self, instances: Sequence[Instance]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
        series = tuple(dict.fromkeys(each.series_uid for each in instances))
        if self.level is QueryRetrieveLevel.SERIES:
            yield from ((part, ()) for part in _split_uids(series))
            return
        for uid in series:
            uids = tuple(each.sop_instance_uid for each in instances if each.series_uid == uid)
            yield from (((uid,), part) for part in _split_uids(uids))

    def _require_listed(self, study_uid: str, listed: Sequence[Instance]) -> None:
        if not listed:
            raise NotFound(
                (
                    f"the archive lists no instance of the study {study_uid}, so dcmcfg cannot select a series or an "
                    "instance"
                ),
                next_step="verify at STUDY level to see the archive's response",
            )
        series = Counter(each.series_uid for each in listed)
        for uid in (each for each in self.series_uids if each not in series):
            raise _create_not_found(
                f"series {uid} in the study {study_uid}",
                [f"{each} ({format_count(count, 'instance')})" for each, count in series.items()],
            )
        listed_uids = [each.sop_instance_uid for each in RetrieveSelection(series_uids=self.series_uids).select(listed)]
        location = "in the selected series" if self.series_uids else f"in the study {study_uid}"
        for uid in (each for each in self.instance_uids if each not in listed_uids):
            raise _create_not_found(f"instance {uid} {location}", listed_uids)
        for uid in (each for each in self.series_uids if each not in {each.series_uid for each in self.select(listed)}):
            raise NotFound(
                f"no selected instance is in the series {uid}",
                next_step="specify an instance of this series with --image, or remove the series from the command",
            )


#: The default selection.
WHOLE_STUDY = RetrieveSelection()


def split_retrieval(retrieval: Retrieval) -> tuple[Retrieval, ...]:
    """Return requests for the same with one UID each; only *retrieval* if it has no list."""
    match retrieval.level:
        case QueryRetrieveLevel.STUDY:
            return (retrieval,)
        case QueryRetrieveLevel.SERIES:
            return tuple(replace(retrieval, series_uids=(uid,)) for uid in retrieval.series_uids)
        case QueryRetrieveLevel.IMAGE:
            return tuple(replace(retrieval, instance_uids=(uid,)) for uid in retrieval.instance_uids)


def _create_not_found(missing_item: str, listed_items: Sequence[str]) -> NotFound:
    """Return the error that the archive lists no *missing_item*; its next step lists *listed_items*."""
    rest = f" and {len(listed_items) - _MAX_LISTED} more" if len(listed_items) > _MAX_LISTED else ""
    return NotFound(
        f"the archive lists no {missing_item}",
        next_step=f"specify a UID from the archive's list: {', '.join(listed_items[:_MAX_LISTED])}{rest}",
    )


def _split_uids(uids: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(uids), MAX_UIDS):
        yield uids[start : start + MAX_UIDS]
