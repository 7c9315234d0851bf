"""Rules for connections that an AE refers to but cannot use."""

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
#: Object class of an entry with connections → allowed protocols of its connections (Connection.Protocol).
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
            # Most object classes require a reference, so the last one is not deleted automatically.
            fix_changes = (_build_deletion(each.entry, each.value),) if remaining_counts[each.entry.dn] else ()
            # Recording move-destination-dangling: all AEs of the device are unknown (LdapDicomConfiguration).
            message = "this connection does not exist, so the archive cannot load the device"
            yield Violation(each.entry.dn, message, _REFERENCE, each.value, fix_changes=fix_changes)


def _find_connection_of_other_device(context: LintContext) -> Iterator[Violation]:
    key = context.tree.key
    for each in context.connection_references:
        if each.connection is not None and find_enclosing_device(key(each.connection.dn)) != find_enclosing_device(
            key(each.entry.dn)
        ):
            # LdapDicomConfiguration searches the reference only among the connections of the same device.
            message = "the connection belongs to another device, so the archive cannot load this device"
            yield Violation(each.entry.dn, message, _REFERENCE, each.value, related_dns=(each.connection.dn,))


def _find_connection_spelling(context: LintContext) -> Iterator[Violation]:
    for each in context.connection_references:
        entry, value, connection = each.entry, each.value, each.connection
        if connection is None:
            continue
        exact = str(connection.dn).encode("utf-8", "surrogateescape")
        if value.lower() != exact.lower() and exact not in entry.values(_REFERENCE):
            # The equality rule treats both spellings as one value, so the old one must be deleted first.
            modify = Modify(
                entry.dn,
                (
                    Modification(Operation.DELETE, _REFERENCE, (value,)),
                    Modification(Operation.ADD, _REFERENCE, (exact,)),
                ),
            )
            yield Violation(
                entry.dn,
                f"the DN of the connection is spelled {connection.dn}",
                _REFERENCE,
                value,
                fix_changes=(modify,),
            )


def _find_connection_protocol(context: LintContext) -> Iterator[Violation]:
    for each in context.connection_references:
        entry, value, connection = each.entry, each.value, each.connection
        allowed = next((allowed for name, allowed in _PROTOCOLS.items() if entry.is_a(name)), None)
        if connection is not None and allowed is not None:
            protocol = connection.text(DCM_PROTOCOL) or DICOM
            if protocol not in allowed:
                message = f"the connection's dcmProtocol is {protocol}, but this entry requires {' or '.join(allowed)}"
                yield Violation(entry.dn, message, _REFERENCE, value, related_dns=(connection.dn,))


def _find_connection_not_installed(context: LintContext) -> Iterator[Violation]:
    for ae in context.network_aes():
        if ae.installed and ae.connections and not any(connection.installed for connection in ae.connections):
            yield Violation(ae.entry.dn, "none of the AE's connections is installed", _REFERENCE)


def _find_peer_without_port(context: LintContext) -> Iterator[Violation]:
    for lookup in find_ae_lookups(context):
        ae = lookup.ae
        # Without an installed connection, the rule connection-not-installed reports the AE.
        installed = any(connection.installed for connection in ae.connections)
        if (
            lookup.names_peer
            and ae.installed
            and installed
            and not (ae.find_listening_connection() or ae.find_listening_connection(tls=True))
        ):
            attributes = ", ".join(lookup.attributes)
            message = (
                f"{lookup.archive.name} connects to this AE ({attributes}), but none of the AE's installed DICOM "
                "connections has a port"
            )
            yield Violation(ae.entry.dn, message, _REFERENCE)


def _find_ae_not_installed(context: LintContext) -> Iterator[Violation]:
    for lookup in find_ae_lookups(context):
        if not lookup.ae.installed:
            # FALSE on the device takes precedence over the AE's own value (ApplicationEntity.isInstalled).
            uninstalled = lookup.ae.entry if lookup.ae.device.installed else lookup.ae.device.entry
            attributes = ", ".join(lookup.attributes)
            message = (
                f"because of this value, {lookup.archive.name} does not find the AE {lookup.ae.title}, although "
                f"this AE is used in {attributes}"
            )
            command = ("set", context.format_target(uninstalled), "dicomInstalled=TRUE")
            yield Violation(uninstalled.dn, message, DICOM_INSTALLED, b"FALSE", fix_command=command)


