"""What a change of an attribute takes to be in force, and how the archive behaves where that surprises.

Found by running dcm4chee-arc 5.35.1, a few in its source. What is not listed takes effect with a reload, as far as it
was tried. The Java classes named in comments show why.
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
    """What puts a change in force."""

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
    """When a change of ``attribute`` takes effect, on entries of ``object_class`` of the device ``device_kind``.

    ``attribute`` may be a pattern with ``*``. ``timing`` continues the words "takes effect". With ``shown_in_plan`` a
    plan with such a change says so. ``is_tested`` is False for what only the archive's source shows.
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
        """The entries that it is about: those of the device, or AEs of it."""
        return f"AEs of {self.device_kind.value}" if self.object_class in _AE_CLASSES else self.device_kind.value


@dataclass(frozen=True)
class Behaviour:
    """How the archive behaves with ``attribute``, as sentences; ``attribute`` may be a pattern with ``*``."""

    attribute: str
    text: str


_REBIND = (
    "after a reload, which opens the port again. Where that fails (500 Unable to start TCPListener), the port is "
    "closed and the rest of the configuration is in force: reload once more"
)
_CACHE = (
    "at once if the archive has not looked up the AE yet, else when dcmAECacheStaleTimeout is over, or after a reload"
)

_RELOAD = "with dcmcfg reload (changing commands reload by themselves)"
_NOT_COPIED = "after a restart of the archive; a reload is not enough"


