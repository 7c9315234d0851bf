"""Queries of a Query/Retrieve SCP over its instances, and its C-FIND service (PS3.4 C.4.1, C.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pynetdicom import evt

from dcmcfg.dicom.query_keys import SERIES_KEYS
from dcmcfg.dicom.status import CANCELLED, IDENTIFIER_MISMATCH, PENDING
from dcmcfg.lab.identifier import LEVELS, UNIQUE_KEYS, IdentifierMismatch, Level, get_root_level, parse_query_level
from dcmcfg.lab.listener import is_relational
from dcmcfg.lab.matching import matches_key

#: Values of Instance Availability (PS3.3 C.4.23.1.1), the best first.
AVAILABILITIES = ("ONLINE", "NEARLINE", "OFFLINE", "UNAVAILABLE")
_COMPUTED_KEYWORDS = ("RetrieveAETitle", "InstanceAvailability")
#: Keys that are never matched: computed attributes, and attributes that describe the request itself.
_IGNORED_KEYWORDS = (*_COMPUTED_KEYWORDS, "QueryRetrieveLevel", "SpecificCharacterSet", "TimezoneOffsetFromUTC")
_ATTRIBUTES: dict[Level, str] = {
    "PATIENT": "PatientName PatientID PatientBirthDate PatientSex IssuerOfPatientID PatientComments",
    "STUDY": "StudyInstanceUID StudyDate StudyTime StudyID StudyDescription AccessionNumber "
    "ReferringPhysicianName ModalitiesInStudy NumberOfStudyRelatedSeries NumberOfStudyRelatedInstances",
    "SERIES": "SeriesInstanceUID SeriesNumber SeriesDescription SeriesDate SeriesTime Modality "
    "BodyPartExamined NumberOfSeriesRelatedInstances",
}
#: Keyword → its level; keywords that are not listed belong to the image level.
_LEVEL_BY_KEYWORD = {keyword: level for level, keywords in _ATTRIBUTES.items() for keyword in keywords.split()}


@dataclass(frozen=True)
class QueryInstance:
    """An instance for queries: header without pixel data, and retrieve information."""

    header: Dataset
    availability: str = "ONLINE"
    retrieve_aets: tuple[str, ...] = ()

    def unique_key(self, level: Level) -> str:
        """Return the instance's value of the unique key of *level*, empty if it has none."""
        return str(self.header.get(UNIQUE_KEYS[level], ""))


AnyInstance = TypeVar("AnyInstance", bound=QueryInstance)


def select_instances(identifier: Dataset, instances: Iterable[AnyInstance]) -> tuple[AnyInstance, ...]:
    """Return the instances that a C-MOVE identifier names by its unique keys."""
    keys = [identifier[keyword] for keyword in UNIQUE_KEYS.values() if keyword in identifier]
    return tuple(each for each in instances if all(matches_key(key, each.header) for key in keys))


@dataclass(frozen=True)
class Entity(Generic[AnyInstance]):
    """A patient, study, series or image with the attributes of its level and above, and its instances."""

    attributes: Dataset
    instances: tuple[AnyInstance, ...]


def find_entities(identifier: Dataset, level: Level, instances: Iterable[AnyInstance]) -> Iterator[Entity[AnyInstance]]:
    """Yield the entities of *level* that match *identifier*, with all known attributes.

    A study matches a series key if one of its series matches. The attributes include Retrieve AE Title, Instance
    Availability (the worst of the entity's instances) and the numbers of related series and instances.
    """
    all_instances = tuple(instances)
    keys = [key for key in identifier if key.keyword not in _IGNORED_KEYWORDS and _is_in_level(key.keyword, level)]
    series_keys = [key for key in identifier if level == "STUDY" and key.keyword in SERIES_KEYS]
    by_series = _group_by_level(all_instances, "SERIES")
    counts_by_study = (
        {}
        if level == "PATIENT"
        else {uid: _make_study_counts(study) for uid, study in _group_by_level(all_instances, "STUDY").items()}
    )
    for group in _group_by_level(all_instances, level).values():
        entity = _make_entity(group, level)
        if level != "PATIENT":
            _copy_attributes(counts_by_study[group[0].unique_key("STUDY")], entity)
        if level in ("SERIES", "IMAGE"):
            entity.NumberOfSeriesRelatedInstances = len(by_series[group[0].unique_key("SERIES")])
        if all(matches_key(key, entity) for key in keys) and _has_series(group, series_keys):
            yield Entity(entity, tuple(group))


