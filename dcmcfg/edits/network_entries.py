"""Entries of a device as ``dcmldap`` writes them: with the classes of its extended mode, without default values."""

from __future__ import annotations

from collections.abc import Iterable

from dcmcfg.dn import DN
from dcmcfg.entry import Entry


def build_registration_entry(registry: DN, title: str) -> Entry:
    """Return the entry that registers *title* below the registry of AE titles at *registry*."""
    return Entry.from_values(
        registry.child("dicomAETitle", title), {"objectClass": "dicomUniqueAETitle", "dicomAETitle": title}
    )


def build_device_entry(dn: DN, description: str | None = None, types: Iterable[str] = ()) -> Entry:
    """Return the entry of the device at *dn*, whose RDN names it; *types* are modalities, as its primary types."""
    return Entry.from_values(
        dn,
        {
            "objectClass": ("dicomDevice", "dcmDevice"),
            "dicomDeviceName": _get_name(dn),
            **_if_given("dicomDescription", description),
            **({"dicomPrimaryDeviceType": kinds} if (kinds := tuple(types)) else {}),
            "dicomInstalled": "TRUE",
        },
    )


def build_connection_entry(dn: DN, host: str, port: int | None, cipher_suites: Iterable[str] = ()) -> Entry:
    """Return the entry of the connection at *dn*; without *port* it only initiates, with *cipher_suites* it is TLS."""
    suites = tuple(cipher_suites)
    return Entry.from_values(
        dn,
        {
            "objectClass": ("dicomNetworkConnection", "dcmNetworkConnection"),
            "cn": _get_name(dn),
            "dicomHostname": host,
            **_if_given("dicomPort", None if port is None else str(port)),
            **({"dicomTLSCipherSuite": suites} if suites else {}),
        },
    )


def build_ae_entry(
    dn: DN,
    connections: Iterable[DN],
    description: str | None = None,
    *,
    acceptor: bool = True,
    is_archive_ae: bool = False,
) -> Entry:
    """Return the entry of the AE at *dn* with references to *connections*; no *acceptor* takes no associations.

    One *is_archive_ae* has the class without which the archive serves nothing under its title (ArchiveAEExtension).
    """
    return Entry.from_values(
        dn,
        {
            "objectClass": ("dicomNetworkAE", "dcmNetworkAE", *(("dcmArchiveNetworkAE",) if is_archive_ae else ())),
            "dicomAETitle": _get_name(dn),
            **_if_given("dicomDescription", description),
            "dicomNetworkConnectionReference": [str(connection) for connection in connections],
            "dicomAssociationInitiator": "TRUE",
            "dicomAssociationAcceptor": "TRUE" if acceptor else "FALSE",
        },
    )


def _get_name(dn: DN) -> str:
    return dn.rdn.parts[0][1]


def _if_given(name: str, value: str | None) -> dict[str, str]:
    return {name: value} if value else {}
