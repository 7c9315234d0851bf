"""What a study holds, by C-FIND down to the IMAGE level (Study Root, PS3.4 §C.4.1)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from pydicom import Dataset
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at run time
    StudyRootQueryRetrieveInformationModelFind,
)

from dcmcfg.dicom.associate import OpenAssociation, associated
from dcmcfg.dicom.elements import comment, text, texts
from dcmcfg.dicom.peer import Peer, Timeouts
from dcmcfg.dicom.status import explain
from dcmcfg.dicom.uid import parse_uid
from dcmcfg.errors import DicomError


@dataclass(frozen=True)
class Instance:
    """A SOP instance as the archive lists it.

    ``availability`` is its Instance Availability (0008,0056), or that of its series or study, ``""`` where
    nothing is said; ``retrieve_ae_titles`` are those of (0008,0054), likewise.
    """

    study_uid: str
    series_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    availability: str = ""
    retrieve_ae_titles: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Whereabouts:
    """Availability and retrieve AE titles as said at one level, completed by the level above."""

    availability: str = ""
    retrieve_ae_titles: tuple[str, ...] = ()

    def refined(self, answer: Dataset) -> _Whereabouts:
        return _Whereabouts(
            text(answer, "InstanceAvailability") or self.availability,
            texts(answer, "RetrieveAETitle") or self.retrieve_ae_titles,
        )


def find_instances(peer: Peer, calling: str, study_uid: str, timeouts: Timeouts) -> tuple[Instance, ...]:
    """Ask *peer* as *calling* what the study holds; empty when it has never heard of it.

    Asks level by level (relational queries are optional in PS3.4), on one association. Each instance is
    listed once; answers about other studies are left out. Raises :class:`DicomError` when there is no
    association, when a query fails, or when an answer lacks its UID, because then nobody knows what to
    expect; :class:`MalformedInput` for a *study_uid* that is not one UID.
    """
    query = _Query(peer, parse_uid(study_uid))
    with associated(peer, calling, [StudyRootQueryRetrieveInformationModelFind], timeouts) as opened:
        found = {instance.sop_instance_uid: instance for instance in query.instances(opened)}
    return tuple(found.values())


@dataclass(frozen=True)
class _Query:
    peer: Peer
    study_uid: str

    def instances(self, opened: OpenAssociation) -> Iterator[Instance]:
        for study in self._answers(opened, "STUDY", {}):
            of_study = _Whereabouts().refined(study)
            for series in self._answers(opened, "SERIES", {}):
                series_uid = self._uid(series, "SeriesInstanceUID")
                of_series = of_study.refined(series)
                for image in self._answers(opened, "IMAGE", {"SeriesInstanceUID": series_uid}):
                    yield self._instance(image, series_uid, of_series.refined(image))
            return  # a study is one answer; a peer that lists it twice means the same

    def _instance(self, image: Dataset, series_uid: str, whereabouts: _Whereabouts) -> Instance:
        return Instance(
            self.study_uid,
            series_uid,
            text(image, "SOPClassUID"),
            self._uid(image, "SOPInstanceUID"),
            whereabouts.availability,
            whereabouts.retrieve_ae_titles,
        )

    def _answers(self, opened: OpenAssociation, level: str, above: dict[str, str]) -> list[Dataset]:
        """Return the answers at *level* that fit the keys; some peers send others too."""
        keys = {"StudyInstanceUID": self.study_uid, **above}
        return [
            answer
            for answer in _find(opened, _identifier(level, keys))
            if all(text(answer, keyword) in ("", uid) for keyword, uid in keys.items())
        ]

    def _uid(self, answer: Dataset, keyword: str) -> str:
        uid = text(answer, keyword)
        if not uid:
            raise DicomError(
                f"an answer to C-FIND lacks its {keyword} (study {self.study_uid})",
                on=str(self.peer),
                next_step="what the study holds cannot be told; its own log says more",
            )
        return uid


_WANTED = {
    "STUDY": (),
    "SERIES": ("SeriesInstanceUID",),
    "IMAGE": ("SOPInstanceUID", "SOPClassUID"),
}


def _identifier(level: str, keys: dict[str, str]) -> Dataset:
    identifier = Dataset()
    identifier.QueryRetrieveLevel = level
    for keyword in (*_WANTED[level], "InstanceAvailability", "RetrieveAETitle"):
        setattr(identifier, keyword, "")
    for keyword, uid in keys.items():
        setattr(identifier, keyword, uid)
    return identifier


def _find(opened: OpenAssociation, identifier: Dataset) -> Iterator[Dataset]:
    """Send one C-FIND; yield its matches. Raises :class:`DicomError` when it does not end in success."""
    level = identifier.QueryRetrieveLevel
    try:
        responses = opened.assoc.send_c_find(identifier, StudyRootQueryRetrieveInformationModelFind)
    except RuntimeError as error:  # the association ended since the last answer
        raise opened.failure(0) from error
    waiting_since = time.monotonic()
    for status, answer in responses:
        if "Status" not in status:
            raise opened.failure(time.monotonic() - waiting_since)
        meaning = explain("C-FIND", status.Status, comment(status))
        if meaning.category == "success":
            return
        if meaning.category != "pending":
            raise DicomError(
                f"C-FIND at {level} level: {meaning}", on=str(opened.peer), next_step=f"look at: {meaning.look_at}"
            )
        if answer is None:
            raise DicomError(
                f"an answer to C-FIND at {level} level cannot be read",
                on=str(opened.peer),
                next_step="what the study holds cannot be told; its own log says more",
            )
        yield answer
        waiting_since = time.monotonic()
