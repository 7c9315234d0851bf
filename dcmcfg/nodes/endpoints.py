"""The endpoints of the archive that show the configuration in its memory, and the values that they show.

Only endpoints that answer from memory are listed. ``/devices``, ``/aes``, ``/webapps``, ``/hl7apps`` and ``/unique``
answer from LDAP, so they show nothing about what a node has loaded. Observed on dcm4chee-arc 5.35.1; the JSON keys and
the omitted defaults are those of the archive's classes QueryAETs, StorageRS, QueryExporters, QueryQueues,
QueryRejectionNotes, MetricsRS, QueryAttributeSets and QueryAttributeFilter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from dcmcfg.entry import Entry
from dcmcfg.schema_names import DICOM_INSTALLED

#: What a field shows for values of an attribute; None stands for an omitted field.
Shown = str | bool | frozenset[str] | None
_SIZE = re.compile(r"((?:\[[^]]*\])?)([0-9]{1,18})([kKMGTP]?)(i?)B?", re.ASCII)
_UNIT_EXPONENTS = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}


def show_text(values: tuple[str, ...]) -> Shown:
    """Return the first value as it is."""
    return values[0] if values else None


def show_list(values: tuple[str, ...]) -> Shown:
    """Return all values; their order has no meaning."""
    return frozenset(values) or None


def show_tags(values: tuple[str, ...]) -> Shown:
    """Return all values in upper case."""
    return frozenset(value.upper() for value in values) or None


def show_true(values: tuple[str, ...]) -> Shown:
    """Return true for ``TRUE``; the archive omits false."""
    return True if values[:1] == ("TRUE",) else None


def show_sizes(values: tuple[str, ...]) -> Shown:
    """Return each threshold as ``SCHEDULE=OCTETS``; an empty set if a value is not a whole number with a unit."""
    found = []
    for value in values:
        match = _SIZE.fullmatch(value)
        if match is None:
            return frozenset()
        factor = (1024 if match[4] else 1000) ** _UNIT_EXPONENTS[match[3]]
        found.append(f"{match[1]}={int(match[2]) * factor}")
    return frozenset(found) or None


def omit(default: str) -> Callable[[tuple[str, ...]], Shown]:
    """Return a function that shows the first value, and omits *default*."""
    return lambda values: None if not values or values[0] == default else values[0]


def fill_in(default: str) -> Callable[[tuple[str, ...]], Shown]:
    """Return a function that shows the first value, or *default* without a value."""
    return lambda values: values[0] if values else default


@dataclass(frozen=True)
class ShownField:
    """A field of an item in JSON: it shows the values of ``attribute`` as converted by ``show``."""

    key: str
    attribute: str
    show: Callable[[tuple[str, ...]], Shown] = show_text


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An endpoint that lists the entries of ``object_class`` directly below the archive's device.

    ``path`` may contain an attribute of the entry in braces. The items are identified by ``key``, which shows
    ``name_attribute``; without a ``key``, the endpoint answers with a single item. ``is_listed`` returns whether an
    entry has an item; None if that is unknown.
    """

    object_class: str
    path: str
    key: str
    name_attribute: str
    fields: tuple[ShownField, ...]
    is_listed: Callable[[Entry], bool | None] = lambda _: True

    def get_path(self, entry: Entry) -> str:
        """Return the path for *entry*."""
        return re.sub(r"\{(\w+)\}", lambda match: quote(entry.text(match[1]) or "", safe=""), self.path)


def _is_installed(entry: Entry) -> bool:
    return entry.text(DICOM_INSTALLED) != "FALSE"


