"""QIDO-RS of the stand-in archive, with the archive's private attributes (``QidoRS``, ``PrivateTag``).

Simulates the resources ``patients``, ``studies``, ``series`` and ``instances`` of an AE, those of one study or series,
and ``count``. Matching is the same as for C-FIND. Fuzzy matching and formats other than DICOM JSON are not supported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from urllib.parse import unquote, unquote_plus, urlsplit

from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from dcmcfg.lab.archive.configuration import NetworkAE
from dcmcfg.lab.archive.private_attributes import PRIVATE_CREATOR, PRIVATE_GROUP, PrivateAttributes
from dcmcfg.lab.archive.state import ArchiveState
from dcmcfg.lab.archive.store_and_find import ALWAYS_RETURNED, ArchiveQueryInstance, make_query_instance
from dcmcfg.lab.identifier import Level
from dcmcfg.lab.query import Entity, find_entities

_RESOURCE = re.compile(
    r"/dcm4chee-arc/aets/(?P<ae>[^/]+)/rs/(?:studies/(?P<study>[0-9.]+)/(?:series/(?P<series>[0-9.]+)/)?)?"
    r"(?P<searched>patients|studies|series|instances)(?P<count>/count)?"
)
_LEVELS: Mapping[str, Level] = {"patients": "PATIENT", "studies": "STUDY", "series": "SERIES", "instances": "IMAGE"}
_PATIENT = "PatientName PatientID PatientBirthDate PatientSex"
_STUDY = (
    "StudyDate StudyTime AccessionNumber ModalitiesInStudy ReferringPhysicianName StudyInstanceUID StudyID "
    "NumberOfStudyRelatedSeries NumberOfStudyRelatedInstances"
)
_SERIES = (
    "Modality SeriesDescription SeriesInstanceUID SeriesNumber NumberOfSeriesRelatedInstances "
    "PerformedProcedureStepStartDate PerformedProcedureStepStartTime RequestAttributesSequence"
)
_IMAGE = (
    "SOPClassUID SOPInstanceUID AvailableTransferSyntaxUID InstanceNumber NumberOfFrames Rows Columns BitsAllocated"
)
#: Attributes of a result by default, by level, from the level of the resource's UID downwards.
_DEFAULT_ATTRIBUTES = {"PATIENT": _PATIENT, "STUDY": f"{_PATIENT} {_STUDY}", "SERIES": _SERIES, "IMAGE": _IMAGE}
_FILTERS = ("ExternalRetrieveAET", "ExternalRetrieveAET!", "storageID", "incomplete", "retrievefailed")
#: Parameters that are not attributes; those that are not simulated are ignored.
_IGNORED = """accept access_token allOfModalitiesInStudy allmodified batchID charset comparefield compressionfailed
count deletionlock different fuzzymatching includedefaults includefield limit merged metadataUpdateFailed missing
offset onlyWithStudies orderby patientVerificationStatus priority requested storageClustered storageExported
storageVerificationFailed template ExpirationDate ExpirationState StudySizeInKB"""
_NO_KEYS = frozenset((*_FILTERS, *_IGNORED.split()))
_LIMITS = {"limit": re.compile(r"[1-9]\d{0,4}"), "offset": re.compile(r"0|([1-9]\d{0,4})")}
_JSON = "application/dicom+json"
_TEXT = "text/plain;charset=UTF-8"
_ACCEPTABLE = ("*/*", "application/*", "application/json", _JSON)
_TOO_LARGE = (
    "Request entity too large. Query count exceeds configured Query Max Number of Results, narrow down search using "
    "query filters."
)


@dataclass(frozen=True)
class QidoResponse:
    """The response to a search; ``body`` is DICOM JSON (PS3.18 Annex F), or a reason in plain text."""

    status: HTTPStatus
    content_type: str = ""
    body: str = ""
    warning: str = ""  # the header Warning of a response that dcmQidoMaxNumberOfResults truncated


class _SearchRefused(Exception):
    """A search that the archive refuses, with its ``response``."""

    def __init__(self, status: HTTPStatus, body: str = "") -> None:
        super().__init__(body)
        self.response = QidoResponse(status, _TEXT if body else "", body)


@dataclass(frozen=True, kw_only=True)
class _Search:
    """A search, parsed from its URL; the values of ``parameters`` are decoded and split at commas."""

    request_target: str
    ae: NetworkAE
    level: Level
    study_uid: str
    series_uid: str
    parameters: Mapping[str, Sequence[str]]
    base_url: str  # of Retrieve URLs

    @cached_property
    def keys(self) -> Dataset:
        """The attributes to match; raises :class:`_SearchRefused` for an unknown name."""
        keys = Dataset()
        for name, values in self.parameters.items():
            if name not in _NO_KEYS:
                tag = _parse_tag(name)
                if tag is None:
                    raise _make_invalid_query(self.request_target)
                if not tag.is_private:
                    setattr(keys, keyword_for_tag(tag), list(values) if len(values) > 1 else values[0])
        if self.study_uid:
            keys.StudyInstanceUID = self.study_uid
        if self.series_uid:
            keys.SeriesInstanceUID = self.series_uid
        return keys

    @cached_property
    def included_tags(self) -> tuple[BaseTag, ...] | None:
        """The attributes of ``includefield``, or None for ``all``; raises :class:`_SearchRefused`."""
        fields = self.parameters.get("includefield", ())
        if "all" in fields:
            return None
        tags = tuple(_parse_tag(field) for field in fields)
        if None in tags:
            raise _make_invalid_query(self.request_target)
        return tuple(tag for tag in tags if tag is not None)

    @cached_property
    def default_tags(self) -> tuple[BaseTag, ...]:
        """The attributes of every result: those of the levels below the UIDs in the URL's path."""
        match self.level:
            case "PATIENT":
                keywords = _DEFAULT_ATTRIBUTES["PATIENT"]
            case "STUDY":
                keywords = _DEFAULT_ATTRIBUTES["STUDY"]
            case "SERIES":
                keywords = _SERIES if self.study_uid else f"{_DEFAULT_ATTRIBUTES['STUDY']} {_SERIES}"
            case "IMAGE" if self.series_uid:
                keywords = _IMAGE
            case "IMAGE" if self.study_uid:
                keywords = f"{_SERIES} {_IMAGE}"
            case "IMAGE":
                keywords = f"{_DEFAULT_ATTRIBUTES['STUDY']} {_SERIES} {_IMAGE}"
        return tuple(Tag(keyword) for keyword in (*ALWAYS_RETURNED, *keywords.split()))

    def get_first_value(self, name: str) -> str | None:
        """Return the first value of a parameter, or None."""
        return next(iter(self.parameters.get(name, ())), None)

    def parse_number(self, name: str) -> int:
        """Return ``limit`` or ``offset``, 0 if it is absent; raises :class:`_SearchRefused`."""
        text = self.get_first_value(name)
        if text is None:
            return 0
        if not _LIMITS[name].fullmatch(text):
            rule = f'must match "{_LIMITS[name].pattern}"'
            # The carriage returns are part of the archive's text.
            raise _SearchRefused(HTTPStatus.BAD_REQUEST, f"[PROPERTY]\r[{name}]\r[{rule}]\r[{text}]\r\r")
        return int(text)