def _find_connection_named_by_address(context: LintContext) -> Iterator[Violation]:
    for entry in context.tree.index.find_by_class(DICOM_NETWORK_CONNECTION_OBJECT_CLASS):
        if COMMON_NAME in entry:
            naming = {kind.lower() for kind, _ in entry.dn.rdn.parts}
            # LdapDicomConfiguration builds the DN from the cn if there is one, otherwise from host and port.
            if COMMON_NAME not in naming:
                message = (
                    "the connection has a cn, so the archive expects the cn in the DN, but the DN contains the host"
                )
                yield Violation(entry.dn, message, COMMON_NAME, entry.values(COMMON_NAME)[0])


def _build_deletion(entry: Entry, value: bytes) -> Modify:
    return Modify(entry.dn, (Modification(Operation.DELETE, _REFERENCE, (value,)),))


RULES = (
    LintRule(
        "connection-dangling",
        "error",
        requirement="A connection reference must contain the DN of an existing connection.",
        reason="If a referenced connection is missing, the archive cannot load the device. Then all AEs of the device "
        "are unknown, and requests that list all AEs fail (409).",
        fix="Remove the reference, or add the connection.",
        example_command="dcmcfg check --fix --rule connection-dangling",
        find_violations=_find_connection_dangling,
        is_auto_fixable=True,
        impact="unloadable",
        part="references",
        supersedes=(REQUIRED_REFERENCE, DANGLING_REFERENCE, SYNTAX),
    ),
    LintRule(
        "connection-of-other-device",
        "error",
        requirement="A connection reference must contain the DN of a connection of the same device.",
        reason="The archive cannot load a device that refers to a connection of another device.",
        fix="Set the reference to a connection of the same device. If the device has no connection, add a connection.",
        example_command="dcmcfg connection add DEVICE/NAME HOST:PORT --ae AET",
        find_violations=_find_connection_of_other_device,
        impact="unloadable",
        part="references",
        needs_whole_tree=False,
        supersedes=(REQUIRED_REFERENCE,),
    ),
    LintRule(
        "connection-spelling",
        "warning",
        requirement="A connection reference must be spelled exactly like the DN of the connection.",
        reason="The archive compares the reference and the DN as text, but ignores upper and lower case. Some "
        "directory servers return every DN in one standard spelling. With such a server, a different spelling is "
        "harmless.",
        fix="Spell the reference exactly like the DN of the connection.",
        example_command="dcmcfg check --fix --rule connection-spelling",
        find_violations=_find_connection_spelling,
        is_auto_fixable=True,
        part="references",
        needs_whole_tree=False,
    ),
    LintRule(
        "connection-protocol",
        "error",
        requirement="A connection reference must contain the DN of a connection with the right protocol: DICOM for an "
        "AE, HL7 for an HL7 application, HTTP for a web application, SYSLOG for an audit logger.",
        reason="The archive cannot load a device that refers to a connection with a wrong protocol.",
        fix="Refer to a connection with the right protocol, or correct dcmProtocol.",
        example_command="dcmcfg set DN dcmProtocol=PROTOCOL",
        find_violations=_find_connection_protocol,
        impact="unloadable",
        part="references",
        needs_whole_tree=False,
        supersedes=(PROTOCOL,),
    ),
    LintRule(
        "connection-not-installed",
        "error",
        requirement="An installed AE must have an installed connection.",
        reason="Without an installed connection, the AE can neither accept nor open associations.",
        fix="Set dicomInstalled to TRUE on a connection, or to FALSE on the AE.",
        example_command="dcmcfg set DN dicomInstalled=TRUE",
        find_violations=_find_connection_not_installed,
    ),
    LintRule(
        "peer-without-port",
        "error",
        requirement="Each AE to which the archive connects must have an installed DICOM connection with a port.",
        reason="A connection without a port can open associations but cannot accept associations. The archive cannot "
        "connect to the AE (IncompatibleConnectionException).",
        fix="Set a port on the AE's connection.",
        example_command="dcmcfg set DN dicomPort=PORT",
        find_violations=_find_peer_without_port,
    ),
    LintRule(
        "ae-not-installed",
        "error",
        requirement="If the archive connects to an AE or acts as an AE, this AE and its device must be installed.",
        reason="The archive treats an AE that is not installed as unknown.",
        fix="Set dicomInstalled to TRUE on the AE and on its device, or use the title of another AE.",
        example_command="dcmcfg set TARGET dicomInstalled=TRUE",
        find_violations=_find_ae_not_installed,
    ),
    LintRule(
        "connection-named-by-address",
        "error",
        requirement="If a connection has a cn, the RDN of the connection must be this cn.",
        reason="The archive uses the cn to compute the DN of the connection, so references to the real DN do not "
        "match.",
        fix="Rename the connection, or remove its cn.",
        example_command="dcmcfg unset DN cn",
        find_violations=_find_connection_named_by_address,
        part="references",
        needs_whole_tree=False,
    ),
)
