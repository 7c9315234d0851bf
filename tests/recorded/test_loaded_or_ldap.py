"""What is expected of a node after a change is what the real archive showed after its reload, and only then.

In each recording, one value was changed in LDAP; everything was asked before the reload, and after it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from dcmcfg.changes import Change
from dcmcfg.nodes.expectations import derive_expectations
from dcmcfg.plan.plan import DesiredChange, make_plan
from tests.lint.breaking import (
    ARCHIVE,
    CT,
    DCM4CHEE,
    EXPORTER,
    LONGTERM_DEVICE,
    REFERENCE,
    REGISTRY,
    STORAGE,
    more,
    new,
    put,
    valid_tree,
)

DEVICE = "dcm4chee-arc"
STUDY_FILTER = f"dcmEntity=Study,{ARCHIVE}"
RETRIEVE_DESTINATION = "dcmExternalRetrieveAEDestination"
DIFF_SET = f"dcmAttributeSetType=DIFF_RS+dcmAttributeSetID=x,{ARCHIVE}"
#: Recording → the same change of the lab's tree.
CHANGES: Mapping[str, Sequence[Change]] = {
    "AE added to the archive device (with registry entry)": [
        new(
            f"dicomAETitle=NEWAE,{ARCHIVE}",
            objectClass=("dicomNetworkAE", "dcmNetworkAE", "dcmArchiveNetworkAE"),
            dicomAETitle="NEWAE",
            dicomAssociationInitiator="TRUE",
            dicomAssociationAcceptor="TRUE",
            **{REFERENCE: f"cn=dicom,{ARCHIVE}"},
        ),
        new(f"dicomAETitle=NEWAE,{REGISTRY}", objectClass="dicomUniqueAETitle", dicomAETitle="NEWAE"),
    ],
    "AE DCM4CHEE: dicomDescription": [put(DCM4CHEE, dicomDescription="new")],
    "AE DCM4CHEE: dcmAcceptedMoveDestination STORESCP": [put(DCM4CHEE, dcmAcceptedMoveDestination="STORESCP")],
    "AE DCM4CHEE: dcmAcceptedCallingAETitle NOBODY": [put(DCM4CHEE, dcmAcceptedCallingAETitle="NOBODY")],
    "AE DCM4CHEE: dcmExternalRetrieveAEDestination NOWHERE": [put(DCM4CHEE, **{RETRIEVE_DESTINATION: "NOWHERE"})],
    "device: dcmExternalRetrieveAEDestination NOWHERE": [put(ARCHIVE, **{RETRIEVE_DESTINATION: "NOWHERE"})],
    "device: dcmExternalRetrieveAEDestination removed": [put(ARCHIVE, **{RETRIEVE_DESTINATION: ()})],
    "connection dicom-tls: dicomPort 9763": [put(f"cn=dicom-tls,{ARCHIVE}", dicomPort="9763")],
    "connection dicom: dcmReceivePDULength 20000": [put(f"cn=dicom,{ARCHIVE}", dcmReceivePDULength="20000")],
    "transfer capability (SCP, instance availability…) added": [
        new(
            f"cn=new,{DCM4CHEE}",
            objectClass="dicomTransferCapability",
            cn="new",
            dicomSOPClass=f"{CT}.99.1",
            dicomTransferRole="SCP",
            dicomTransferSyntax="1.2.840.10008.1.2",
        )
    ],
    "exporter added": [
        new(f"dcmExporterID=new,{ARCHIVE}", objectClass="dcmExporter", dcmExporterID="new", dcmURI="dicom:STORESCP")
    ],
    "exporter LONGTERM: dcmStgCmtSCP": [put(EXPORTER, dcmStgCmtSCP="STORESCP")],
    "exporter LONGTERM: dicomDescription": [put(EXPORTER, dicomDescription="new")],
    "storage added": [
        new(f"dcmStorageID=new,{ARCHIVE}", objectClass="dcmStorage", dcmStorageID="new", dcmURI="file:/new/")
    ],
    "storage fs1: dcmExternalRetrieveAET": [put(STORAGE, dcmExternalRetrieveAET="ELSEWHERE")],
    "storage fs1: dcmDeleterThreshold": [put(STORAGE, dcmDeleterThreshold="2MB")],
    "storage fs1: dcmStorageDuration PERMANENT": [put(STORAGE, dcmStorageDuration="PERMANENT")],
    "storage fs1: dcmReadOnly TRUE": [put(STORAGE, dcmReadOnly="TRUE")],
    "queue added": [
        new(f"dcmQueueName=New,{ARCHIVE}", objectClass="dcmQueue", dcmQueueName="New", dicomDescription="new")
    ],
    "web application added": [
        new(f"dcmWebAppName=new,{ARCHIVE}", objectClass="dcmWebApp", dcmWebAppName="new", dcmWebServicePath="/new")
    ],
    "attribute filter Study: dcmTag": [more(STUDY_FILTER, "dcmTag", "00380051")],
    "rejection note added": [
        new(
            f"dcmRejectionNoteLabel=New,{ARCHIVE}",
            objectClass="dcmRejectionNote",
            dcmRejectionNoteLabel="New",
            dcmRejectionNoteType="QUALITY_ISSUE",
            dcmRejectionNoteCode='(1,99NEW,"New")',
        )
    ],
    "attribute set added": [
        new(
            DIFF_SET,
            objectClass="dcmAttributeSet",
            dcmAttributeSetType="DIFF_RS",
            dcmAttributeSetID="x",
            dcmTag="0020000D",
        )
    ],
    "metrics entry added": [new(f"dcmMetricsName=new,{ARCHIVE}", objectClass="dcmMetrics", dcmMetricsName="new")],
    "device: dicomDescription": [put(ARCHIVE, dicomDescription="new")],
    "remote device longterm: port of its connection": [put(f"cn=dicom,{LONGTERM_DEVICE}", dicomPort="9763")],
}
#: What dcmcfg does not observe, because it depends on the caller.
UNOBSERVED = {"AE DCM4CHEE: dcmAcceptedCallingAETitle NOBODY"}


@pytest.fixture(scope="module")
def recorded(recordings: Path) -> Mapping[str, Mapping[str, Any]]:
    content = json.loads((recordings / "loaded-or-ldap.json").read_text("utf-8"))
    return {each["change"]: each for each in content["changes"]}


def list_sources(name: str) -> set[str]:
    """The sources of what is expected after the change *name*, as the recordings name them."""
    tree = valid_tree().with_changes([put(STORAGE, dcmStorageDuration="CACHE")])
    plan = make_plan(tree, [DesiredChange(each) for each in CHANGES[name]])
    assert plan.steps
    expectations = derive_expectations(plan, DEVICE)
    sources = {each.source for each in expectations.all}
    # All AEs of the connection show its maximum length; the recordings asked one of them.
    sources = {each.replace("AS_RECEIVED", "DCM4CHEE") for each in sources}
    return {f"TCP {each}" if each.startswith("port") else each for each in sources}


def test_every_recorded_change_is_compared(recorded: Mapping[str, Mapping[str, Any]]) -> None:
    assert set(CHANGES) == set(recorded)
    assert len(CHANGES) == 26


@pytest.mark.parametrize("name", CHANGES)
def test_only_sources_that_showed_the_change_after_the_reload_are_observed(
    recorded: Mapping[str, Mapping[str, Any]], name: str
) -> None:
    # The port of the recorded archive was another one than that of the lab.
    shown = {each.replace("9762", "2762") for each in recorded[name]["shows_only_after_reload"]}
    sources = list_sources(name)
    assert sources <= shown
    assert not sources & set(recorded[name]["shows_at_once_from_ldap"])


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_has_an_expectation_if_an_endpoint_a_port_or_an_association_showed_it(
    recorded: Mapping[str, Mapping[str, Any]], name: str
) -> None:
    shown = [each for each in recorded[name]["shows_only_after_reload"] if not each.startswith("C-MOVE")]
    assert bool(list_sources(name)) == (bool(shown) and name not in UNOBSERVED)