@dataclass(frozen=True)
class _Matches:
    """The matching entities, and all instances of their studies by Study Instance UID: one query reads them once."""

    entities: list[Entity[ArchiveQueryInstance]]
    studies: Mapping[str, Sequence[ArchiveQueryInstance]]

    @cached_property
    def sop_classes(self) -> Mapping[str, Sequence[str]]:
        """The SOP Class UIDs by Study Instance UID."""
        return {uid: sorted({str(each.header.SOPClassUID) for each in study}) for uid, study in self.studies.items()}


def is_search(path: str) -> bool:
    """Return whether *path* (with query) names a searchable resource."""
    return _RESOURCE.fullmatch(urlsplit(path).path) is not None


def serve_qido(state: ArchiveState, path: str, *, accept: str = "*/*", host: str = "") -> QidoResponse:
    """Return the response to ``GET`` of *path*, with the request's headers Accept and Host.

    The status is 200 with matches, 204 without matches, 400 for an invalid parameter, 404 for an unknown AE or an AE
    without the service, 406 for a format other than JSON, 413 for more matches than dcmQueryMaxNumberOfResults.
    """
    resource = _RESOURCE.fullmatch(urlsplit(path).path)
    if resource is None:
        return QidoResponse(HTTPStatus.NOT_FOUND)
    try:
        request = _parse_search(state, path, resource, host)
        if resource["count"]:
            number = 0 if _matches_nothing(state, request) else len(_find_matches(state, request).entities)
            return QidoResponse(HTTPStatus.OK, "application/json", f'{{"count":{number}}}')
        _require_acceptable(accept)
        if _matches_nothing(state, request):
            # Observed on 5.35.1: an unknown storage gives 200 with an empty list, every other search without match
            # gives 204.
            return QidoResponse(HTTPStatus.OK, _JSON, "[]")
        matches = _find_matches(state, request)
        page = _cut_page(request, _sort_matches(request, matches.entities))
    except _SearchRefused as refused:
        return refused.response
    if not page:
        return QidoResponse(HTTPStatus.NO_CONTENT)
    body = json.dumps([_make_result(state, request, matches, each).to_json_dict() for each in page])
    return QidoResponse(HTTPStatus.OK, _JSON, body, _make_warning(request, len(matches.entities), host))


