"""When a change to an attribute takes effect, and unexpected behaviour of the archive.

Most facts were observed on a running dcm4chee-arc 5.35.1, a few come from its source. Attributes that are not listed
take effect with a reload, as far as tested. Comments name the Java classes that explain the behaviour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache

from dcmcfg.schema.archive_values import get_loaded_classes, is_loaded_by_archive
from dcmcfg.schema.definitions import load_bundled_schema

_AE_CLASSES = ("dicomNetworkAE", "dcmNetworkAE", "dcmArchiveNetworkAE")


class RequiredAction(StrEnum):
    """The action after which a change takes effect."""

    RESTART = "restart"
    RELOAD = "reload"
    NEXT_START = "next start"
    RELOAD_AND_START_DELAY = "reload and start delay"
    RELOAD_UP_TO_TWICE = "up to two reloads"
    CACHE_EXPIRY = "cache expiry or reload"


class DeviceKind(StrEnum):
    """The device that an entry belongs to."""

    ARCHIVE = "the archive's device"
    OTHER = "another device"


@dataclass(frozen=True)
class EffectTiming:
    """When a change to ``attribute`` takes effect, on entries of ``object_class`` of the device ``device_kind``.

    ``attribute`` may be a pattern with ``*``. ``timing`` completes the sentence "The change takes effect …". With
    ``shown_in_plan``, a plan with such a change shows the timing. ``is_tested`` is False if only the archive's source
    shows the behaviour.
    """

    attribute: str
    object_class: str
    device_kind: DeviceKind
    required_action: RequiredAction
    _: KW_ONLY
    timing: str
    shown_in_plan: bool = False
    is_tested: bool = True

    @property
    def affected_entries(self) -> str:
        """The affected entries: the device or its AEs, as a phrase."""
        return f"AEs of {self.device_kind.value}" if self.object_class in _AE_CLASSES else self.device_kind.value


@dataclass(frozen=True)
class Behaviour:
    """The archive's behaviour with ``attribute``, in sentences; ``attribute`` may be a pattern with ``*``."""

    attribute: str
    text: str


_REBIND = (
    "after a reload, which reopens the port. If the archive cannot reopen the port (500 Unable to start TCPListener), "
    "the port stays closed, but the archive uses the rest of the configuration. If the port stays closed, reload again"
)
_CACHE = (
    "immediately if the archive has not looked up the AE yet. If the archive has looked up the AE, the change takes "
    "effect after a reload or when dcmAECacheStaleTimeout expires"
)

_RELOAD = "with dcmcfg reload (commands that change the configuration reload the archive automatically)"
_NOT_COPIED = "after a restart of the archive; a reload is not enough"


def _build_restart_timing(attribute: str, object_class: str) -> EffectTiming:
    """Return the timing of an attribute that the ``reconfigure`` method of the archive's class does not copy."""
    return EffectTiming(
        attribute,
        object_class,
        DeviceKind.ARCHIVE,
        RequiredAction.RESTART,
        timing=_NOT_COPIED,
        shown_in_plan=True,
        is_tested=False,
    )


