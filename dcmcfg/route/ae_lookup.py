"""Look up AEs by title as the archive does, and masqueraded AE titles.

:func:`check_return_destination` checks whether an external archive sends its objects back to the archive.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import Enum

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.model.devices import DICOM, Configuration, Device, NetworkAE
from dcmcfg.model.retrieve_settings import get_effective_setting
from dcmcfg.route.command import format_command
from dcmcfg.route.path import DESTINATION_REFUSED, EMPTY_SUCCESS, RouteFailure
from dcmcfg.schema_names import (
    DCM_PROTOCOL,
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_REFERENCE,
    DICOM_PORT,
    DICOM_TRANSFER_ROLE,
    EXTERNAL_RETRIEVE_AE_DESTINATION,
)
from dcmcfg.suggestions import suggest_names

#: Values of the enums Connection.Protocol and TransferCapability.Role of dcm4che; the archive raises for others.
_PROTOCOLS = (DICOM, "HL7", "HL7_MLLP2", "SYSLOG_TLS", "SYSLOG_UDP", "HTTP")
_ROLES = ("SCU", "SCP")
_PORTS = range(1, 65536)
_NOT_LISTENING = "-1"
_ILLEGAL_ARGUMENT = "java.lang.IllegalArgumentException: "
_NO_ENUM_CONSTANT = f"{_ILLEGAL_ARGUMENT}No enum constant org.dcm4che3.net."


class LookupFailure(Enum):
    """Why the archive does not find an AE; its response depends on this."""

    UNKNOWN = "unknown"
    NOT_INSTALLED = "not installed"
    UNREADABLE = "unreadable"  # a RuntimeException in the archive instead of "not found"


@dataclass(frozen=True)
class UnresolvedAE:
    """An AE that the archive does not find, with the reason in words and the next step.

    ``java_exception`` is the Java exception of an unreadable device as the archive prints it; empty for other
    failures.
    """

    failure: LookupFailure
    ae_title: str
    reason: str
    next_step: str
    _: KW_ONLY
    java_exception: str = ""


@dataclass(frozen=True)
class UnloadableValue:
    """A value that stops the loading of a device, with the reason in words and the archive's Java exception as text."""

    reason: str
    java_exception: str


def resolve_ae(configuration: Configuration, ae_title: str) -> NetworkAE | UnresolvedAE:
    """Return the AE *ae_title* as ``findApplicationEntity`` finds it, or the reason why it is not found.

    The first AE with exactly this title is used; dcmOtherAETitle is ignored. The whole device of the AE must load.
    """
    # An AE "*" accepts any called title, but the lookup does not find it.
    ae = configuration.find_network_ae(ae_title) if ae_title != "*" else None
    if ae is None:
        return UnresolvedAE(
            LookupFailure.UNKNOWN,
            ae_title,
            f"no AE has the title {ae_title}",
            _suggest_replacement(configuration, ae_title),
        )
    # The archive loads the whole device before it checks dicomInstalled, so load failures come first.
    if dangling := _find_dangling_reference(ae.device):
        reason = (
            f"the archive cannot load the device {ae.device.name}: {dangling} refers to a connection that this device "
            "does not have"
        )
        return UnresolvedAE(
            LookupFailure.UNKNOWN,
            ae_title,
            reason,
            f"correct {DICOM_NETWORK_CONNECTION_REFERENCE} of {dangling} (to see the problem: dcmcfg check)",
        )
    if unloadable := find_unloadable_value(ae.device):
        reason = f"the archive cannot read the device {ae.device.name}: {unloadable.reason}"
        next_step = "correct this value, then run dcmcfg reload"
        return UnresolvedAE(
            LookupFailure.UNREADABLE, ae_title, reason, next_step, java_exception=unloadable.java_exception
        )
    if not ae.installed:
        is_device = not ae.device.installed
        reason = f"{f'the device {ae.device.name}' if is_device else ae.title} is not installed (dicomInstalled)"
        return UnresolvedAE(LookupFailure.NOT_INSTALLED, ae_title, reason, suggest_install_command(ae))
    return ae