def _parse_search(state: ArchiveState, target: str, resource: re.Match[str], host: str) -> _Search:
    path = urlsplit(target).path
    title = unquote(resource["ae"])
    ae = state.device.find_ae(title)
    if ae is None or not ae.installed:
        raise _SearchRefused(HTTPStatus.NOT_FOUND, _format_error(f"No such Application Entity: {title}"))
    service = "QIDO_COUNT" if resource["count"] else "QIDO_RS"
    if not state.device.has_service(path, service):
        # The missing blank is in the archive's text too.
        missing = f"No Web Application with {service}service class found for Application Entity: {title}"
        raise _SearchRefused(HTTPStatus.NOT_FOUND, _format_error(missing))
    request = _Search(
        request_target=target,
        ae=ae,
        level=_LEVELS[resource["searched"]],
        study_uid=resource["study"] or "",
        series_uid=resource["series"] or "",
        parameters=_parse_parameters(urlsplit(target).query),
        base_url=f"http://{host}/dcm4chee-arc/aets/{title}/rs",
    )
    # The archive rejects a malformed number before it queries.
    for name in _LIMITS:
        request.parse_number(name)
    return request


def _parse_parameters(query: str) -> Mapping[str, Sequence[str]]:
    parameters: dict[str, list[str]] = {}
    for pair in query.split("&") if query else ():
        name, _, values = pair.partition("=")
        parameters.setdefault(unquote_plus(name), []).extend(unquote_plus(value) for value in values.split(","))
    return parameters


def _require_acceptable(accept: str) -> None:
    """Raise :class:`_SearchRefused` if the header Accept has no supported format."""
    if not any(each.partition(";")[0].strip() in _ACCEPTABLE for each in accept.split(",")):
        raise _SearchRefused(HTTPStatus.NOT_ACCEPTABLE)


def _make_invalid_query(target: str) -> _SearchRefused:
    return _SearchRefused(HTTPStatus.BAD_REQUEST, f"[CLASS]\r[]\r[Invalid Query Parameter]\r[{target}]\r\r")


