"""What a Query/Retrieve SCP finds among the instances it knows (PS3.4 C.4.1, C.6).

The C-FIND service of a lab archive (PS3.4 C.4.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pynetdicom import evt

from dcmcfg.dicom.query_keys import OF_ANY_SERIES
from dcmcfg.lab.identifier import LEVELS, UNIQUE_KEYS, IdentifierMismatch, Level, query_level, root_of
from dcmcfg.lab.listener import is_relational
from dcmcfg.lab.matching import matches

#: Instance Availability (PS3.3 C.4.23.1.1), best first.
AVAILABILITIES = ("ONLINE", "NEARLINE", "OFFLINE", "UNAVAILABLE")
_COMPUTED = ("RetrieveAETitle", "InstanceAvailability")
_NOT_KEYS = (*_COMPUTED, "QueryRetrieveLevel", "SpecificCharacterSet", "TimezoneOffsetFromUTC")
_ATTRIBUTES: dict[Level, str] = {
    "PATIENT": "PatientName PatientID PatientBirthDate PatientSex IssuerOfPatientID PatientComments",
    "STUDY": "StudyInstanceUID StudyDate StudyTime StudyID StudyDescription AccessionNumber "
    "ReferringPhysicianName ModalitiesInStudy NumberOfStudyRelatedSeries NumberOfStudyRelatedInstances",
    "SERIES": "SeriesInstanceUID SeriesNumber SeriesDescription SeriesDate SeriesTime Modality "
    "BodyPartExamined NumberOfSeriesRelatedInstances",
}
#: keyword → the level it belongs to; what is not listed belongs to the image.
_LEVEL_OF = {keyword: level for level, keywords in _ATTRIBUTES.items() for keyword in keywords.split()}


@dataclass(frozen=True)
class HeldInstance:
    """One instance as queries see it: its header without pixel data, and how it can be had."""

    header: Dataset
    availability: str = "ONLINE"
    retrieve_aets: tuple[str, ...] = ()

    def unique_key(self, level: Level) -> str:
        """Return the instance's value of the unique key of *level*; empty when it has none."""
        return str(self.header.get(UNIQUE_KEYS[level], ""))


AnyInstance = TypeVar("AnyInstance", bound=HeldInstance)


def selected(identifier: Dataset, held: Iterable[AnyInstance]) -> tuple[AnyInstance, ...]:
    """Return the instances that a C-MOVE identifier names by its unique keys."""
    keys = [identifier[keyword] for keyword in UNIQUE_KEYS.values() if keyword in identifier]
    return tuple(each for each in held if all(matches(key, each.header) for key in keys))


@dataclass(frozen=True)
class Entity(Generic[AnyInstance]):
    """A patient, study, series or image with the attributes of its level and above, and its instances."""

    attributes: Dataset
    instances: tuple[AnyInstance, ...]


def entities(identifier: Dataset, level: Level, held: Iterable[AnyInstance]) -> Iterator[Entity[AnyInstance]]:
    """Yield the entities of *level* that match *identifier*, with every attribute known of each.

    A key of a series matches a study of which one series matches. Retrieve AE Title, Instance Availability (the worst
    of the entity's instances) and the numbers of related series and instances are among the attributes.
    """
    known = tuple(held)
    keys = [key for key in identifier if key.keyword not in _NOT_KEYS and _within(key.keyword, level)]
    of_series = [key for key in identifier if level == "STUDY" and key.keyword in OF_ANY_SERIES]
    by_study, by_series = _grouped(known, "STUDY"), _grouped(known, "SERIES")
    for group in _grouped(known, level).values():
        entity = _entity(group, level)
        if level != "PATIENT":
            _count_study(entity, by_study[group[0].unique_key("STUDY")])
        if level in ("SERIES", "IMAGE"):
            entity.NumberOfSeriesRelatedInstances = len(by_series[group[0].unique_key("SERIES")])
        if all(matches(key, entity) for key in keys) and _has_series(group, of_series):
            yield Entity(entity, tuple(group))


