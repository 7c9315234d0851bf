"""Which part of a study is asked for, and by which C-MOVE requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from dcmcfg.dicom.query import Instance
from dcmcfg.dicom.retrieval import Level, Patient, Retrieval
from dcmcfg.errors import NotFound

#: UIDs in one request: an element of VR UI holds 65,534 octets at most in Explicit VR (PS3.5 §7.1.2).
MOST_UIDS = 1000


@dataclass(frozen=True)
class Selection:
    """The level of the requests, and the series and instances that are meant; none means all of the study."""

    level: Level = Level.STUDY
    series_uids: tuple[str, ...] = ()
    instance_uids: tuple[str, ...] = ()

    @property
    def is_whole_study(self) -> bool:
        """Whether everything in the study is meant, at whatever level."""
        return not self.series_uids and not self.instance_uids

    def of(self, instances: Iterable[Instance]) -> tuple[Instance, ...]:
        """Return those of *instances* that are meant."""
        return tuple(
            each
            for each in instances
            if (not self.series_uids or each.series_uid in self.series_uids)
            and (not self.instance_uids or each.sop_instance_uid in self.instance_uids)
        )

    def retrievals(
        self, study_uid: str, listed: Sequence[Instance], patient: Patient | None = None
    ) -> tuple[Retrieval, ...]:
        """Return the requests: one for the study, one for its series, or one for the instances of each series.

        *listed* is what the study holds. Raises :class:`NotFound` where it has nothing of what is meant, or lacks some
        of it, and below STUDY level where nobody knows what it has.
        """
        if self.level is Level.STUDY:
            return (Retrieval(study_uid, patient=patient),)
        self._require(study_uid, listed)
        return tuple(
            Retrieval(study_uid, self.level, series, instances, patient)
            for series, instances in self._keys(self.of(listed))
        )

    def _keys(self, meant: Sequence[Instance]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
        series = tuple(dict.fromkeys(each.series_uid for each in meant))
        if self.level is Level.SERIES:
            yield from ((part, ()) for part in _parts(series))
            return
        for uid in series:
            uids = tuple(each.sop_instance_uid for each in meant if each.series_uid == uid)
            yield from (((uid,), part) for part in _parts(uids))

    def _require(self, study_uid: str, listed: Sequence[Instance]) -> None:
        if not listed:
            raise NotFound(
                f"the archive lists nothing of the study {study_uid}, so there is no series or instance to ask for",
                next_step="verify at STUDY level shows what it answers then",
            )
        meant = self.of(listed)
        missing = [
            *(f"series {uid}" for uid in self.series_uids if uid not in {each.series_uid for each in meant}),
            *(f"instance {uid}" for uid in self.instance_uids if uid not in {i.sop_instance_uid for i in meant}),
        ]
        if missing:
            raise NotFound(
                f"the archive lists no {missing[0]} in the study {study_uid}",
                next_step="name one that it lists; verify --json of the study names its instances",
            )


#: What is asked for where nobody says otherwise.
WHOLE_STUDY = Selection()


def one_by_one(retrieval: Retrieval) -> tuple[Retrieval, ...]:
    """Return requests for the same with one UID each; *retrieval* alone where it has no list."""
    match retrieval.level:
        case Level.STUDY:
            return (retrieval,)
        case Level.SERIES:
            return tuple(replace(retrieval, series_uids=(uid,)) for uid in retrieval.series_uids)
        case Level.IMAGE:
            return tuple(replace(retrieval, instance_uids=(uid,)) for uid in retrieval.instance_uids)


def _parts(uids: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(uids), MOST_UIDS):
        yield uids[start : start + MOST_UIDS]
