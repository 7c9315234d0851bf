"""What a change of an attribute takes to be in force, and how the archive behaves where that surprises.

Found by running dcm4chee-arc 5.35.1, a few in its source. What is not listed takes effect with a reload, as far as it
was tried. The Java classes named in comments show why.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache

from dcmcfg.schema.archive_values import is_loaded, loaded_classes
from dcmcfg.schema.definitions import bundled

_AE_CLASSES = ("dicomNetworkAE", "dcmNetworkAE", "dcmArchiveNetworkAE")


class Needs(StrEnum):
    """What puts a change in force."""

    RESTART = "restart"
    RELOAD = "reload"
    NEXT_START = "next start"
    START_DELAY = "reload and start delay"
    REBIND = "reload, sometimes two"
    CACHE = "nothing, the cache time, or a reload"


class Place(StrEnum):
    """The device that an entry belongs to."""

    ARCHIVE = "the archive's device"
    OTHER = "another device"


@dataclass(frozen=True)
class TakesEffect:
    """When a change of ``attribute`` takes effect, on entries of ``object_class`` of the device ``place``.

    ``attribute`` may be a pattern with ``*``. ``when`` continues the words "takes effect". With ``told_in_plan`` a plan
    with such a change says so. ``tried`` is False for what only the archive's source shows.
    """

    attribute: str
    object_class: str
    place: Place
    needs: Needs
    when: str
    told_in_plan: bool = False
    tried: bool = True

    @property
    def on(self) -> str:
        """The entries that it is about: those of the device, or AEs of it."""
        return f"AEs of {self.place.value}" if self.object_class in _AE_CLASSES else self.place.value


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


def _not_copied(attribute: str, object_class: str) -> TakesEffect:
    """Return the row of an attribute that the archive's class does not copy in its method ``reconfigure``."""
    return TakesEffect(
        attribute, object_class, Place.ARCHIVE, Needs.RESTART, _NOT_COPIED, told_in_plan=True, tried=False
    )


#: Ordered as documented.
TAKES_EFFECT: tuple[TakesEffect, ...] = (
    # ApplicationEntity.setApplicationEntityAttributes does not copy it.
    TakesEffect(
        "dcmMasqueradeCalledAETitle",
        "dcmNetworkAE",
        Place.ARCHIVE,
        Needs.RESTART,
        "after a restart of the archive; a reload puts neither a new value nor its removal in force",
        told_in_plan=True,
    ),
    # ArchiveDeviceProducer looks the device up by the name that it was started with.
    TakesEffect(
        "dicomDeviceName",
        "dicomDevice",
        Place.ARCHIVE,
        Needs.RESTART,
        "after a restart with -Ddcm4chee-arc.DeviceName=NAME; a reload fails (500), and the archive keeps what it has "
        "loaded",
    ),
    TakesEffect(
        "dcmKeyStoreURL",
        "dcmDevice",
        Place.ARCHIVE,
        Needs.REBIND,
        "after a reload, which opens the TLS ports again, sometimes after two. A new file under the same URL and pin "
        "takes effect after a restart of the archive",
    ),
    TakesEffect(
        "dcmKeyStorePin",
        "dcmDevice",
        Place.ARCHIVE,
        Needs.NEXT_START,
        "at the next start of the archive, which fails if the pin is wrong; a reload accepts a wrong pin and keeps the "
        "key in use",
        told_in_plan=True,
    ),
    # Connection, Device and ArchiveDeviceExtension.
    _not_copied("dcmRetrieveTimeoutTotal", "dcmNetworkConnection"),
    _not_copied("dcmKeyStorePinProperty", "dcmDevice"),
    _not_copied("dcmKeyStoreKeyPinProperty", "dcmDevice"),
    _not_copied("dcmTrustStorePinProperty", "dcmDevice"),
    _not_copied("dcmSeriesMetadataMaxRetries", "dcmArchiveDevice"),
    _not_copied("dcmUnzipVendorDataToURI", "dcmArchiveDevice"),
    _not_copied("hl7OutgoingLogFilePattern", "dcmArchiveDevice"),
    _not_copied("hl7OutgoingErrorLogFilePattern", "dcmArchiveDevice"),
    # Scheduler.reload, for each of its subclasses.
    TakesEffect(
        "*PollingInterval",
        "dcmArchiveDevice",
        Place.ARCHIVE,
        Needs.START_DELAY,
        "after a reload, then dcmSchedulerMinStartDelay (60 s if absent) and a random part of the interval",
        told_in_plan=True,
    ),
    TakesEffect("dicomHostname", "dicomNetworkConnection", Place.ARCHIVE, Needs.REBIND, _REBIND),
    TakesEffect("dicomTLSCipherSuite", "dicomNetworkConnection", Place.ARCHIVE, Needs.REBIND, _REBIND),
    TakesEffect("dicomHostname", "dicomNetworkConnection", Place.OTHER, Needs.CACHE, _CACHE),
    TakesEffect("dicomPort", "dicomNetworkConnection", Place.OTHER, Needs.CACHE, _CACHE),
    TakesEffect("dicomTLSCipherSuite", "dicomNetworkConnection", Place.OTHER, Needs.CACHE, _CACHE),
    TakesEffect(
        "dicomInstalled", "dicomDevice, dicomNetworkAE, dicomNetworkConnection", Place.OTHER, Needs.CACHE, _CACHE
    ),
    TakesEffect("dicomSOPClass", "dicomTransferCapability", Place.OTHER, Needs.CACHE, _CACHE),
    TakesEffect("dicomTransferRole", "dicomTransferCapability", Place.OTHER, Needs.CACHE, _CACHE),
    TakesEffect("dicomTransferSyntax", "dicomTransferCapability", Place.OTHER, Needs.CACHE, _CACHE),
    TakesEffect("dicomAETitle", "dicomNetworkAE", Place.OTHER, Needs.CACHE, _CACHE),
    TakesEffect("dicomNetworkConnectionReference", "dicomNetworkAE", Place.OTHER, Needs.CACHE, _CACHE),
)

