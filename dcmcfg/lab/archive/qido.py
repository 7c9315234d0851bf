"""The stand-in archive's search by HTTP, with the archive's own private attributes (``QidoRS``, ``PrivateTag``).

Imitates the resources ``studies`` and ``instances`` of an AE, and of ``studies/UID/`` the latter. Matching is that of
C-FIND; of the filters beyond DICOM there are ``ExternalRetrieveAET``, ``ExternalRetrieveAET!``, ``storageID``,
``incomplete`` and ``retrievefailed``. There is no order but that of the UIDs, no fuzzy matching, and no XML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs, unquote, urlsplit

from pydicom.datadict import keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset

from dcmcfg.lab.archive.database import NO_EXTERNAL_AET, Instance
from dcmcfg.lab.archive.finding import held
from dcmcfg.lab.archive.state import ArchiveState
from dcmcfg.lab.identifier import Level
from dcmcfg.lab.query import answers

PRIVATE_CREATOR = "DCM4CHEE Archive 5"
_GROUP, _BLOCK = 0x7777, 0x10
_RESOURCE = re.compile(r"/dcm4chee-arc/aets/([^/]+)/rs/(?:studies/([0-9.]+)/(instances)|(studies|instances))")
_STUDY = (
    "StudyDate StudyTime AccessionNumber ModalitiesInStudy ReferringPhysicianName PatientName PatientID "
    "PatientBirthDate PatientSex StudyInstanceUID StudyID"
)
_RETURNED: dict[Level, str] = {
    "STUDY": _STUDY,
    "IMAGE": f"{_STUDY} Modality SeriesInstanceUID SeriesNumber SOPClassUID SOPInstanceUID InstanceNumber",
}
_FILTERS = ("ExternalRetrieveAET", "ExternalRetrieveAET!", "storageID", "incomplete", "retrievefailed")
_NO_KEYS = ("includefield", "limit", "offset", "orderby", "fuzzymatching", "returnempty", *_FILTERS)


@dataclass(frozen=True)
class QidoAnswer:
    """The answer to a search; ``body`` is DICOM JSON (PS3.18 Annex F), or a reason in plain text."""

    status: HTTPStatus
    content_type: str = ""
    body: str = ""


class _Refused(Exception):
    """The search is not carried out: the status, and why as ``str()``."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


def is_search(path: str) -> bool:
    """Tell whether *path*, with its query, names a resource that can be searched."""
    return _RESOURCE.fullmatch(urlsplit(path).path) is not None


def search(state: ArchiveState, path: str) -> QidoAnswer:
    """Answer ``GET`` of *path*: 200 with what matches, 204 for nothing, 400, 404 for an unknown AE, 413."""
    try:
        found = _found(state, path)
    except _Refused as refused:
        return QidoAnswer(refused.status, "text/plain", str(refused))
    if not found:
        return QidoAnswer(HTTPStatus.NO_CONTENT)
    return QidoAnswer(HTTPStatus.OK, "application/dicom+json", json.dumps([each.to_json_dict() for each in found]))


def _found(state: ArchiveState, path: str) -> list[Dataset]:
    parts = urlsplit(path)
    resource = _RESOURCE.fullmatch(parts.path)
    if resource is None:
        raise _Refused(HTTPStatus.NOT_FOUND, f"no such resource: {parts.path}")
    title, study_uid, _, of_all = resource.groups()
    ae = state.device.ae(unquote(title))
    if ae is None or not ae.installed:
        raise _Refused(HTTPStatus.NOT_FOUND, f"No such Application Entity: {unquote(title)}")
    asked = parse_qs(parts.query)
    level: Level = "STUDY" if of_all == "studies" else "IMAGE"
    keys = {name: values for name, values in asked.items() if name not in _NO_KEYS}
    if study_uid:
        keys["StudyInstanceUID"] = [study_uid]
    studies = {uid: study for uid, study in _studies(state).items() if _passes(state, asked, study)}
    known = [held(each, ae.return_retrieve_aets) for study in studies.values() for each in study]
    found = _page(list(answers(_identifier(keys, level), level, known)), asked, ae.qido_max_results)
    if {"all", f"{_GROUP:04X}{_BLOCK:04X}"} & {
        each for text in asked.get("includefield", ()) for each in text.split(",")
    }:
        for answer in found:
            _add_private(state, answer, studies[str(answer.StudyInstanceUID)])
    return found