def answers(
    identifier: Dataset, level: Level, held: Iterable[HeldInstance], always: Sequence[str] | None = None
) -> Iterator[Dataset]:
    """Yield an answer to C-FIND for each entity of *level* that matches: the attributes that *identifier* asks for.

    *always* are keywords of attributes that every answer has, empty where they have no value. None means those that
    an ordinary archive adds: availability, Retrieve AE Title, and the numbers of related series and instances.
    """
    for entity in entities(identifier, level, held):
        yield _answer(identifier, entity.attributes, level, always)


def _has_series(group: Iterable[HeldInstance], keys: Sequence[DataElement]) -> bool:
    """Tell whether a series has it all (dcm4chee-arc's ``QueryBuilder`` looks for such a one at STUDY level)."""
    return any(all(matches(key, each.header) for key in keys) for each in group)


def _within(keyword: str, level: Level) -> bool:
    return LEVELS.index(_LEVEL_OF.get(keyword, "IMAGE")) <= LEVELS.index(level)


def _grouped(held: Iterable[AnyInstance], level: Level) -> dict[str, list[AnyInstance]]:
    groups: dict[str, list[AnyInstance]] = {}
    for each in held:
        groups.setdefault(each.unique_key(level), []).append(each)
    return groups


def _entity(group: Sequence[HeldInstance], level: Level) -> Dataset:
    """Return what is known of one patient, study, series or image."""
    entity = Dataset()
    for element in group[0].header:
        if _within(element.keyword, level) or element.keyword == "SpecificCharacterSet":
            entity.add(element)
    entity.InstanceAvailability = max((each.availability for each in group), key=AVAILABILITIES.index)
    titles = [each.retrieve_aets for each in group]
    entity.RetrieveAETitle = [title for title in titles[0] if all(title in others for others in titles)]
    return entity


def _count_study(entity: Dataset, study: Sequence[HeldInstance]) -> None:
    entity.NumberOfStudyRelatedInstances = len(study)
    entity.NumberOfStudyRelatedSeries = len(_grouped(study, "SERIES"))
    entity.ModalitiesInStudy = sorted({str(each.header.get("Modality", "")) for each in study})


def _answer(identifier: Dataset, entity: Dataset, level: Level, always: Sequence[str] | None) -> Dataset:
    answer = Dataset()
    for key in identifier:
        answer.add(entity[key.tag] if key.tag in entity else DataElement(key.tag, key.VR, None))
    for keyword in _unasked(level) if always is None else always:
        if keyword in entity:
            answer.add(entity[keyword])
        elif always is not None and keyword not in answer:
            setattr(answer, keyword, None)
    answer.QueryRetrieveLevel = level
    return answer


def _unasked(level: Level) -> Sequence[str]:
    counts: dict[Level, tuple[str, ...]] = {
        "STUDY": ("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
        "SERIES": ("NumberOfSeriesRelatedInstances",),
    }
    return ("SpecificCharacterSet", *_COMPUTED, *counts.get(level, ()))


IDENTIFIER_MISMATCH = 0xA900
_PENDING = 0xFF00
_CANCEL = 0xFE00


def find(
    event: evt.Event, known: Callable[[], Iterable[HeldInstance]], always: Sequence[str] | None = None
) -> Iterator[tuple[Dataset, Dataset | None]]:
    """Answer a C-FIND among the *known* instances; the handler of EVT_C_FIND.

    *always* are keywords of attributes that every answer has, asked for or not (:func:`~dcmcfg.lab.query.answers`).
    """
    identifier = event.identifier
    sop_class = str(event.request.AffectedSOPClassUID)
    try:
        level = query_level(identifier, root_of(sop_class), relational=is_relational(event.assoc, sop_class))
    except IdentifierMismatch as mismatch:
        yield _status(IDENTIFIER_MISMATCH, str(mismatch), mismatch.tag), None
        return
    for answer in answers(identifier, level, known(), always):
        if event.is_cancelled:
            yield _status(_CANCEL), None
            return
        yield _status(_PENDING), answer


def _status(code: int, comment: str = "", offending: BaseTag | None = None) -> Dataset:
    status = Dataset()
    status.Status = code
    if comment:
        status.ErrorComment = comment[:64]
    if offending is not None:
        status.OffendingElement = offending
    return status