def find_matches(
    identifier: Dataset, level: Level, instances: Iterable[QueryInstance], always_returned: Sequence[str] | None = None
) -> Iterator[Dataset]:
    """Yield a C-FIND response for each matching entity of *level*: the attributes that *identifier* requests.

    *always_returned* are keywords of attributes of every response, empty if they have no value. None means the
    attributes that an ordinary archive adds: availability, Retrieve AE Title, and the numbers of related series and
    instances.
    """
    for entity in find_entities(identifier, level, instances):
        yield _make_response_identifier(identifier, entity.attributes, level, always_returned)


def _has_series(group: Iterable[QueryInstance], keys: Sequence[DataElement]) -> bool:
    """Return whether one series matches all keys (as dcm4chee-arc's ``QueryBuilder`` requires at STUDY level)."""
    return any(all(matches_key(key, each.header) for key in keys) for each in group)


def _is_in_level(keyword: str, level: Level) -> bool:
    return LEVELS.index(_LEVEL_BY_KEYWORD.get(keyword, "IMAGE")) <= LEVELS.index(level)


def _group_by_level(instances: Iterable[AnyInstance], level: Level) -> dict[str, list[AnyInstance]]:
    groups: dict[str, list[AnyInstance]] = {}
    for each in instances:
        groups.setdefault(each.unique_key(level), []).append(each)
    return groups


def _make_entity(group: Sequence[QueryInstance], level: Level) -> Dataset:
    """Return the known attributes of one patient, study, series or image."""
    entity = Dataset()
    for element in group[0].header:
        if _is_in_level(element.keyword, level) or element.keyword == "SpecificCharacterSet":
            # The header is shared by all queries.
            entity.add(copy(element))
    entity.InstanceAvailability = max((each.availability for each in group), key=AVAILABILITIES.index)
    titles = [each.retrieve_aets for each in group]
    entity.RetrieveAETitle = [title for title in titles[0] if all(title in others for others in titles)]
    return entity


def _make_study_counts(study: Sequence[QueryInstance]) -> Dataset:
    """Return the attributes that are computed from all instances of a study."""
    counts = Dataset()
    counts.NumberOfStudyRelatedInstances = len(study)
    counts.NumberOfStudyRelatedSeries = len(_group_by_level(study, "SERIES"))
    counts.ModalitiesInStudy = sorted({str(each.header.get("Modality", "")) for each in study})
    return counts


def _copy_attributes(source: Dataset, target: Dataset) -> None:
    for element in source:
        target.add(copy(element))


def _make_response_identifier(
    identifier: Dataset, entity: Dataset, level: Level, always_returned: Sequence[str] | None
) -> Dataset:
    response = Dataset()
    for key in identifier:
        response.add(entity[key.tag] if key.tag in entity else DataElement(key.tag, key.VR, None))
    for keyword in _get_default_keywords(level) if always_returned is None else always_returned:
        if keyword in entity:
            response.add(entity[keyword])
        elif always_returned is not None and keyword not in response:
            setattr(response, keyword, None)
    response.QueryRetrieveLevel = level
    return response


def _get_default_keywords(level: Level) -> Sequence[str]:
    counts: dict[Level, tuple[str, ...]] = {
        "STUDY": ("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
        "SERIES": ("NumberOfSeriesRelatedInstances",),
    }
    return ("SpecificCharacterSet", *_COMPUTED_KEYWORDS, *counts.get(level, ()))


def handle_find(
    event: evt.Event, get_instances: Callable[[], Iterable[QueryInstance]], always_returned: Sequence[str] | None = None
) -> Iterator[tuple[Dataset, Dataset | None]]:
    """Yield the responses to a C-FIND over the instances of *get_instances*; the handler of EVT_C_FIND.

    *always_returned* are keywords of attributes of every response, requested or not
    (:func:`~dcmcfg.lab.query.find_matches`).
    """
    identifier = event.identifier
    sop_class = str(event.request.AffectedSOPClassUID)
    try:
        level = parse_query_level(
            identifier, get_root_level(sop_class), relational=is_relational(event.assoc, sop_class)
        )
    except IdentifierMismatch as mismatch:
        yield _make_status(IDENTIFIER_MISMATCH, str(mismatch), mismatch.tag), None
        return
    for response in find_matches(identifier, level, get_instances(), always_returned):
        if event.is_cancelled:
            yield _make_status(CANCELLED), None
            return
        yield _make_status(PENDING), response


def _make_status(code: int, comment: str = "", offending: BaseTag | None = None) -> Dataset:
    status = Dataset()
    status.Status = code
    if comment:
        status.ErrorComment = comment[:64]
    if offending is not None:
        status.OffendingElement = offending
    return status
