"""Connections that an AE refers to and cannot use."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.lint.ae_lookups import calls
from dcmcfg.lint.context import CONNECTION_REFERENCE, Survey
from dcmcfg.lint.rule import Breach, LintRule
from dcmcfg.model.devices import DICOM, device_of

_REFERENCE = CONNECTION_REFERENCE
#: Class of an entry with connections → the protocols that they may have (Connection.Protocol).
_PROTOCOLS = {
    "dicomNetworkAE": (DICOM,),
    "hl7Application": ("HL7", "HL7_MLLP2"),
    "dcmWebApp": ("HTTP",),
    "dcmAuditLogger": ("SYSLOG_TLS", "SYSLOG_UDP"),
}


def _dangling(survey: Survey) -> Iterator[Breach]:
    kept: dict[DN, int] = {}
    for each in survey.connection_references:
        kept[each.entry.dn] = kept.get(each.entry.dn, 0) + (each.connection is not None)
    for each in survey.connection_references:
        if each.connection is None:
            mended = (_delete(each.entry, each.value),) if kept[each.entry.dn] else ()
            message = "there is no such connection, so the archive does not load the device"
            yield Breach(each.entry.dn, message, _REFERENCE, each.value, changes=mended)


def _of_other_device(survey: Survey) -> Iterator[Breach]:
    key = survey.tree.key
    for each in survey.connection_references:
        if each.connection is not None and device_of(key(each.connection.dn)) != device_of(key(each.entry.dn)):
            message = "the connection is another device's, so the archive does not load this one"
            yield Breach(each.entry.dn, message, _REFERENCE, each.value, related=(each.connection.dn,))


def _spelling(survey: Survey) -> Iterator[Breach]:
    for each in survey.connection_references:
        entry, value, connection = each.entry, each.value, each.connection
        if connection is None:
            continue
        exact = str(connection.dn).encode("utf-8", "surrogateescape")
        if value.lower() != exact.lower() and exact not in entry.values(_REFERENCE):
            modify = Modify(
                entry.dn,
                (
                    Modification(Operation.DELETE, _REFERENCE, (value,)),
                    Modification(Operation.ADD, _REFERENCE, (exact,)),
                ),
            )
            yield Breach(entry.dn, f"the connection is written {connection.dn}", _REFERENCE, value, changes=(modify,))


def _protocol(survey: Survey) -> Iterator[Breach]:
    for each in survey.connection_references:
        entry, value, connection = each.entry, each.value, each.connection
        allowed = next((allowed for name, allowed in _PROTOCOLS.items() if entry.is_a(name)), None)
        if connection is not None and allowed is not None:
            protocol = connection.text("dcmProtocol") or DICOM
            if protocol not in allowed:
                message = f"the connection's dcmProtocol is {protocol}, not {' or '.join(allowed)}"
                yield Breach(entry.dn, message, _REFERENCE, value, related=(connection.dn,))


def _none_installed(survey: Survey) -> Iterator[Breach]:
    for ae in survey.network_aes():
        if ae.installed and ae.connections and not any(connection.installed for connection in ae.connections):
            yield Breach(ae.entry.dn, "none of its connections is installed", _REFERENCE)


def _no_address(survey: Survey) -> Iterator[Breach]:
    for call in calls(survey):
        ae = call.ae
        installed = any(connection.installed for connection in ae.connections)
        if call.abroad and ae.installed and installed and not (ae.listening() or ae.listening(tls=True)):
            named = ", ".join(call.attributes)
            message = f"{call.archive.name} calls it ({named}), and no installed DICOM connection of it has a port"
            yield Breach(ae.entry.dn, message, _REFERENCE)


def _not_installed(survey: Survey) -> Iterator[Breach]:
    for call in calls(survey):
        if not call.ae.installed:
            off = call.ae.entry if call.ae.device.installed else call.ae.device.entry
            named = ", ".join(call.attributes)
            message = f"{call.archive.name} looks {call.ae.title} up ({named}), which is not found while this is so"
            command = ("set", survey.target(off), "dicomInstalled=TRUE")
            yield Breach(off.dn, message, "dicomInstalled", b"FALSE", command)


def _named_by_address(survey: Survey) -> Iterator[Breach]:
    for entry in survey.tree.ordered():
        if entry.is_a("dicomNetworkConnection") and "cn" in entry:
            naming = {kind.lower() for kind, _ in entry.dn.rdn.parts}
            if "cn" not in naming:
                message = "it has a cn and is named by its host, so the archive looks for it under another DN"
                yield Breach(entry.dn, message, "cn", entry.values("cn")[0])


def _delete(entry: Entry, value: bytes) -> Modify:
    return Modify(entry.dn, (Modification(Operation.DELETE, _REFERENCE, (value,)),))


RULES = (
    LintRule(
        "connection-dangling",
        "error",
        "A connection reference names a connection that exists.",
        "The archive cannot load the device: all its AEs are unknown, and the list of all AEs fails (409).",
        "Remove the reference, or add the connection.",
        "dcmcfg lint --fix --rule connection-dangling",
        _dangling,
        mends=True,
        kind="unloadable",
    ),
    LintRule(
        "connection-of-other-device",
        "error",
        "A connection reference names a connection of the same device.",
        "The archive cannot load the device, although every DN exists.",
        "Refer to a connection of the same device; add one if there is none.",
        "dcmcfg connection add DEVICE/NAME HOST:PORT --ae AET",
        _of_other_device,
        kind="unloadable",
    ),
    LintRule(
        "connection-spelling",
        "warning",
        "A connection reference is written like the DN of the connection.",
        "The archive compares the two as text without regard to case. Only servers that hand DNs out in one "
        "spelling hide the difference.",
        "Write it like the DN.",
        "dcmcfg lint --fix --rule connection-spelling",
        _spelling,
        mends=True,
    ),
    LintRule(
        "connection-protocol",
        "error",
        "An AE refers to DICOM connections, an HL7 application to HL7 ones, a web application to HTTP ones, an audit "
        "logger to SYSLOG ones.",
        "The archive cannot load the device.",
        "Refer to a connection of the right protocol, or correct dcmProtocol.",
        "dcmcfg set DN dcmProtocol=PROTOCOL",
        _protocol,
        kind="unloadable",
    ),
    LintRule(
        "connection-not-installed",
        "error",
        "An AE that is installed has an installed connection.",
        "No connection fits, so nobody can call it and it can call nobody.",
        "Install a connection, or mark the AE as not installed.",
        "dcmcfg set DN dicomInstalled=TRUE",
        _none_installed,
    ),
    LintRule(
        "peer-without-port",
        "error",
        "An AE that the archive calls has an installed DICOM connection with a port.",
        "A connection without a port only initiates; calling the AE ends in an IncompatibleConnectionException.",
        "Give its connection a port.",
        "dcmcfg set DN dicomPort=PORT",
        _no_address,
    ),
    LintRule(
        "ae-not-installed",
        "error",
        "An AE that the archive calls or acts as is installed, and so is its device.",
        "One that is not installed counts as unknown.",
        "Install it, or name another.",
        "dcmcfg set TARGET dicomInstalled=TRUE",
        _not_installed,
    ),
    LintRule(
        "connection-named-by-address",
        "error",
        "A connection that has a cn is named by it.",
        "The archive works the DN out from the cn, so references to the real DN do not match.",
        "Rename the connection, or remove its cn.",
        "dcmcfg unset DN cn",
        _named_by_address,
    ),
)