def _format_error(text: str) -> str:
    return json.dumps({"errorMessage": text}, separators=(",", ":"))


def _parse_tag(field: str) -> BaseTag | None:
    """Return the tag for a keyword or for up to eight hexadecimal digits; None for other text."""
    tag = tag_for_keyword(field)
    if tag is not None:
        return Tag(tag)
    return Tag(int(field, 16)) if re.fullmatch("[0-9A-Fa-f]{1,8}", field) else None


def _matches_nothing(state: ArchiveState, request: _Search) -> bool:
    """Return whether the search names a storage that the device does not have; then the database is not queried."""
    storage = request.get_first_value("storageID")
    return storage is not None and storage not in state.device.storages


def _find_matches(state: ArchiveState, request: _Search) -> _Matches:
    keys = request.keys
    _ = request.included_tags  # refuses an invalid field before the database query
    # Matching ignores the keys of lower levels, so the Study Instance UID does not limit a search for patients.
    records = state.database.list_instances() if request.level == "PATIENT" else state.database.find_candidates(keys)
    known = [make_query_instance(each, request.ae.return_retrieve_aets) for each in records]
    studies = _group_by_study(known)
    passing_uids = {uid for uid, study in studies.items() if _passes_filters(state, request, uid, study)}
    candidates = (each for each in known if each.unique_key("STUDY") in passing_uids)
    matches = list(find_entities(keys, request.level, candidates))
    max_results = request.ae.query_max_results
    if max_results and len(matches) > max_results:
        raise _SearchRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _format_error(_TOO_LARGE))
    return _Matches(matches, studies)


def _group_by_study(known: Iterable[ArchiveQueryInstance]) -> dict[str, list[ArchiveQueryInstance]]:
    studies: dict[str, list[ArchiveQueryInstance]] = {}
    for each in known:
        studies.setdefault(each.unique_key("STUDY"), []).append(each)
    return studies


def _passes_filters(
    state: ArchiveState, request: _Search, study_uid: str, study: Sequence[ArchiveQueryInstance]
) -> bool:
    """Return whether a study passes the filters that DICOM does not define."""
    attributes = PrivateAttributes(study, study, "STUDY", state.database.get_failed_retrieves(study_uid))
    external, storages = attributes.external_ae_title, attributes.storages
    retrieves = attributes.failed_retrieves
    return (
        request.get_first_value("ExternalRetrieveAET") in (None, external)
        and request.get_first_value("ExternalRetrieveAET!") != external
        and request.get_first_value("storageID") in (None, *storages)
        and (request.get_first_value("incomplete") != "true" or retrieves is not None)
        and (request.get_first_value("retrievefailed") != "true" or bool(retrieves))
    )


def _sort_matches(request: _Search, matches: list[Entity[ArchiveQueryInstance]]) -> list[Entity[ArchiveQueryInstance]]:
    """Return *matches* in the order of ``orderby``; raises :class:`_SearchRefused` for an unknown name."""
    # The sort is stable, so the most significant key comes last.
    for field in reversed(request.parameters.get("orderby", ())):
        tag = _parse_tag(field.removeprefix("-"))
        if tag is None:
            raise _make_invalid_query(request.request_target)
        matches.sort(key=lambda each, tag=tag: _get_text(each.attributes, tag), reverse=field.startswith("-"))  # type: ignore[misc] # of the lambda
    return matches


def _get_text(attributes: Dataset, tag: BaseTag) -> str:
    return str(attributes[tag].value) if tag in attributes else ""


def _cut_page(request: _Search, matches: list[Entity[ArchiveQueryInstance]]) -> list[Entity[ArchiveQueryInstance]]:
    """Return the page of ``limit`` and ``offset``, at most dcmQidoMaxNumberOfResults results."""
    offset, limit, max_results = (
        request.parse_number("offset"),
        request.parse_number("limit"),
        request.ae.qido_max_results,
    )
    if max_results and (limit == 0 or limit > max_results):
        limit = max_results
    return matches[offset : offset + limit] if limit else matches[offset:]


