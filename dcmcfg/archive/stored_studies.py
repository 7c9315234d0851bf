"""Read the location of a study's files from the archive's database in DICOM JSON (PS3.18 Annex F).

The private elements belong to the creator ``DCM4CHEE Archive 5``. The archive (5.35.1) returns a private element only
if the request contains its number. It then returns the element in every result, empty if there is no value; an external
AE title ``*`` (none recorded) is empty as well. A missing element therefore has no meaning, and is an error here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

from dcmcfg.unsigned_integer import parse_unsigned_integer

PRIVATE_CREATOR = "DCM4CHEE Archive 5"
#: The elements that reserve a private block, 10 to FF (PS3.5 §7.8.1).
_CREATOR = re.compile("777700([1-9A-F][0-9A-F])")
#: Element numbers within the private block.
_COMPLETENESS, _FAILED_RETRIEVES, _STUDY_STORAGES, _STUDY_EXTERNAL = 0x25, 0x26, 0x28, 0x45
_INSTANCE_EXTERNAL, _INSTANCE_STORAGE = 0x43, 0x50
#: Requested elements of a study and of an instance; the archive maps the block 10 to its own.
STUDY_FIELDS = tuple(
    f"777710{each:02X}" for each in (_COMPLETENESS, _FAILED_RETRIEVES, _STUDY_STORAGES, _STUDY_EXTERNAL)
)
INSTANCE_FIELDS = tuple(
    f"777710{each:02X}" for each in (_COMPLETENESS, _FAILED_RETRIEVES, _INSTANCE_EXTERNAL, _INSTANCE_STORAGE)
)


@dataclass(frozen=True)
class StoredInstance:
    """An instance in the archive's database.

    ``storage_ids`` are the storages that hold its file, empty if there is no file. ``external_ae_title`` is the
    external retrieve AE title recorded for it, empty for none.
    """

    sop_instance_uid: str
    storage_ids: tuple[str, ...] = ()
    external_ae_title: str = ""


@dataclass(frozen=True)
class StoredStudy:
    """A study in the archive's database.

    ``is_known`` is False if the database does not have it; then nothing else is set. ``storage_ids`` are the storages
    that hold files of it, empty for a purged study. ``external_ae_title`` is the external retrieve AE title that all
    instances have in common, empty if none is recorded or they differ. ``completeness`` is empty for a complete study.
    ``instances`` is set only if they were requested.
    """

    study_uid: str
    _: KW_ONLY
    is_known: bool = True
    instance_count: int | None = None
    availability: str = ""
    storage_ids: tuple[str, ...] = ()
    external_ae_title: str = ""
    completeness: str = ""
    failed_retrieves: int = 0
    instances: tuple[StoredInstance, ...] | None = None


class InvalidDicomJson(ValueError):
    """A text that is not DICOM JSON, or has an element without a readable value; ``str()`` is the reason."""


@dataclass(frozen=True)
class InstanceResult:
    """One result of a search for instances, with the elements of its study."""

    instance: StoredInstance
    _: KW_ONLY
    study_uid: str
    availability: str
    completeness: str
    failed_retrieves: int


def parse_studies(body: str) -> tuple[StoredStudy, ...]:
    """Return the studies in *body*, requested with :data:`STUDY_FIELDS`; raises :class:`InvalidDicomJson`."""
    return tuple(map(_build_study, _parse_datasets(body)))


def parse_instances(body: str) -> tuple[InstanceResult, ...]:
    """Return the instances in *body*, requested with :data:`INSTANCE_FIELDS`; raises :class:`InvalidDicomJson`."""
    return tuple(map(_build_instance_result, _parse_datasets(body)))


def combine_instances(study_uid: str, results: Iterable[InstanceResult]) -> StoredStudy:
    """Return the study with the common values of its instances in *results*; unknown if there are none.

    Raises :class:`InvalidDicomJson` if they contradict each other, or belong to another study.
    """
    all_results = tuple(results)
    if not all_results:
        return StoredStudy(study_uid, is_known=False)
    # An instance that is stored during the search shifts the pages, so a result may come twice.
    instances = tuple(dict.fromkeys(each.instance for each in all_results))
    if len({each.sop_instance_uid for each in instances}) < len(instances):
        raise InvalidDicomJson("the response contains an instance twice, with different storages or external archives")
    if other_study_uids := {each.study_uid for each in all_results} - {"", study_uid}:
        raise InvalidDicomJson(
            f"the response contains an instance of the study {min(other_study_uids)}, but dcmcfg did not request this "
            "study"
        )
    external_ae_titles = {each.external_ae_title for each in instances}
    return StoredStudy(
        study_uid=study_uid,
        instance_count=len(instances),
        availability=_find_worst_availability(each.availability for each in all_results),
        storage_ids=tuple(sorted({storage for each in instances for storage in each.storage_ids})),
        external_ae_title=external_ae_titles.pop() if len(external_ae_titles) == 1 else "",
        completeness=all_results[0].completeness,
        failed_retrieves=all_results[0].failed_retrieves,
        instances=instances,
    )


def _find_worst_availability(availabilities: Iterable[str]) -> str:
    """Return the worst Instance Availability, as defined for a study (PS3.4 §C.3.5)."""
    order = ("", "ONLINE", "NEARLINE", "OFFLINE", "UNAVAILABLE")
    return max(availabilities, key=lambda each: order.index(each) if each in order else 0, default="")


@dataclass(frozen=True)
class _Dataset:
    elements: Mapping[str, Any]
    block: str

    def texts(self, tag: str) -> tuple[str, ...]:
        """Return the values of *tag* as text, without structured values."""
        element = self.elements.get(tag)
        values = element.get("Value") if isinstance(element, dict) else None
        value_list = values if isinstance(values, list) else ()
        return tuple(str(value).strip() for value in value_list if isinstance(value, str | int) and str(value).strip())

    def text(self, tag: str) -> str:
        return next(iter(self.texts(tag)), "")

    def number(self, tag: str) -> int | None:
        return parse_unsigned_integer(self.text(tag))

    def get_private_tag(self, element: int) -> str:
        """Return the tag of the private *element*.

        Raises :class:`InvalidDicomJson` if the response does not have it, or its value is not a list of texts and
        numbers: it must not count as an element without a value.
        """
        tag = f"7777{self.block}{element:02X}"
        element_content = self.elements.get(tag)
        if not isinstance(element_content, dict):
            raise InvalidDicomJson(f"the requested element {tag} is missing")
        values = element_content.get("Value", [])
        # isinstance would accept True, which is an int.
        is_readable = isinstance(values, list) and all(type(each) in (str, int) for each in values)
        # A BulkDataURI or InlineBinary is a value as well (PS3.18 §F.2.2).
        if not is_readable or element_content.keys() - {"vr", "Value"}:
            raise InvalidDicomJson(f"the value of the element {tag} cannot be read")
        return tag


def _parse_datasets(body: str) -> Iterable[_Dataset]:
    try:
        content = json.loads(body)
    except RecursionError:
        raise InvalidDicomJson("JSON nested too deeply") from None
    except ValueError:
        raise InvalidDicomJson("not JSON") from None
    if not isinstance(content, list) or not all(isinstance(each, dict) for each in content):
        raise InvalidDicomJson("not a list of data sets")
    return [_create_dataset({str(tag).upper(): element for tag, element in each.items()}) for each in content]


def _create_dataset(elements: Mapping[str, Any]) -> _Dataset:
    """Return the data set with its private block, found by its creator (PS3.5 §7.8.1)."""
    dataset = _Dataset(elements, "")
    creators = filter(None, map(_CREATOR.fullmatch, elements))
    block = next((match[1] for match in creators if dataset.text(match[0]) == PRIVATE_CREATOR), None)
    if block is None:
        raise InvalidDicomJson(f"no elements of {PRIVATE_CREATOR}")
    return _Dataset(elements, block)


def _build_study(dataset: _Dataset) -> StoredStudy:
    if not dataset.text("0020000D"):
        raise InvalidDicomJson("no Study Instance UID")
    return StoredStudy(
        study_uid=dataset.text("0020000D"),
        instance_count=dataset.number("00201208"),
        availability=dataset.text("00080056"),
        storage_ids=dataset.texts(dataset.get_private_tag(_STUDY_STORAGES)),
        external_ae_title=_normalize_ae_title(dataset.text(dataset.get_private_tag(_STUDY_EXTERNAL))),
        completeness=dataset.text(dataset.get_private_tag(_COMPLETENESS)),
        failed_retrieves=dataset.number(dataset.get_private_tag(_FAILED_RETRIEVES)) or 0,
    )


def _build_instance_result(dataset: _Dataset) -> InstanceResult:
    if not dataset.text("00080018"):
        raise InvalidDicomJson("no SOP Instance UID")
    return InstanceResult(
        StoredInstance(
            dataset.text("00080018"),
            dataset.texts(dataset.get_private_tag(_INSTANCE_STORAGE)),
            _normalize_ae_title(dataset.text(dataset.get_private_tag(_INSTANCE_EXTERNAL))),
        ),
        study_uid=dataset.text("0020000D"),
        availability=dataset.text("00080056"),
        completeness=dataset.text(dataset.get_private_tag(_COMPLETENESS)),
        failed_retrieves=dataset.number(dataset.get_private_tag(_FAILED_RETRIEVES)) or 0,
    )


def _normalize_ae_title(text: str) -> str:
    return "" if text == "*" else text
