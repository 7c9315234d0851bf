"""What a study holds, by C-FIND down to the IMAGE level (PS3.4 §C.4.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dcmcfg.dicom.associate import OpenAssociation
from dcmcfg.dicom.elements import text, texts
from dcmcfg.dicom.find import Taken, find
from dcmcfg.dicom.identifiers import Identifier, identifier
from dcmcfg.dicom.retrieval import Model, Patient
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

    def refined(self, answer: Identifier) -> _Whereabouts:
        return _Whereabouts(
            text(answer, "InstanceAvailability") or self.availability,
            texts(answer, "RetrieveAETitle") or self.retrieve_ae_titles,
        )


def find_instances(opened: OpenAssociation, study_uid: str, patient: Patient | None = None) -> tuple[Instance, ...]:
    """Ask what the study holds, by Study Root, or as that of *patient* by Patient Root; empty when nobody knows it.

    Asks level by level, or for all instances at once where the peer agreed to relational queries (PS3.4 C.5.1.1) and
    its answers name their series. Each instance is listed once; answers about other studies are left out. The limits on
    answers apply to all these C-FINDs together. Raises :class:`DicomError` when one fails, or when an answer lacks its
    UID, because then nobody knows what to expect; :class:`MalformedInput` for a *study_uid* that is not one UID.
    """
    query = _Query(opened, parse_uid(study_uid), patient)
    found = {instance.sop_instance_uid: instance for instance in query.instances()}
    return tuple(found.values())


@dataclass(frozen=True)
class _Query:
    opened: OpenAssociation
    study_uid: str
    patient: Patient | None
    taken: Taken = field(default_factory=Taken)

    def instances(self) -> Iterator[Instance]:
        for study in self._answers("STUDY", {}):
            of_study = _Whereabouts().refined(study)
            if self._is_relational and (at_once := self._at_once(of_study)):
                yield from at_once
                return
            listed = ((self._uid(series, "SeriesInstanceUID"), series) for series in self._answers("SERIES", {}))
            for series_uid, series in dict(listed).items():  # one that is listed twice is asked for once
                of_series = of_study.refined(series)
                for image in self._answers("IMAGE", {"SeriesInstanceUID": series_uid}):
                    yield self._instance(image, series_uid, of_series.refined(image))
            return  # a study is one answer; a peer that lists it twice means the same

    @property
    def _model(self) -> Model:
        return Model.PATIENT if self.patient else Model.STUDY

    @property
    def _is_relational(self) -> bool:
        return self._model.find in self.opened.association.acceptance.relational

    def _at_once(self, of_study: _Whereabouts) -> tuple[Instance, ...]:
        """Return all instances by one query; none where an answer does not say of which series it is."""
        answers = self._answers("IMAGE", {}, "SeriesInstanceUID")
        named = [(image, text(image, "SeriesInstanceUID")) for image in answers]
        if not all(series_uid for _, series_uid in named):
            return ()
        return tuple(self._instance(image, series_uid, of_study.refined(image)) for image, series_uid in named)

    def _instance(self, image: Identifier, series_uid: str, whereabouts: _Whereabouts) -> Instance:
        return Instance(
            self.study_uid,
            series_uid,
            text(image, "SOPClassUID"),
            self._uid(image, "SOPInstanceUID"),
            whereabouts.availability,
            whereabouts.retrieve_ae_titles,
        )

    def _answers(self, level: str, above: dict[str, str], *more: str) -> list[Identifier]:
        """Return the answers at *level* that fit the keys, with *more* elements; some peers send others too."""
        keys = {"StudyInstanceUID": self.study_uid, **above}
        returned = (*_WANTED[level], *more, "InstanceAvailability", "RetrieveAETitle")
        of_patient = self.patient.keys if self.patient else {}
        asked = identifier({"QueryRetrieveLevel": level, **dict.fromkeys(returned, ""), **keys, **of_patient})
        return [
            answer
            for answer in find(self.opened, asked, self._model, taken=self.taken)
            if all(text(answer, keyword) in ("", uid) for keyword, uid in keys.items())
        ]

    def _uid(self, answer: Identifier, keyword: str) -> str:
        uid = text(answer, keyword)
        if not uid:
            raise DicomError(
                f"an answer to C-FIND lacks its {keyword} (study {self.study_uid})",
                on=str(self.opened.peer),
                next_step="without that nothing can be compared: its own log says what it sent",
            )
        return uid


_WANTED = {
    "STUDY": (),
    "SERIES": ("SeriesInstanceUID",),
    "IMAGE": ("SOPInstanceUID", "SOPClassUID"),
}