def _make_warning(request: _Search, number: int, host: str) -> str:
    """Return the header Warning for a page of *number* matches; empty if the page was not truncated."""
    offset, limit, max_results = (
        request.parse_number("offset"),
        request.parse_number("limit"),
        request.ae.qido_max_results,
    )
    remaining = number - offset - max_results
    if not max_results or 0 < limit <= max_results or remaining <= 0:
        return ""
    return f'299 {host} "There are {remaining} additional results that can be requested"'


def _make_result(
    state: ArchiveState, request: _Search, matches: _Matches, entity: Entity[ArchiveQueryInstance]
) -> Dataset:
    """Return the attributes of one result; empty attributes only if they were requested."""
    result = Dataset()
    attributes = _add_computed_attributes(state, request, matches, entity)
    included = request.included_tags
    if included is None:
        result.update(attributes)
    else:
        keys = request.keys
        for tag in (*request.default_tags, *(each.tag for each in keys), *included):
            if tag.group != PRIVATE_GROUP:
                result.add(attributes[tag] if tag in attributes else DataElement(tag, _get_vr(tag), None))
    if "RetrieveURL" in attributes:
        result.RetrieveURL = attributes.RetrieveURL
    _add_private(state, request, result, entity, study=matches.studies[entity.instances[0].unique_key("STUDY")])
    return result


def _get_vr(tag: BaseTag) -> str:
    return dictionary_VR(tag) if dictionary_has_tag(tag) else "UN"


def _add_private(
    state: ArchiveState,
    request: _Search,
    result: Dataset,
    entity: Entity[ArchiveQueryInstance],
    *,
    study: Sequence[ArchiveQueryInstance],
) -> None:
    """Add the requested elements of group 7777; block number 00 also means the creator's block."""
    included = request.included_tags
    requested = None
    if included is not None:
        # Observed on 5.35.1: 7777,00xx and 7777,10xx are the same request.
        requested = {each.element & 0xFF for each in included if each.group == PRIVATE_GROUP}
        if not requested:
            return
    study_uid = entity.instances[0].unique_key("STUDY")
    failed = state.database.get_failed_retrieves(study_uid)
    values = PrivateAttributes(study, entity.instances, request.level, failed).make_elements()
    block = result.private_block(PRIVATE_GROUP, PRIVATE_CREATOR, create=True)
    for number, (vr, value) in values.items():
        # A requested element is returned empty without a value. With ``all``, it is absent then.
        if number in requested if requested is not None else value is not None:
            block.add_new(number, vr, value)


def _add_computed_attributes(
    state: ArchiveState, request: _Search, matches: _Matches, entity: Entity[ArchiveQueryInstance]
) -> Dataset:
    """Return the attributes of *entity* with those that the archive computes only for QIDO-RS."""
    attributes = Dataset()
    attributes.update(entity.attributes)
    if request.level == "PATIENT":
        del attributes.RetrieveAETitle
        del attributes.InstanceAvailability
        return attributes
    first = entity.instances[0]
    header = first.header
    attributes.SOPClassesInStudy = list(matches.sop_classes[first.unique_key("STUDY")])
    attributes.NumberOfPatientRelatedStudies = state.database.count_patient_studies(first.unique_key("IMAGE"))
    url = f"{request.base_url}/studies/{attributes.StudyInstanceUID}"
    if request.level in ("SERIES", "IMAGE"):
        if "AvailableTransferSyntaxUID" in header:
            attributes.AvailableTransferSyntaxUID = header.AvailableTransferSyntaxUID
        url += f"/series/{attributes.SeriesInstanceUID}"
    if request.level == "IMAGE":
        url += f"/instances/{attributes.SOPInstanceUID}"
    attributes.RetrieveURL = url
    return attributes