def _studies(state: ArchiveState) -> dict[str, list[Instance]]:
    studies: dict[str, list[Instance]] = {}
    for each in state.database.all():
        studies.setdefault(str(each.header.StudyInstanceUID), []).append(each)
    return studies


def _passes(state: ArchiveState, asked: Mapping[str, Sequence[str]], study: Sequence[Instance]) -> bool:
    """Tell whether *study* passes the filters that are none of DICOM's."""
    external, storages = _external(study), _storages(study)
    retrieves = state.database.failed_retrieves(str(study[0].header.StudyInstanceUID))
    wanted = {name: asked[name][0] for name in _FILTERS if name in asked}
    return (
        wanted.get("ExternalRetrieveAET", external) == external
        and wanted.get("ExternalRetrieveAET!") != external
        and ("storageID" not in wanted or wanted["storageID"] in storages)
        and (wanted.get("incomplete") != "true" or retrieves is not None)
        and (wanted.get("retrievefailed") != "true" or bool(retrieves))
    )


def _external(instances: Iterable[Instance]) -> str:
    """Return the external AE title that *instances* have in common, else ``*``."""
    titles = {each.external_aet for each in instances}
    return titles.pop() if len(titles) == 1 else NO_EXTERNAL_AET


def _storages(instances: Iterable[Instance]) -> list[str]:
    return sorted({each.storage_id for each in instances if each.is_local})


def _identifier(keys: Mapping[str, Sequence[str]], level: Level) -> Dataset:
    """Return what C-FIND would be asked; raises :class:`_Refused` for a name that is no attribute."""
    identifier = Dataset()
    for keyword in _RETURNED[level].split():
        setattr(identifier, keyword, "")
    for name, values in keys.items():
        keyword = keyword_for_tag(int(name, 16)) if re.fullmatch("[0-9A-Fa-f]{8}", name) else name
        if tag_for_keyword(keyword) is None:
            raise _Refused(HTTPStatus.BAD_REQUEST, f"{name}={values[0]}")
        setattr(identifier, keyword, [part for value in values for part in value.split(",")])
    return identifier


def _page(found: list[Dataset], asked: Mapping[str, Sequence[str]], most: int) -> list[Dataset]:
    try:
        offset, limit = (int(asked[name][0]) if name in asked else 0 for name in ("offset", "limit"))
    except ValueError:
        raise _Refused(HTTPStatus.BAD_REQUEST, "offset and limit are numbers") from None
    page = found[offset : offset + limit] if limit else found[offset:]
    if most and len(page) > most:
        raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Request entity too large: {len(page)} > {most}")
    return page


def _add_private(state: ArchiveState, answer: Dataset, study: Sequence[Instance]) -> None:
    """Add what stands in group 7777; an AE title ``*``, a complete study and zero are left out."""
    block = answer.private_block(_GROUP, PRIVATE_CREATOR, create=True)
    retrieves = state.database.failed_retrieves(str(answer.StudyInstanceUID))
    series = [each for each in study if each.header.SeriesInstanceUID == answer.get("SeriesInstanceUID")]
    image = [each for each in study if each.uid == answer.get("SOPInstanceUID")]
    for element, instances in ((0x45, study), (0x44, series), (0x43, image)):
        if instances and (title := _external(instances)) != NO_EXTERNAL_AET:
            block.add_new(element, "AE", title)
    for element, vr, value in (
        (0x28, "LO", _storages(study)),
        (0x25, "CS", None if retrieves is None else "PARTIAL"),
        (0x26, "US", retrieves),
        (0x50, "LO", _storages(image)),
    ):
        if value:
            block.add_new(element, vr, value)