def _build_restart_timing(attribute: str, object_class: str) -> EffectTiming:
    """Return the row of an attribute that the archive's class does not copy in its method ``reconfigure``."""
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
    # ApplicationEntity.setApplicationEntityAttributes does not copy it.
    EffectTiming(
        "dcmMasqueradeCalledAETitle",
        "dcmNetworkAE",
        DeviceKind.ARCHIVE,
        RequiredAction.RESTART,
        timing="after a restart of the archive; a reload puts neither a new value nor its removal in force",
        shown_in_plan=True,
    ),
    # ArchiveDeviceProducer looks the device up by the name that it was started with.
    EffectTiming(
        "dicomDeviceName",
        "dicomDevice",
        DeviceKind.ARCHIVE,
        RequiredAction.RESTART,
        timing="after a restart with -Ddcm4chee-arc.DeviceName=NAME; a reload fails (500), and the archive keeps what "
        "it has loaded",
    ),
    EffectTiming(
        "dcmKeyStoreURL",
        "dcmDevice",
        DeviceKind.ARCHIVE,
        RequiredAction.RELOAD_UP_TO_TWICE,
        timing="after a reload, which opens the TLS ports again, sometimes after two. A new file under the same URL "
        "and pin takes effect after a restart of the archive",
    ),
    EffectTiming(
        "dcmKeyStorePin",
        "dcmDevice",
        DeviceKind.ARCHIVE,
        RequiredAction.NEXT_START,
        timing="at the next start of the archive, which fails if the pin is wrong; a reload accepts a wrong pin and "
        "keeps the key in use",
        shown_in_plan=True,
    ),
    # Connection, Device and ArchiveDeviceExtension.
    _build_restart_timing("dcmRetrieveTimeoutTotal", "dcmNetworkConnection"),
    _build_restart_timing("dcmKeyStorePinProperty", "dcmDevice"),
    _build_restart_timing("dcmKeyStoreKeyPinProperty", "dcmDevice"),
    _build_restart_timing("dcmTrustStorePinProperty", "dcmDevice"),
    _build_restart_timing("dcmSeriesMetadataMaxRetries", "dcmArchiveDevice"),
    _build_restart_timing("dcmUnzipVendorDataToURI", "dcmArchiveDevice"),
    _build_restart_timing("hl7OutgoingLogFilePattern", "dcmArchiveDevice"),
    _build_restart_timing("hl7OutgoingErrorLogFilePattern", "dcmArchiveDevice"),
    # Scheduler.reload, for each of its subclasses.
    EffectTiming(
        "*PollingInterval",
        "dcmArchiveDevice",
        DeviceKind.ARCHIVE,
        RequiredAction.RELOAD_AND_START_DELAY,
        timing="after a reload, then dcmSchedulerMinStartDelay (60 s if absent) and a random part of the interval",
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
    "No request to the archive shows which value it has loaded. After a change, run `dcmcfg reload`, then "
    "`dcmcfg verify`."
)
BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour(
        "dcmAECacheStaleTimeout",
        "The archive keeps what it knows of other AEs, also that an AE is unknown, for this time or until a reload. "
        "Without the attribute it keeps that until a reload. The same time counts for devices, web applications and "
        "HL7 applications; there is no dcmDeviceCacheStaleTimeout.",
    ),
    Behaviour(
        "dcmStorageThreshold",
        "When a C-STORE finds this storage below its threshold and another storage takes over, the archive first "
        "reloads by itself, then writes dcmObjectStorageID. So a change in LDAP that nobody reloaded goes live. If the "
        "archive cannot load it, it refuses the C-STORE (0110).",
    ),
    Behaviour(
        "dcmObjectStorageID",
        "The archive itself removes a storage here when that storage falls below its dcmStorageThreshold. A value that "
        "names a storage that is not there is loaded, and C-STOREs fail (rule: storage-unknown).",
    ),
    Behaviour("dcmExternalRetrieveAEDestination", _LOADED_VALUE_HIDDEN),
    Behaviour("dcmCStoreSCUOfCMoveSCP", _LOADED_VALUE_HIDDEN),
    Behaviour("dcmFallbackCMoveSCP*", _LOADED_VALUE_HIDDEN),
    Behaviour("dcmAcceptedMoveDestination", _LOADED_VALUE_HIDDEN),
    Behaviour(
        "dcmStgCmtSCP",
        f"{_LOADED_VALUE_HIDDEN} Only a storage commitment records which external archive has a study; without it "
        "nothing is "
        "purged.",
    ),
    Behaviour(
        "dcmExternalRetrieveInstanceAvailability",
        "Without it, purged studies still show as ONLINE. With it, a study keeps the value after a recall, so it does "
        "not show whether the files are here.",
    ),
    Behaviour(
        "dcmQueueName",
        "An exporter with a queue that is not there is loaded, and its tasks fail (rule: queue-unknown).",
    ),
    Behaviour("dcmTag", "The archive loads a value that is no tag, such as 0020000Z; it has no effect."),
    Behaviour(
        "dcmKeyStorePin",
        "`dcmcfg check` cannot try the PIN. Try it with `keytool -list -keystore FILE` before the next start of the "
        "archive.",
    ),
    Behaviour(
        "dicomInstalled",
        "With FALSE on the archive's own device or connection, a reload closes the ports; the archive still reports "
        "STARTED.",
    ),
    Behaviour(
        "dcmExternalWadoRSWebAppName",
        "WADO-RS requests for a study that is purged, also in part, are redirected there (303). Without it the answer "
        "is 410 for a purged study and 206 for a partly purged one.",
    ),
    Behaviour(
        "dcmFallbackWadoURIWebAppName",
        "WADO-URI requests for purged objects of this archive are redirected there (303). WADO-RS requests are not.",
    ),
    Behaviour(
        "dcmuiDeviceClusterDevices",
        "For the web interface only: its pages send the reload to each node. The archive itself reads no list of "
        "nodes; a reload of one node does not reach the others.",
    ),
)


def find_all_effect_timings(attribute: str) -> tuple[EffectTiming, ...]:
    """Return :func:`find_special_effect_timings`, after the reload that each change of the archive device requires.

    Empty for an attribute that the archive's loader does not read, unless :func:`find_special_effect_timings` knows of
    it.
    """
    special = find_special_effect_timings(attribute)
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
    """Return when a change of *attribute* takes effect, by place; empty where a reload is all that it takes."""
    return tuple(each for each in EFFECT_TIMINGS if _matches(attribute, each.attribute))


def describe_behaviour(attribute: str) -> Iterator[str]:
    """Yield how the archive behaves with *attribute*, a paragraph each."""
    yield from (each.text for each in BEHAVIOURS if _matches(attribute, each.attribute))


def _matches(attribute: str, pattern: str) -> bool:
    """Return whether *attribute* (an LDAP name, options left out) is *pattern*; case is ignored, as in LDAP."""
    return fnmatchcase(attribute.partition(";")[0].lower(), pattern.lower())