#: Ordered as documented.
EFFECT_TIMINGS: tuple[EffectTiming, ...] = (
    # ApplicationEntity.setApplicationEntityAttributes does not copy this attribute.
    EffectTiming(
        "dcmMasqueradeCalledAETitle",
        "dcmNetworkAE",
        DeviceKind.ARCHIVE,
        RequiredAction.RESTART,
        timing="after a restart of the archive; a reload keeps the old value",
        shown_in_plan=True,
    ),
    # ArchiveDeviceProducer looks up the device by the name that the archive was started with.
    EffectTiming(
        "dicomDeviceName",
        "dicomDevice",
        DeviceKind.ARCHIVE,
        RequiredAction.RESTART,
        timing="after a restart with -Ddcm4chee-arc.DeviceName=NAME. A reload fails with the HTTP status 500, and "
        "the archive continues with the loaded configuration",
    ),
    EffectTiming(
        "dcmKeyStoreURL",
        "dcmDevice",
        DeviceKind.ARCHIVE,
        RequiredAction.RELOAD_UP_TO_TWICE,
        timing="after one reload, sometimes only after a second reload. Each reload reopens the TLS ports. If you "
        "change only the content of the file, restart the archive",
    ),
    EffectTiming(
        "dcmKeyStorePin",
        "dcmDevice",
        DeviceKind.ARCHIVE,
        RequiredAction.NEXT_START,
        timing="at the next start of the archive. The start fails if the PIN is wrong. A reload accepts a wrong PIN "
        "and keeps the current key",
        shown_in_plan=True,
    ),
    # The reconfigure methods of Connection, Device and ArchiveDeviceExtension do not copy these.
    _build_restart_timing("dcmRetrieveTimeoutTotal", "dcmNetworkConnection"),
    _build_restart_timing("dcmKeyStorePinProperty", "dcmDevice"),
    _build_restart_timing("dcmKeyStoreKeyPinProperty", "dcmDevice"),
    _build_restart_timing("dcmTrustStorePinProperty", "dcmDevice"),
    _build_restart_timing("dcmSeriesMetadataMaxRetries", "dcmArchiveDevice"),
    _build_restart_timing("dcmUnzipVendorDataToURI", "dcmArchiveDevice"),
    _build_restart_timing("hl7OutgoingLogFilePattern", "dcmArchiveDevice"),
    _build_restart_timing("hl7OutgoingErrorLogFilePattern", "dcmArchiveDevice"),
    # Scheduler.reload starts the timer of each of its subclasses anew, with this delay.
    EffectTiming(
        "*PollingInterval",
        "dcmArchiveDevice",
        DeviceKind.ARCHIVE,
        RequiredAction.RELOAD_AND_START_DELAY,
        timing="after a reload and a delay. The delay is dcmSchedulerMinStartDelay (60 s if absent) plus a random "
        "part of the interval",
        shown_in_plan=True,
    ),
    EffectTiming(
        "dicomHostname", "dicomNetworkConnection", DeviceKind.ARCHIVE, RequiredAction.RELOAD_UP_TO_TWICE, timing=_REBIND
    ),
    EffectTiming(
        "dicomTLSCipherSuite",
        "dicomNetworkConnection",
        DeviceKind.ARCHIVE,
        RequiredAction.RELOAD_UP_TO_TWICE,
        timing=_REBIND,
    ),
    EffectTiming(
        "dicomHostname", "dicomNetworkConnection", DeviceKind.OTHER, RequiredAction.CACHE_EXPIRY, timing=_CACHE
    ),
    EffectTiming("dicomPort", "dicomNetworkConnection", DeviceKind.OTHER, RequiredAction.CACHE_EXPIRY, timing=_CACHE),
    EffectTiming(
        "dicomTLSCipherSuite", "dicomNetworkConnection", DeviceKind.OTHER, RequiredAction.CACHE_EXPIRY, timing=_CACHE
    ),
    EffectTiming(
        "dicomInstalled",
        "dicomDevice, dicomNetworkAE, dicomNetworkConnection",
        DeviceKind.OTHER,
        RequiredAction.CACHE_EXPIRY,
        timing=_CACHE,
    ),
    EffectTiming(
        "dicomSOPClass", "dicomTransferCapability", DeviceKind.OTHER, RequiredAction.CACHE_EXPIRY, timing=_CACHE
    ),
    EffectTiming(
        "dicomTransferRole", "dicomTransferCapability", DeviceKind.OTHER, RequiredAction.CACHE_EXPIRY, timing=_CACHE
    ),
    EffectTiming(
        "dicomTransferSyntax", "dicomTransferCapability", DeviceKind.OTHER, RequiredAction.CACHE_EXPIRY, timing=_CACHE
    ),
    EffectTiming("dicomAETitle", "dicomNetworkAE", DeviceKind.OTHER, RequiredAction.CACHE_EXPIRY, timing=_CACHE),
    EffectTiming(
        "dicomNetworkConnectionReference",
        "dicomNetworkAE",
        DeviceKind.OTHER,
        RequiredAction.CACHE_EXPIRY,
        timing=_CACHE,
    ),
)

