"""A change as a DICOM audit message: a Security Alert (PS3.15 A.5.3.11) in the XML of PS3.15 A.5.1."""

from __future__ import annotations

import base64
from enum import Enum
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, tostring  # only writes XML

from dcmcfg.dn import DN
from dcmcfg.printable import escape_unprintable
from dcmcfg.rollout.recorded_steps import RecordedStep
from dcmcfg.rollout.shared_record import SharedRecord
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema_names import (
    COMMON_NAME,
    DCM_NETWORK_CONNECTION_OBJECT_CLASS,
    DICOM_AE_TITLE,
    DICOM_DEVICE_NAME,
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS,
    OBJECT_CLASS,
)

_SECURITY_ALERT = ("110113", "DCM", "Security Alert")
_NETWORK_CONFIGURATION = ("110128", "DCM", "Network Configuration")
_SOFTWARE_CONFIGURATION = ("110131", "DCM", "Software Configuration")
_URI = ("12", "RFC-3881", "URI")
_MACHINE_NAME, _SYSTEM_OBJECT, _MASTER_FILE, _APPLICATION_PROCESS = "1", "2", "5", "4"
#: The number of entries that a message lists.
_MAX_ENTRIES = 50


class EventOutcome(Enum):
    """The EventOutcomeIndicator (PS3.15 A.5.1)."""

    SUCCESS = "0"
    MINOR_FAILURE = "4"
    SERIOUS_FAILURE = "8"


def format_audit_message(record: SharedRecord, outcome: EventOutcome, description: str) -> str:
    """Return the XML document about *record*, in ASCII and on one line; *description* is the text of the alert."""
    message = Element("AuditMessage")
    event = SubElement(
        message,
        "EventIdentification",
        EventActionCode="E",
        EventDateTime=record.ended_at,
        EventOutcomeIndicator=outcome.value,
    )
    _add_code(event, "EventID", _SECURITY_ALERT)
    is_network = any(map(is_network_step, record.steps))
    _add_code(event, "EventTypeCode", _NETWORK_CONFIGURATION if is_network else _SOFTWARE_CONFIGURATION)
    SubElement(
        message,
        "ActiveParticipant",
        UserID=_clean(record.account),
        AlternativeUserID=_clean(record.identity),
        UserIsRequestor="true",
        NetworkAccessPointID=_clean(record.host),
        NetworkAccessPointTypeCode=_MACHINE_NAME,
    )
    source = SubElement(message, "AuditSourceIdentification", AuditSourceID=_clean(f"dcmcfg@{record.host}"))
    SubElement(source, "AuditSourceTypeCode", {"csd-code": _APPLICATION_PROCESS})
    for step in record.steps[:_MAX_ENTRIES]:
        _add_object(message, record, step, description)
    document: bytes = tostring(message, "us-ascii", xml_declaration=True)
    return document.decode("ascii").replace("\n", "", 1)


def _add_code(parent: Element, tag: str, code: tuple[str, str, str]) -> None:
    value, system, meaning = code
    SubElement(parent, tag, {"csd-code": value, "codeSystemName": system, "originalText": meaning})


def _add_object(message: Element, record: SharedRecord, step: RecordedStep, description: str) -> None:
    found = SubElement(
        message,
        "ParticipantObjectIdentification",
        ParticipantObjectID=f"{record.ldap_url}/{quote(step.dn, safe='=,+')}",
        ParticipantObjectTypeCode=_SYSTEM_OBJECT,
        ParticipantObjectTypeCodeRole=_MASTER_FILE,
    )
    _add_code(found, "ParticipantObjectIDTypeCode", _URI)
    SubElement(found, "ParticipantObjectName").text = _clean(step.dn)
    details = {
        "Alert Description": description,
        "Operation": step.operation.value,
        "Attributes": " ".join(attribute.name for attribute in step.attributes),
        "New DN": step.new_dn,
    }
    for kind, text in details.items():
        if text:
            value = base64.b64encode(text.encode("utf-8", "backslashreplace")).decode("ascii")
            SubElement(found, "ParticipantObjectDetail", type=kind, value=value)


def _clean(text: str) -> str:
    """Return *text* without characters that XML does not allow, or that would begin a new line."""
    return escape_unprintable(text)


def is_network_step(step: RecordedStep) -> bool:
    """Return whether *step* changes an AE, an entry below an AE, or a network connection."""
    rdns = DN.parse(step.dn).rdns
    types = [kind.lower() for rdn in rdns for kind, _ in rdn.parts]
    if DICOM_AE_TITLE.lower() in types:
        return True
    if types[:2] != [COMMON_NAME, DICOM_DEVICE_NAME.lower()]:
        return False
    # A connection has no RDN of its own: its attributes, or its object class, identify it.
    connection_names = _list_connection_attributes()
    return any(
        attribute.name.lower() in connection_names
        or (
            attribute.name.lower() == OBJECT_CLASS.lower()
            and DICOM_NETWORK_CONNECTION_OBJECT_CLASS in (*attribute.added, *attribute.removed)
        )
        for attribute in step.attributes
    )


def _list_connection_attributes() -> frozenset[str]:
    schema = load_bundled_schema()
    classes = (
        schema.object_class(name)
        for name in (DICOM_NETWORK_CONNECTION_OBJECT_CLASS, DCM_NETWORK_CONNECTION_OBJECT_CLASS)
    )
    names = {name.lower() for each in classes if each is not None for name in (*each.must, *each.may)}
    return frozenset(names - {COMMON_NAME, OBJECT_CLASS.lower()})