def suggest_install_command(ae: NetworkAE) -> str:
    """Return the command that sets dicomInstalled on *ae*, or on its device if that is not installed."""
    return format_command("set", ae.qualified_title if ae.device.installed else ae.device.name, "dicomInstalled=TRUE")


def explain_load_failure(device: Device) -> str:
    """Return why the archive cannot load *device*; empty if it can."""
    if dangling := _find_dangling_reference(device):
        return f"{dangling} refers to a connection that the device does not have"
    unloadable = find_unloadable_value(device)
    return unloadable.reason if unloadable else ""


def find_unloadable_value(device: Device) -> UnloadableValue | None:
    """Return the value that raises an exception in the archive when *device* is loaded; None if all values load.

    Source: ``LdapDicomConfiguration.loadFrom``, ``Connection.setPort`` and ``ApplicationEntity.addConnection``.
    """
    children = device.tree.children(device.entry.dn)
    for entry in children:
        if entry.is_a(DICOM_NETWORK_CONNECTION_OBJECT_CLASS) and (unloadable := _find_unloadable_connection(entry)):
            return unloadable
    for ae in device.network_aes:
        if other_protocol := next((each.protocol for each in ae.connections if each.protocol != DICOM), ""):
            reason = f"{ae.title} refers to a connection with the dcmProtocol {other_protocol}, not {DICOM}"
            return UnloadableValue(reason, f"{_ILLEGAL_ARGUMENT}protocol != DICOM - {other_protocol}")
        roles = (each.text(DICOM_TRANSFER_ROLE) or "" for each in ae.capabilities)
        if role := next((role for role in roles if role not in _ROLES), ""):
            return UnloadableValue(
                f"{ae.title} has the unknown dicomTransferRole {role}",
                f"{_NO_ENUM_CONSTANT}TransferCapability.Role.{role}",
            )
    return None


def _find_unloadable_connection(entry: Entry) -> UnloadableValue | None:
    port, protocol = entry.text(DICOM_PORT), entry.text(DCM_PROTOCOL) or DICOM
    if port is not None and not _is_port(port):
        return UnloadableValue(
            f"the connection {entry.dn.rdn} has the invalid dicomPort {port}",
            f"{_ILLEGAL_ARGUMENT}port out of range:{port}",
        )
    if protocol not in _PROTOCOLS:
        reason = f"the connection {entry.dn.rdn} has the unknown dcmProtocol {protocol}"
        return UnloadableValue(reason, f"{_NO_ENUM_CONSTANT}Connection.Protocol.{protocol}")
    return None


def _is_port(text: str) -> bool:
    """Return whether the archive accepts *text* as a port; -1 means that the connection does not listen."""
    # Python refuses to convert thousands of digits, so the length is checked first.
    return text == _NOT_LISTENING or (text.isdecimal() and len(text) < 6 and int(text) in _PORTS)


def _find_dangling_reference(device: Device) -> str:
    """Return the RDN of an entry of *device* that refers to a connection outside of the device; empty if none does."""
    tree = device.tree
    own_connections = {tree.key(connection.dn) for connection in device.connections}
    for entry in tree.children(device.entry.dn):
        # Not only AEs have references: one of an HL7 or web application stops the loading of the device too.
        for text in entry.texts(DICOM_NETWORK_CONNECTION_REFERENCE):
            try:
                is_known = tree.key(DN.parse(text)) in own_connections
            except MalformedInput:
                is_known = False
            if not is_known:
                return str(entry.dn.rdn)
    return ""


