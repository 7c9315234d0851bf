"""The lists that the archive answers from its memory: AEs, storages, exporters, queues and others.

Simulates QueryAETs, StorageRS, QueryExporters, QueryQueues, QueryRejectionNotes, MetricsRS, QueryAttributeSets and
QueryAttributeFilter, for the attributes that the recordings of a real archive show, and for some that only its source
shows. A field without a value is omitted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dcmcfg.entry import Entry

Item = dict[str, Any]
#: The entities of AttributeFilter, and the types of AttributeSet.
_ENTITIES = ("Patient", "Study", "Series", "Instance", "MPPS", "MWL", "UPS")
_TYPES = ("QIDO_RS", "WADO_RS", "DIFF_RS", "LEADING_CFIND_SCP")
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
#: The free and the total space of a storage; nothing in the lab depends on them.
_SPACE = 10**12


@dataclass(frozen=True)
class LoadedLists:
    """The lists by path below the archive's base URL, as JSON text."""

    by_path: Mapping[str, str] = field(default_factory=dict)

    def find(self, path: str) -> tuple[int, str] | None:
        """Return status and body for *path*; None for any other path."""
        if (body := self.by_path.get(path)) is not None:
            return 200, body
        kind, _, name = path.removeprefix("/").partition("/")
        match kind:
            case "attribute-set" if name in _TYPES:
                return 200, "[]"
            case "attribute-set":
                return 404, f'{{"errorMessage":"Attribute Set of type : {name} not found."}}'
            case "attribute-filter" if name not in _ENTITIES:
                return 404, f'{{"errorMessage":"No enum constant org.dcm4chee.arc.conf.Entity.{name}"}}'
        return None


def build_loaded_lists(entries: Sequence[Entry]) -> LoadedLists:
    """Return the lists of the device with the subtree *entries*, its own entry first."""
    device = entries[0]
    children = [each for each in entries if each.dn.parent == device.dn]
    found = {
        "/devicename": {"dicomDeviceName": device.text("dicomDeviceName")},
        "/aets": _list(children, "dicomNetworkAE", lambda entry: _make_ae(entry, device, children)),
        "/storage": _list(children, "dcmStorage", lambda entry: _make_storage(entry, children)),
        "/export": _list(children, "dcmExporter", lambda entry: _take(entry, id="dcmExporterID", description=_TEXT)),
        "/queue": _list(children, "dcmQueue", lambda entry: _take(entry, name="dcmQueueName", description=_TEXT)),
        "/metrics": _list(children, "dcmMetrics", _make_metrics),
        "/reject": [
            each
            for each in _list(children, "dcmRejectionNote", _make_rejection_note)
            if each.get("type") != "REVOKE_REJECTION"
        ],
    }
    for kind in _TYPES:
        found[f"/attribute-set/{kind}"] = [
            each for each in _list(children, "dcmAttributeSet", _make_attribute_set) if each.get("type") == kind
        ]
    for entry in children:
        if entry.is_a("dcmAttributeFilter"):
            found[f"/attribute-filter/{entry.text('dcmEntity')}"] = _make_attribute_filter(entry)
    return LoadedLists({path: json.dumps(content, separators=(",", ":")) for path, content in found.items()})


_TEXT = "dicomDescription"


def _list(children: Sequence[Entry], object_class: str, make: Callable[[Entry], Item]) -> list[Item]:
    """Return the items of the entries of *object_class*, ordered by the first value of each item."""
    items = [make(entry) for entry in children if entry.is_a(object_class) and entry.text("dicomInstalled") != "FALSE"]
    return sorted(items, key=lambda item: str(item.get("id") or next(iter(item.values()))))


def _take(entry: Entry, **attributes: str) -> Item:
    """Return the first value of each of *attributes* by JSON key."""
    return {key: text for key, name in attributes.items() if (text := entry.text(name)) is not None}


