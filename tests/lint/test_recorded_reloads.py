"""Configurations that a real archive was asked to reload: a plan that makes one is refused where the archive did."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dcmcfg.changes import Change, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.lint.new_load_failures import find_new_load_failures
from dcmcfg.plan.loadability import REFUSED_KINDS
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.plan.risk_checks import find_risks
from tests.lint.breaking import (
    ARCHIVE,
    DCM4CHEE,
    EXPORTER,
    REFERENCE,
    RULE,
    STORAGE,
    STORESCP_DEVICE,
    put,
    valid_tree,
)
from tests.recorded.recordings import http, http_names

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CT = f"cn=CT Image Storage SCP,{DCM4CHEE}"
#: Recording → the same change of the lab's tree.
CHANGES: dict[str, Change] = {
    "reload-ae-on-hl7-connection": put(DCM4CHEE, **{REFERENCE: f"cn=hl7,{ARCHIVE}"}),
    "reload-ciphers-unknown": put(f"cn=dicom-tls,{ARCHIVE}", dicomTLSCipherSuite="ECDHE-RSA-AES128-GCM-SHA256"),
    "reload-connection-of-other-device": put(DCM4CHEE, **{REFERENCE: f"cn=dicom,{STORESCP_DEVICE}"}),
    "reload-dangling-connection-reference": put(DCM4CHEE, **{REFERENCE: f"cn=gone,{ARCHIVE}"}),
    "reload-duration": put(ARCHIVE, dcmAECacheStaleTimeout="5 minutes"),
    "reload-enum": put(ARCHIVE, dcmOverwritePolicy="SOMETIMES"),
    "reload-export-rule-property": put(RULE, dcmProperty="foo"),
    "reload-export-rule-schedule": put(RULE, dcmSchedule="foo"),
    "reload-exporter-queue": put(EXPORTER, dcmQueueName="NOSUCH"),
    "reload-exporter-uri": put(EXPORTER, dcmURI="foo bar"),
    "reload-exporter-uri-scheme": put(EXPORTER, dcmURI="nosuch:LONGTERM"),
    "reload-fuzzy-class": put(ARCHIVE, dcmFuzzyAlgorithmClass="org.foo.Bar"),
    "reload-hl7-on-dicom-port": put(f"cn=hl7,{ARCHIVE}", dicomPort="11115"),
    "reload-object-storage-unknown": put(DCM4CHEE, dcmObjectStorageID="nosuch"),
    "reload-port-70000": put(f"cn=dicom-tls,{ARCHIVE}", dicomPort="70000"),
    "reload-protocol": put(f"cn=dicom-tls,{ARCHIVE}", dcmProtocol="FTP"),
    "reload-storage-duration": put(STORAGE, dcmStorageDuration="FOREVER"),
    "reload-storage-threshold": put(STORAGE, dcmDeleterThreshold="1g"),
    "reload-storage-uri": put(STORAGE, dcmURI="foo bar"),
    "reload-tag": put(f"dcmEntity=Study,{ARCHIVE}", dcmTag="0020000Z"),
    "reload-transfer-role": put(CT, dicomTransferRole="scp"),
    "reload-two-connections-one-port": put(f"cn=dicom-tls,{ARCHIVE}", dicomPort="11115"),
    "reload-keystore-pin": put(ARCHIVE, dcmKeyStorePin="wrong"),
}
#: What only the archive's machine shows: its addresses, its name server, its files.
UNKNOWN = (
    "reload-bind-address",
    "reload-bind-host-unknown",
    "reload-hostname-unknown",
    "reload-keystore-url",
)


def plan_of(*changes: Change) -> Plan:
    return make_plan(valid_tree(), [DesiredChange(change) for change in changes])


@pytest.mark.usefixtures("recordings")
@pytest.mark.parametrize("name", CHANGES)
def test_a_plan_is_refused_where_the_archive_refused_the_configuration(name: str) -> None:
    recorded = http("ctrl-broken", name)
    found = [each.finding.impact for each in find_new_load_failures(plan_of(CHANGES[name]), NOW)]
    assert any(kind in REFUSED_KINDS for kind in found) == (recorded.status != 204), (
        recorded.text.splitlines()[:1],
        found,
    )


@pytest.mark.usefixtures("recordings")
def test_every_recorded_reload_is_judged_or_named_as_one_that_the_tree_does_not_show() -> None:
    assert sorted((*CHANGES, *UNKNOWN, "reload-device-gone")) == http_names("ctrl-broken")


def test_the_device_that_is_gone_is_a_risk_of_its_own() -> None:
    plan = plan_of(Rename(DN.parse(ARCHIVE), RDN.of("dicomDeviceName", "dcm4chee-arc2")))
    assert "archive-device" in {risk.name for risk in find_risks(plan, device="dcm4chee-arc")}
