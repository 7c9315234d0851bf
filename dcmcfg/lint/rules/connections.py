"""Connections that an AE refers to and cannot use."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.lint.ae_lookups import find_ae_lookups
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.model.devices import DICOM, find_enclosing_device
from dcmcfg.schema.findings import DANGLING_REFERENCE, PROTOCOL, REQUIRED_REFERENCE, SYNTAX
from dcmcfg.schema_names import (
    COMMON_NAME,
    DCM_PROTOCOL,
    DICOM_INSTALLED,
    DICOM_NETWORK_AE_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_REFERENCE,
    HL7_APPLICATION_OBJECT_CLASS,
    WEB_APP_OBJECT_CLASS,
)

_REFERENCE = DICOM_NETWORK_CONNECTION_REFERENCE
#: Class of an entry with connections → the protocols that they may have (Connection.Protocol).
_PROTOCOLS = {
    DICOM_NETWORK_AE_OBJECT_CLASS: (DICOM,),
    HL7_APPLICATION_OBJECT_CLASS: ("HL7", "HL7_MLLP2"),
    WEB_APP_OBJECT_CLASS: ("HTTP",),
    "dcmAuditLogger": ("SYSLOG_TLS", "SYSLOG_UDP"),
}


def _find_connection_dangling(context: LintContext) -> Iterator[Violation]:
    remaining_counts: dict[DN, int] = {}
    for each in context.connection_references:
        remaining_counts[each.entry.dn] = remaining_counts.get(each.entry.dn, 0) + (each.connection is not None)
    for each in context.connection_references:
        if each.connection is None:
            fix_changes = (_build_deletion(each.entry, each.value),) if remaining_counts[each.entry.dn] else ()
            message = "there is no such connection, so the archive does not load the device"
            yield Violation(each.entry.dn, message, _REFERENCE, each.value, fix_changes=fix_changes)


def _find_connection_of_other_device(context: LintContext) -> Iterator[Violation]:
    key = context.tree.key
    for each in context.connection_references:
        if each.connection is not None and find_enclosing_device(key(each.connection.dn)) != find_enclosing_device(
            key(each.entry.dn)
        ):
            message = "the connection is another device's, so the archive does not load this one"
            yield Violation(each.entry.dn, message, _REFERENCE, each.value, related_dns=(each.connection.dn,))


def _find_connection_spelling(context: LintContext) -> Iterator[Violation]:
    for each in context.connection_references:
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
            yield Violation(
                entry.dn, f"the connection is written {connection.dn}", _REFERENCE, value, fix_changes=(modify,)
            )


def _find_connection_protocol(context: LintContext) -> Iterator[Violation]:
    for each in context.connection_references:
        entry, value, connection = each.entry, each.value, each.connection
        allowed = next((allowed for name, allowed in _PROTOCOLS.items() if entry.is_a(name)), None)
        if connection is not None and allowed is not None:
            protocol = connection.text(DCM_PROTOCOL) or DICOM
            if protocol not in allowed:
                message = f"the connection's dcmProtocol is {protocol}, not {' or '.join(allowed)}"
                yield Violation(entry.dn, message, _REFERENCE, value, related_dns=(connection.dn,))


def _find_connection_not_installed(context: LintContext) -> Iterator[Violation]:
    for ae in context.network_aes():
        if ae.installed and ae.connections and not any(connection.installed for connection in ae.connections):
            yield Violation(ae.entry.dn, "none of its connections is installed", _REFERENCE)


def _find_peer_without_port(context: LintContext) -> Iterator[Violation]:
    for lookup in find_ae_lookups(context):
        ae = lookup.ae
        installed = any(connection.installed for connection in ae.connections)
        if (
            lookup.names_peer
            and ae.installed
            and installed
            and not (ae.find_listening_connection() or ae.find_listening_connection(tls=True))
        ):
            attributes = ", ".join(lookup.attributes)
            message = (
                f"{lookup.archive.name} calls it ({attributes}), and no installed DICOM connection of it has a port"
            )
            yield Violation(ae.entry.dn, message, _REFERENCE)


def _find_ae_not_installed(context: LintContext) -> Iterator[Violation]:
    for lookup in find_ae_lookups(context):
        if not lookup.ae.installed:
            uninstalled = lookup.ae.entry if lookup.ae.device.installed else lookup.ae.device.entry
            attributes = ", ".join(lookup.attributes)
            message = (
                f"{lookup.archive.name} looks {lookup.ae.title} up ({attributes}), which is not found while this is so"
            )
            command = ("set", context.format_target(uninstalled), "dicomInstalled=TRUE")
            yield Violation(uninstalled.dn, message, DICOM_INSTALLED, b"FALSE", fix_command=command)


def _find_connection_named_by_address(context: LintContext) -> Iterator[Violation]:
    for entry in context.tree.index.find_by_class(DICOM_NETWORK_CONNECTION_OBJECT_CLASS):
        if COMMON_NAME in entry:
            naming = {kind.lower() for kind, _ in entry.dn.rdn.parts}
            if COMMON_NAME not in naming:
                message = "it has a cn and is named by its host, so the archive looks for it under another DN"
                yield Violation(entry.dn, message, COMMON_NAME, entry.values(COMMON_NAME)[0])


def _build_deletion(entry: Entry, value: bytes) -> Modify:
    return Modify(entry.dn, (Modification(Operation.DELETE, _REFERENCE, (value,)),))


RULES = (
    LintRule(
        "connection-dangling",
        "error",
        requirement="A connection reference names a connection that exists.",
        reason="The archive cannot load the device: all its AEs are unknown, and the list of all AEs fails (409).",
        fix="Remove the reference, or add the connection.",
        fix_command="dcmcfg check --fix --rule connection-dangling",
        find_violations=_find_connection_dangling,
        is_auto_fixable=True,
        impact="unloadable",
        part="references",
        supersedes=(REQUIRED_REFERENCE, DANGLING_REFERENCE, SYNTAX),
    ),
    LintRule(
        "connection-of-other-device",
        "error",
        requirement="A connection reference names a connection of the same device.",
        reason="The archive cannot load the device, although every DN exists.",
        fix="Refer to a connection of the same device; add one if there is none.",
        fix_command="dcmcfg connection add DEVICE/NAME HOST:PORT --ae AET",
        find_violations=_find_connection_of_other_device,
        impact="unloadable",
        part="references",
        needs_whole_tree=False,
        supersedes=(REQUIRED_REFERENCE,),
    ),
    LintRule(
        "connection-spelling",
        "warning",
        requirement="A connection reference is written like the DN of the connection.",
        reason="The archive compares the two as text without regard to case. Only servers that hand DNs out in one "
        "spelling hide the difference.",
        fix="Write it like the DN.",
        fix_command="dcmcfg check --fix --rule connection-spelling",
        find_violations=_find_connection_spelling,
        is_auto_fixable=True,
        part="references",
        needs_whole_tree=False,
    ),
    LintRule(
        "connection-protocol",
        "error",
        requirement="An AE refers to DICOM connections, an HL7 application to HL7 ones, a web application to HTTP "
        "ones, an audit logger to SYSLOG ones.",
        reason="The archive cannot load the device.",
        fix="Refer to a connection of the right protocol, or correct dcmProtocol.",
        fix_command="dcmcfg set DN dcmProtocol=PROTOCOL",
        find_violations=_find_connection_protocol,
        impact="unloadable",
        part="references",
        needs_whole_tree=False,
        supersedes=(PROTOCOL,),
    ),
    LintRule(
        "connection-not-installed",
        "error",
        requirement="An AE that is installed has an installed connection.",
        reason="No connection fits, so nobody can call it and it can call nobody.",
        fix="Install a connection, or mark the AE as not installed.",
        fix_command="dcmcfg set DN dicomInstalled=TRUE",
        find_violations=_find_connection_not_installed,
    ),
    LintRule(
        "peer-without-port",
        "error",
        requirement="An AE that the archive calls has an installed DICOM connection with a port.",
        reason="A connection without a port only initiates; calling the AE ends in an IncompatibleConnectionException.",
        fix="Give its connection a port.",
        fix_command="dcmcfg set DN dicomPort=PORT",
        find_violations=_find_peer_without_port,
    ),
    LintRule(
        "ae-not-installed",
        "error",
        requirement="An AE that the archive calls or acts as is installed, and so is its device.",
        reason="One that is not installed counts as unknown.",
        fix="Install it, or name another.",
        fix_command="dcmcfg set TARGET dicomInstalled=TRUE",
        find_violations=_find_ae_not_installed,
    ),
    LintRule(
        "connection-named-by-address",
        "error",
        requirement="A connection that has a cn is named by it.",
        reason="The archive works the DN out from the cn, so references to the real DN do not match.",
        fix="Rename the connection, or remove its cn.",
        fix_command="dcmcfg unset DN cn",
        find_violations=_find_connection_named_by_address,
        part="references",
        needs_whole_tree=False,
    ),
)
