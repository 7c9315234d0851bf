"""What ``check`` says of values and configurations, held to what the real archive did with them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from dcmcfg.schema.findings import EntryFinding
from tests.recorded.recordings import http
from tests.recorded.refused_values import TriedValue, tried_values
from tests.schema.recorded_tree import ARCHIVE, DEVICES, RecordedTree, recorded_tree

#: The share of refused values that must be found. Whether a host name can be resolved is not known offline.
_SHARE = 0.95
_OWN = "dicomDeviceName=dcm4chee-arc"
_AE = f"dicomAETitle=DCM4CHEE,{_OWN}"
_CONNECTION = f"cn=dicom,{_OWN}"
_TLS = f"cn=dicom-tls,{_OWN}"
#: (recording, entry below cn=Devices, attribute, value) of the configurations in which one value was changed.
_ONE_VALUE = [
    ("reload-ae-on-hl7-connection", _AE, "dicomNetworkConnectionReference", f"cn=hl7,{ARCHIVE}"),
    ("reload-bind-address", _CONNECTION, "dcmBindAddress", "203.0.113.7"),
    ("reload-bind-host-unknown", _CONNECTION, "dcmBindAddress", "nosuch.invalid"),
    ("reload-ciphers-unknown", _TLS, "dicomTLSCipherSuite", "ECDHE-RSA-AES128-GCM-SHA256"),
    (
        "reload-connection-of-other-device",
        _AE,
        "dicomNetworkConnectionReference",
        f"cn=dicom,dicomDeviceName=storescp,{DEVICES}",
    ),
    ("reload-dangling-connection-reference", _AE, "dicomNetworkConnectionReference", f"cn=gone,{ARCHIVE}"),
    ("reload-duration", _OWN, "dcmAECacheStaleTimeout", "5 minutes"),
    ("reload-enum", _OWN, "dcmOverwritePolicy", "SOMETIMES"),
    ("reload-export-rule-property", f"cn=To LONGTERM,{_OWN}", "dcmProperty", "foo"),
    ("reload-export-rule-schedule", f"cn=To LONGTERM,{_OWN}", "dcmSchedule", "foo"),
    ("reload-exporter-queue", f"dcmExporterID=LONGTERM,{_OWN}", "dcmQueueName", "NOSUCH"),
    ("reload-exporter-uri-scheme", f"dcmExporterID=LONGTERM,{_OWN}", "dcmURI", "nosuch:LONGTERM"),
    ("reload-exporter-uri", f"dcmExporterID=LONGTERM,{_OWN}", "dcmURI", "foo bar"),
    ("reload-fuzzy-class", _OWN, "dcmFuzzyAlgorithmClass", "org.foo.Bar"),
    ("reload-hl7-on-dicom-port", f"cn=hl7,{_OWN}", "dicomPort", "11112"),
    ("reload-hostname-unknown", _CONNECTION, "dicomHostname", "nosuch.invalid"),
    ("reload-keystore-pin", _OWN, "dcmKeyStorePin", "wrong"),
    ("reload-keystore-url", _OWN, "dcmKeyStoreURL", "file:/nosuch.p12"),
    ("reload-object-storage-unknown", _AE, "dcmObjectStorageID", "nosuch"),
    ("reload-port-70000", _TLS, "dicomPort", "70000"),
    ("reload-protocol", _TLS, "dcmProtocol", "FTP"),
    ("reload-storage-duration", f"dcmStorageID=fs1,{_OWN}", "dcmStorageDuration", "FOREVER"),
    ("reload-storage-threshold", f"dcmStorageID=fs1,{_OWN}", "dcmDeleterThreshold", "1g"),
    ("reload-storage-uri", f"dcmStorageID=fs1,{_OWN}", "dcmURI", "foo bar"),
    ("reload-tag", f"dcmEntity=Study,{_OWN}", "dcmTag", "0020000Z"),
    ("reload-transfer-role", f"cn=CT Image Storage SCP,{_AE}", "dicomTransferRole", "scp"),
    ("reload-two-connections-one-port", _TLS, "dicomPort", "11112"),
]
#: What makes a reload fail although the device loads: the host and the network decide, or other connections and files.
_BINDING = {
    "reload-bind-address",
    "reload-bind-host-unknown",
    "reload-hl7-on-dicom-port",
    "reload-hostname-unknown",
    "reload-keystore-url",
    "reload-two-connections-one-port",
}
_NO_DEVICE = "reload-device-gone"

Judged = tuple[TriedValue, tuple[EntryFinding, ...]]


@pytest.fixture(scope="module")
def tree() -> RecordedTree:
    return recorded_tree()


@pytest.fixture(scope="module")
def judged(recordings: Path, tree: RecordedTree) -> list[Judged]:
    """All values that were tried, each with what ``check`` finds where it is set."""
    assert recordings.is_dir()
    return [(each, tree.findings_with(each.entry, each.attribute, each.value)) for each in tried_values()]


def unloadable(findings: tuple[EntryFinding, ...]) -> list[EntryFinding]:
    return [each for each in findings if each.impact == "unloadable"]


def test_the_recorded_configuration_loads(recordings: Path, tree: RecordedTree) -> None:
    assert recordings.is_dir()
    assert [(str(each.dn), each.message) for each in tree.findings() if each.impact != "rule"] == []


def test_refused_values_are_unloadable_and_loaded_values_are_not(judged: list[Judged]) -> None:
    called = [each for each, findings in judged if unloadable(findings)]
    found = frozenset(called)
    refused = sum(each.refused for each, _ in judged)
    false_alarms = [each for each in called if not each.refused]
    missed = Counter((each.object_class, each.attribute) for each, _ in judged if each.refused and each not in found)
    share = (len(called) - len(false_alarms)) / refused
    figures = f"found {share:.1%} of {refused} refused values of {len(judged)}; missed: {dict(missed)}"
    assert refused > 4000, figures
    assert share >= _SHARE, figures
    assert false_alarms == [], figures


def test_no_value_that_loads_is_an_error(judged: list[Judged]) -> None:
    errors = [
        (each, finding.rule.name)
        for each, findings in judged
        if not each.refused
        for finding in findings
        if finding.severity == "error"
    ]
    assert errors == []


def test_each_broken_configuration_is_listed(recordings: Path) -> None:
    assert recordings.is_dir()
    assert len({name for name, *_ in _ONE_VALUE} | {_NO_DEVICE}) == 28


@pytest.mark.parametrize(("name", "entry", "attribute", "value"), _ONE_VALUE, ids=[each[0] for each in _ONE_VALUE])
def test_a_broken_configuration_is_judged_as_the_archive_did(
    recordings: Path, tree: RecordedTree, name: str, entry: str, attribute: str, value: str
) -> None:
    assert recordings.is_dir()
    found = unloadable(tree.findings(tree.entry(entry).with_values(attribute, (value.encode(),))))
    refused = http("ctrl-broken", name).status != 204
    assert [bool(found)] == [refused and name not in _BINDING], name


def test_a_device_that_is_renamed_is_not_judged(recordings: Path) -> None:
    """The archive looks for the name that it was started with, and a tree does not have that."""
    assert recordings.is_dir()
    assert http("ctrl-broken", _NO_DEVICE).status == 500