def _make_ae(ae: Entry, device: Entry, children: Sequence[Entry]) -> Item:
    item = _take(ae, dicomAETitle="dicomAETitle", dicomDescription=_TEXT)
    if titles := ae.texts("dcmOtherAETitle"):
        item["dcmOtherAETitle"] = list(titles)
    view_id = ae.text("dcmQueryRetrieveViewID") or device.text("dcmQueryRetrieveViewID")
    views = [each for each in children if each.is_a("dcmQueryRetrieveView")]
    if any(
        each.text("dcmQueryRetrieveViewID") == view_id and each.text("dcmHideNotRejectedInstances") == "TRUE"
        for each in views
    ):
        item["dcmHideNotRejectedInstances"] = True
    for name, default in (
        ("dcmAllowDeletePatient", "WITHOUT_STUDIES"),
        ("dcmAllowDeleteStudyPermanently", "REJECTED"),
    ):
        item[name] = ae.text(name) or device.text(name) or default
    return item


def _make_storage(storage: Entry, children: Sequence[Entry]) -> Item:
    item = _take(storage, dcmStorageID="dcmStorageID", dcmURI="dcmURI", dcmDigestAlgorithm="dcmDigestAlgorithm")
    for name, default in (("dcmInstanceAvailability", "ONLINE"), ("dcmStorageDuration", "PERMANENT")):
        if (text := storage.text(name)) not in (None, default):
            item[name] = text
    for name in ("dcmReadOnly", "dcmNoDeletionConstraint"):
        if storage.text(name) == "TRUE":
            item[name] = True
    if thresholds := storage.texts("dcmDeleterThreshold"):
        item["deleterThreshold"] = [_make_threshold(each) for each in thresholds]
    for name in ("dcmExternalRetrieveAET", "dcmExportStorageID"):
        if values := storage.texts(name):
            item[name] = list(values)
    item |= _take(storage, dcmStorageClusterID="dcmStorageClusterID")
    storage_id = item.get("dcmStorageID", "")
    aes = [
        each.text("dicomAETitle")
        for each in children
        if each.is_a("dicomNetworkAE") and storage_id in each.texts("dcmObjectStorageID")
    ]
    if aes:
        item |= {"dicomAETitle": sorted(filter(None, aes)), "usages": ["dcmObjectStorageID"]}
    return item | {"usableSpace": _SPACE, "totalSpace": _SPACE}


def _make_threshold(text: str) -> Item:
    schedule, closing, size = text.rpartition("]")
    size = size.rstrip("B")
    digits = size.rstrip("kMGTi")
    return {schedule + closing: int(digits) * _UNITS[size[len(digits) :]]}


def _make_metrics(entry: Entry) -> Item:
    item = _take(entry, dcmMetricsName="dcmMetricsName", dicomDescription=_TEXT)
    item["dcmMetricsRetentionPeriod"] = entry.text("dcmMetricsRetentionPeriod") or "60"
    return item | _take(entry, dcmUnit="dcmUnit")


def _make_rejection_note(entry: Entry) -> Item:
    item = _take(entry, label="dcmRejectionNoteLabel", type="dcmRejectionNoteType")
    code = entry.text("dcmRejectionNoteCode") or ""
    # A code is written (VALUE, SCHEME, "MEANING").
    parts = [each.strip().strip('"') for each in code.strip("()").split(",", 2)]
    return item | dict(zip(("codeValue", "codingSchemeDesignator", "codeMeaning"), parts, strict=False))


def _make_attribute_set(entry: Entry) -> Item:
    item = _take(
        entry, type="dcmAttributeSetType", id="dcmAttributeSetID", description=_TEXT, title="dcmAttributeSetTitle"
    )
    for text in entry.texts("dcmProperty"):
        key, _, value = text.partition("=")
        item[key] = value
    return item


def _make_attribute_filter(entry: Entry) -> Item:
    item: Item = {
        "dcmEntity": entry.text("dcmEntity"),
        "dcmTag": sorted(each.upper() for each in entry.texts("dcmTag")),
    }
    return item | _take(entry, dcmAttributeUpdatePolicy="dcmAttributeUpdatePolicy")