_NOT_SHOWN = (
    "No request to the archive shows which value it has loaded. After a change, run `dcmcfg reload`, then "
    "`dcmcfg verify`."
)
BEHAVIOUR: tuple[Behaviour, ...] = (
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
        "names a storage that is not there is loaded, and C-STOREs fail (lint: storage-unknown).",
    ),
    Behaviour("dcmExternalRetrieveAEDestination", _NOT_SHOWN),
    Behaviour("dcmCStoreSCUOfCMoveSCP", _NOT_SHOWN),
    Behaviour("dcmFallbackCMoveSCP*", _NOT_SHOWN),
    Behaviour("dcmAcceptedMoveDestination", _NOT_SHOWN),
    Behaviour(
        "dcmStgCmtSCP",
        f"{_NOT_SHOWN} Only a storage commitment records which external archive has a study; without it nothing is "
        "purged.",
    ),
    Behaviour(
        "dcmExternalRetrieveInstanceAvailability",
        "Without it, purged studies still show as ONLINE. With it, a study keeps the value after a recall, so it does "
        "not show whether the files are here.",
    ),
    Behaviour(
        "dcmQueueName",
        "An exporter with a queue that is not there is loaded, and its tasks fail (lint: queue-unknown).",
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


def explained_effect(attribute: str) -> tuple[TakesEffect, ...]:
    """Return :func:`takes_effect`, led by the reload that a change on the archive's device takes if nothing else.

    Empty for an attribute that the archive's loader does not read, unless :func:`takes_effect` knows of it.
    """
    special = takes_effect(attribute)
    if any(each.place is Place.ARCHIVE for each in special):
        return special
    loaded = ", ".join(_loaded_on(attribute))
    return (TakesEffect(attribute, loaded, Place.ARCHIVE, Needs.RELOAD, _RELOAD), *special) if loaded else special


def _loaded_on(attribute: str) -> Iterator[str]:
    """Yield the names of the object classes on which the archive's loader reads *attribute*."""
    definition = bundled().attribute(attribute)
    if definition is None or not is_loaded(definition.name):
        return
    for each in bundled().object_classes:
        if each.name in loaded_classes() and definition.name in (*each.must, *each.may):
            yield each.name


@cache
def takes_effect(attribute: str) -> tuple[TakesEffect, ...]:
    """Return when a change of *attribute* takes effect, by place; empty where a reload is all that it takes."""
    return tuple(each for each in TAKES_EFFECT if _is(attribute, each.attribute))


def behaviour(attribute: str) -> Iterator[str]:
    """Yield how the archive behaves with *attribute*, a paragraph each."""
    yield from (each.text for each in BEHAVIOUR if _is(attribute, each.attribute))


def _is(attribute: str, pattern: str) -> bool:
    """Return whether *attribute* (an LDAP name, options left out) is *pattern*; case is ignored, as in LDAP."""
    return fnmatchcase(attribute.partition(";")[0].lower(), pattern.lower())
