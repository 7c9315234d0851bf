"""DICOM audit messages, validated with lxml against the structure that PS3.15 A.5.1 defines."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from dcmcfg.audit.dicom_message import EventOutcome, format_audit_message, is_network_step
from dcmcfg.dn import DN
from dcmcfg.printable import escape_unprintable
from dcmcfg.rollout.recorded_steps import RecordedAttribute, RecordedStep, StepOperation
from tests.rollout.test_blame import added, change, deleted, renamed, wrote

SCHEMA = etree.RelaxNG(etree.parse(Path(__file__).parents[1] / "fixtures" / "audit" / "audit-message.rng"))
DEVICE = "dicomDeviceName=arc,cn=Devices,dc=org"


def parse(*steps: RecordedStep, outcome: EventOutcome = EventOutcome.SUCCESS, description: str = "x") -> etree._Element:
    text = format_audit_message(change(1, *steps).record, outcome, description)
    assert text.isascii()
    assert "\n" not in text
    document = etree.fromstring(text.encode())
    SCHEMA.assertValid(document)
    return document


def test_the_schema_refuses_another_structure() -> None:
    document = parse(wrote(DEVICE, "x"))
    document.remove(document[0])
    assert not SCHEMA.validate(document)


@pytest.mark.parametrize("outcome", EventOutcome)
def test_a_message_names_the_account_the_host_and_the_entries(outcome: EventOutcome) -> None:
    document = parse(wrote(DEVICE, "x"), renamed(DEVICE, "dicomDeviceName=b,dc=org"), outcome=outcome)
    assert document.xpath("EventIdentification/@EventOutcomeIndicator") == [outcome.value]
    assert document.xpath("EventIdentification/EventID/@csd-code") == ["110113"]
    assert document.xpath("ActiveParticipant/@UserID") == ["adm1"]
    assert document.xpath("ActiveParticipant/@NetworkAccessPointID") == ["pacs"]
    names = document.xpath("ParticipantObjectIdentification/ParticipantObjectName/text()")
    assert names == [DEVICE, DEVICE]
    values = document.xpath("//ParticipantObjectDetail[@type='Attributes']/@value")
    assert base64.b64decode(values[0]) == b"dicomDescription"


@pytest.mark.parametrize(
    ("step", "is_network"),
    [
        (wrote(DEVICE, "x"), False),
        (wrote(f"dicomAETitle=A,{DEVICE}", "x"), True),
        (deleted(f"cn=c,dicomAETitle=A,{DEVICE}"), True),
        (wrote(f"cn=dicom,{DEVICE}", "104", "dicomPort"), True),
        (added(f"cn=dicom,{DEVICE}", "cn"), False),
        (
            RecordedStep(
                StepOperation.ADD,
                f"cn=dicom,{DEVICE}",
                attributes=(RecordedAttribute("objectClass", added=("dicomNetworkConnection",)),),
            ),
            True,
        ),
        (wrote(f"cn=rule,{DEVICE}", "x", "dcmRulePriority"), False),
        (wrote(f"dcmExporterID=e,{DEVICE}", "x", "dicomInstalled"), False),
    ],
)
def test_aes_and_connections_are_the_network_configuration(step: RecordedStep, is_network: bool) -> None:
    assert is_network_step(step) is is_network
    expected = "110128" if is_network else "110131"
    assert parse(step).xpath("EventIdentification/EventTypeCode/@csd-code") == [expected]


@given(st.text(), st.text(min_size=1))
def test_hostile_values_are_valid_and_come_back(description: str, name: str) -> None:
    dn = str(DN.parse(DEVICE).child("cn", name))
    document = parse(wrote(dn, "x"), description=description)
    (found,) = document.xpath("ParticipantObjectIdentification/ParticipantObjectName/text()")
    assert found == escape_unprintable(dn)
    if description:
        (value,) = document.xpath("//ParticipantObjectDetail[@type='Alert Description']/@value")
        assert base64.b64decode(value) == description.encode("utf-8", "backslashreplace")