def _suggest_replacement(configuration: Configuration, title: str) -> str:
    for ae in configuration.network_aes():
        if title in ae.other_titles:
            return (
                f"use {ae.title}. {title} is only an alternative title of {ae.title} (dcmOtherAETitle), and the "
                "archive ignores alternative titles when it looks up an AE"
            )
    similar_titles = suggest_names(title, (ae.title for ae in configuration.network_aes()))
    if similar_titles:
        return f"did you mean {', '.join(similar_titles)}? AE titles are case-sensitive, and blanks are significant"
    return format_command("ae", "add", f"{title}@HOST:PORT")


def check_return_destination(
    configuration: Configuration,
    archive_ae: NetworkAE,
    ae_title: str,
    *,
    attribute: str = EXTERNAL_RETRIEVE_AE_DESTINATION,
    external_ae_title: str = "",
) -> RouteFailure | None:
    """Return why objects that *external_ae_title* sends to *ae_title* do not come back to the archive.

    *attribute* is the attribute that has *ae_title* as its value. Without *external_ae_title*, any external archive is
    meant. None if the objects come back.
    """
    # Incoming associations may use any title of the archive, so dcmOtherAETitle counts here.
    if archive_ae.device.find_called_ae(ae_title) is not None:
        return None
    storage_ae_titles = [ae.title for ae in archive_ae.device.network_aes if ae.is_storage_scp]
    next_step = (
        f"set {attribute} to a storage SCP of the archive: "
        f"{', '.join(storage_ae_titles) or 'the archive has no storage SCP'}"
    )
    if len(storage_ae_titles) == 1:
        next_step = suggest_setting_command(archive_ae, attribute, storage_ae_titles[0])
    sender = external_ae_title or "the external archive"
    other_ae = configuration.find_network_ae(ae_title)
    if other_ae is not None:
        reason = (
            f"{ae_title} in {attribute} is an AE of the device {other_ae.device.name}, so {sender} sends the objects "
            "to this device. The archive does not get the objects and cannot forward them"
        )
        return RouteFailure(EMPTY_SUCCESS, reason, next_step)
    reason = (
        f"{attribute} contains {ae_title}, but the archive has no AE with this title. So {sender} cannot know an "
        f"address for {ae_title}"
    )
    return RouteFailure(DESTINATION_REFUSED, reason, next_step)


def suggest_setting_command(archive_ae: NetworkAE, attribute: str, title: str) -> str:
    """Return the command that sets *attribute* to *title* at the level (AE or device) of the present value."""
    is_ae_setting = get_effective_setting(archive_ae, attribute).level == "AE"
    if attribute == EXTERNAL_RETRIEVE_AE_DESTINATION:
        return format_command("set-external-retrieve", title, *(("--ae", archive_ae.title) if is_ae_setting else ()))
    return format_command(
        "set", archive_ae.qualified_title if is_ae_setting else archive_ae.device.name, f"{attribute}={title}"
    )


def get_masqueraded_calling_ae_title(ae: NetworkAE, called_ae_title: str) -> str:
    """Return the AE title under which *ae* calls *called_ae_title*: its own, or the one in dcmMasqueradeCallingAETitle.

    A value ``[CALLED]X`` applies to that called AE only and takes precedence over ``X``. A title that is given for the
    association bypasses the setting.
    """
    default_title = ae.title
    for value in ae.entry.texts("dcmMasqueradeCallingAETitle"):
        called_title, bracket, title = value[1:].partition("]") if value.startswith("[") else ("", "", value)
        if bracket and called_title == called_ae_title:
            return title
        if not bracket:
            default_title = value
    return default_title


def get_masqueraded_called_ae_title(ae: NetworkAE, called_ae_title: str) -> str:
    """Return the called AE title that *ae* uses for *called_ae_title* (dcmMasqueradeCalledAETitle, ``CALLED:USED``)."""
    pairs = (value.partition(":") for value in ae.entry.texts("dcmMasqueradeCalledAETitle"))
    return next(
        (used_title for title, colon, used_title in pairs if colon and title == called_ae_title), called_ae_title
    )