_DESCRIPTION = "dicomDescription"
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        object_class="dicomNetworkAE",
        path="/aets",
        key="dicomAETitle",
        name_attribute="dicomAETitle",
        fields=(
            ShownField(_DESCRIPTION, _DESCRIPTION),
            ShownField("dcmOtherAETitle", "dcmOtherAETitle", show_list),
        ),
        is_listed=_is_installed,
    ),
    Endpoint(
        object_class="dcmStorage",
        path="/storage",
        key="dcmStorageID",
        name_attribute="dcmStorageID",
        fields=(
            ShownField("dcmURI", "dcmURI"),
            ShownField("dcmDigestAlgorithm", "dcmDigestAlgorithm"),
            ShownField("dcmInstanceAvailability", "dcmInstanceAvailability", omit("ONLINE")),
            ShownField("dcmStorageDuration", "dcmStorageDuration", omit("PERMANENT")),
            ShownField("dcmReadOnly", "dcmReadOnly", show_true),
            ShownField("dcmNoDeletionConstraint", "dcmNoDeletionConstraint", show_true),
            ShownField("dcmExternalRetrieveAET", "dcmExternalRetrieveAET", show_list),
            ShownField("dcmExportStorageID", "dcmExportStorageID", show_list),
            ShownField("dcmStorageClusterID", "dcmStorageClusterID"),
            ShownField("deleterThreshold", "dcmDeleterThreshold", show_sizes),
        ),
    ),
    Endpoint(
        object_class="dcmExporter",
        path="/export",
        key="id",
        name_attribute="dcmExporterID",
        fields=(ShownField("description", _DESCRIPTION),),
    ),
    Endpoint(
        object_class="dcmQueue",
        path="/queue",
        key="name",
        name_attribute="dcmQueueName",
        fields=(ShownField("description", _DESCRIPTION),),
        is_listed=lambda entry: _is_installed(entry) or None,
    ),
    Endpoint(
        object_class="dcmRejectionNote",
        path="/reject",
        key="label",
        name_attribute="dcmRejectionNoteLabel",
        fields=(ShownField("type", "dcmRejectionNoteType"),),
        # The archive lists the notes that revoke a rejection only on request.
        is_listed=lambda entry: entry.text("dcmRejectionNoteType") != "REVOKE_REJECTION",
    ),
    Endpoint(
        object_class="dcmMetrics",
        path="/metrics",
        key="dcmMetricsName",
        name_attribute="dcmMetricsName",
        fields=(
            ShownField(_DESCRIPTION, _DESCRIPTION),
            ShownField("dcmMetricsRetentionPeriod", "dcmMetricsRetentionPeriod", fill_in("60")),
            ShownField("dcmUnit", "dcmUnit"),
        ),
    ),
    Endpoint(
        object_class="dcmAttributeSet",
        path="/attribute-set/{dcmAttributeSetType}",
        key="id",
        name_attribute="dcmAttributeSetID",
        fields=(ShownField("description", _DESCRIPTION), ShownField("title", "dcmAttributeSetTitle")),
        is_listed=_is_installed,
    ),
    Endpoint(
        object_class="dcmAttributeFilter",
        path="/attribute-filter/{dcmEntity}",
        key="",
        name_attribute="dcmEntity",
        fields=(
            ShownField("dcmTag", "dcmTag", show_tags),
            ShownField("dcmAttributeUpdatePolicy", "dcmAttributeUpdatePolicy"),
        ),
    ),
)


def find_endpoint(entry: Entry) -> Endpoint | None:
    """Return the endpoint that lists *entry*, or None."""
    return next((each for each in ENDPOINTS if entry.is_a(each.object_class)), None)


def read_field(item: object, key: str) -> Shown:
    """Return the value of the field *key* of *item*, a JSON object, in the form of :data:`Shown`."""
    value = item.get(key) if isinstance(item, dict) else None
    match value:
        case bool() | str():
            return value
        case int() | float():
            return str(value)
        case list():
            return frozenset(_flatten(value)) or None
    return None


def _flatten(values: list[object]) -> Iterator[str]:
    for value in values:
        # Thresholds are objects with a schedule (often an empty one) and octets.
        if isinstance(value, dict):
            yield from (f"{key}={number}" for key, number in value.items())
        else:
            yield str(value)