_LOADED_VALUE_HIDDEN = (
    "dcmcfg cannot query the value that the archive has loaded. To prove a change, run `dcmcfg verify` after the "
    "reload."
)
BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour(
        "dcmAECacheStaleTimeout",
        "The archive caches the AEs of other devices for this time, or until a reload. For the same time, the archive "
        "also remembers that an AE title is unknown, and caches devices, web applications and HL7 applications. "
        "Without the attribute, the archive caches AEs until a reload. An attribute dcmDeviceCacheStaleTimeout does "
        "not exist.",
    ),
    Behaviour(
        "dcmStorageThreshold",
        "A C-STORE can arrive while this storage has less free space than its threshold. If another storage is "
        "available, the archive then first reloads all changes in LDAP. If the reload fails, the archive refuses the "
        "C-STORE (0110). If the reload succeeds, the archive removes this storage from dcmObjectStorageID in LDAP.",
    ),
    Behaviour(
        "dcmObjectStorageID",
        "The archive itself removes a storage from this attribute when the storage has less free space than its "
        "dcmStorageThreshold. If a value of this attribute names a storage that does not exist, the archive loads the "
        "value, but C-STOREs fail (rule: storage-unknown).",
    ),
    Behaviour("dcmExternalRetrieveAEDestination", _LOADED_VALUE_HIDDEN),
    Behaviour("dcmCStoreSCUOfCMoveSCP", _LOADED_VALUE_HIDDEN),
    Behaviour("dcmFallbackCMoveSCP*", _LOADED_VALUE_HIDDEN),
    Behaviour("dcmAcceptedMoveDestination", _LOADED_VALUE_HIDDEN),
    Behaviour(
        "dcmStgCmtSCP",
        f"{_LOADED_VALUE_HIDDEN} The archive's database contains the title of the external archive of a study only "
        "after a storage commitment. Without a storage commitment, the archive purges nothing.",
    ),
    Behaviour(
        "dcmExternalRetrieveInstanceAvailability",
        "Without this attribute, purged studies still have the availability ONLINE. With this attribute, a purged "
        "study gets the value of the attribute as its availability, and keeps it after a recall. So the availability "
        "does not show whether the archive has the files.",
    ),
    Behaviour(
        "dcmQueueName",
        "If the queue does not exist, the archive loads the exporter, but the export tasks fail (rule: queue-unknown).",
    ),
    Behaviour(
        "dcmTag", "The archive loads values that are not tags, such as 0020000Z, but these values have no effect."
    ),
    Behaviour(
        "dcmKeyStorePin",
        "`dcmcfg check` cannot test the PIN. Test the PIN with `keytool -list -keystore FILE` before the next start of "
        "the archive.",
    ),
    Behaviour(
        "dicomInstalled",
        "If the value is FALSE on the archive's own device or connection, a reload closes the ports. The archive still "
        "reports STARTED.",
    ),
    Behaviour(
        "dcmExternalWadoRSWebAppName",
        "The archive redirects WADO-RS requests for purged or partly purged studies to this web application (303). "
        "Without this attribute, the archive responds with 410 for a purged study and 206 for a partly purged study.",
    ),
    Behaviour(
        "dcmFallbackWadoURIWebAppName",
        "The archive redirects WADO-URI requests for purged objects to this web application (303). The archive does "
        "not redirect WADO-RS requests to this web application.",
    ),
    Behaviour(
        "dcmuiDeviceClusterDevices",
        "Only the web interface uses this attribute, to send a reload to each node. The archive itself has no list of "
        "nodes. So a reload of one node does not reload the other nodes.",
    ),
)


def find_all_effect_timings(attribute: str) -> tuple[EffectTiming, ...]:
    """Return all timings of *attribute*: the reload that a change to the archive device requires, then special ones.

    Empty for an attribute that the archive's loader does not read and that :func:`find_special_effect_timings` does not
    know.
    """
    special = find_special_effect_timings(attribute)
    # A special timing for the archive's own device replaces the plain reload.
    if any(each.device_kind is DeviceKind.ARCHIVE for each in special):
        return special
    loaded = ", ".join(_find_loading_classes(attribute))
    return (
        (EffectTiming(attribute, loaded, DeviceKind.ARCHIVE, RequiredAction.RELOAD, timing=_RELOAD), *special)
        if loaded
        else special
    )


def _find_loading_classes(attribute: str) -> Iterator[str]:
    """Yield the names of the object classes on which the archive's loader reads *attribute*."""
    definition = load_bundled_schema().attribute(attribute)
    if definition is None or not is_loaded_by_archive(definition.name):
        return
    for each in load_bundled_schema().object_classes:
        if each.name in get_loaded_classes() and definition.name in (*each.must, *each.may):
            yield each.name


@cache
def find_special_effect_timings(attribute: str) -> tuple[EffectTiming, ...]:
    """Return the timings of *attribute* that need more than a reload, by entry; empty if a reload is enough."""
    return tuple(each for each in EFFECT_TIMINGS if _matches(attribute, each.attribute))


def describe_behaviour(attribute: str) -> Iterator[str]:
    """Yield descriptions of the archive's behaviour with *attribute*, one paragraph each."""
    yield from (each.text for each in BEHAVIOURS if _matches(attribute, each.attribute))


def _matches(attribute: str, pattern: str) -> bool:
    """Return whether *attribute* (an LDAP name, without its options) is *pattern*; case is ignored, as in LDAP."""
    return fnmatchcase(attribute.partition(";")[0].lower(), pattern.lower())
