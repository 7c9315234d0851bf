"""Build entries of a device in the form of ``dcmldap``: with the classes of its extended mode, without defaults."""

from __future__ import annotations

from collections.abc import Iterable

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.schema_names import (
    ARCHIVE_NETWORK_AE_OBJECT_CLASS,
    COMMON_NAME,
    DCM_DEVICE_OBJECT_CLASS,
    DCM_NETWORK_AE_OBJECT_CLASS,
    DCM_NETWORK_CONNECTION_OBJECT_CLASS,
    DICOM_AE_TITLE,
    DICOM_ASSOCIATION_ACCEPTOR,
    DICOM_ASSOCIATION_INITIATOR,
    DICOM_DESCRIPTION,
    DICOM_DEVICE_NAME,
    DICOM_DEVICE_OBJECT_CLASS,
    DICOM_HOSTNAME,
    DICOM_INSTALLED,
    DICOM_NETWORK_AE_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_REFERENCE,
    DICOM_PORT,
    DICOM_PRIMARY_DEVICE_TYPE,
    DICOM_TLS_CIPHER_SUITE,
    DICOM_UNIQUE_AE_TITLE_OBJECT_CLASS,
    OBJECT_CLASS,
)


def build_registration_entry(registry: DN, title: str) -> Entry:
    """Return the entry that registers *title* below the registry of AE titles at *registry*."""
    return Entry.from_values(
        registry.child(DICOM_AE_TITLE, title), {OBJECT_CLASS: DICOM_UNIQUE_AE_TITLE_OBJECT_CLASS, DICOM_AE_TITLE: title}
    )


def build_device_entry(dn: DN, description: str | None = None, types: Iterable[str] = ()) -> Entry:
    """Return the entry of the device at *dn*, whose RDN has its name; *types* are its primary types (modalities)."""
    return Entry.from_values(
        dn,
        {
            OBJECT_CLASS: (DICOM_DEVICE_OBJECT_CLASS, DCM_DEVICE_OBJECT_CLASS),
            DICOM_DEVICE_NAME: _get_name(dn),
            **_if_given(DICOM_DESCRIPTION, description),
            **({DICOM_PRIMARY_DEVICE_TYPE: kinds} if (kinds := tuple(types)) else {}),
            # The schema requires this for a device; its AEs and connections inherit it.
            DICOM_INSTALLED: "TRUE",
        },
    )


def build_connection_entry(dn: DN, host: str, port: int | None, cipher_suites: Iterable[str] = ()) -> Entry:
    """Return the entry of the connection at *dn*; without *port*, it only initiates; *cipher_suites* enable TLS."""
    suites = tuple(cipher_suites)
    return Entry.from_values(
        dn,
        {
            OBJECT_CLASS: (DICOM_NETWORK_CONNECTION_OBJECT_CLASS, DCM_NETWORK_CONNECTION_OBJECT_CLASS),
            COMMON_NAME: _get_name(dn),
            DICOM_HOSTNAME: host,
            **_if_given(DICOM_PORT, None if port is None else str(port)),
            **({DICOM_TLS_CIPHER_SUITE: suites} if suites else {}),
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
    """Return the entry of the AE at *dn* with references to *connections*; an *acceptor* accepts associations.

    With *is_archive_ae*, it has the class that the archive requires to serve its title (ArchiveAEExtension).
    """
    return Entry.from_values(
        dn,
        {
            OBJECT_CLASS: (
                DICOM_NETWORK_AE_OBJECT_CLASS,
                DCM_NETWORK_AE_OBJECT_CLASS,
                *((ARCHIVE_NETWORK_AE_OBJECT_CLASS,) if is_archive_ae else ()),
            ),
            DICOM_AE_TITLE: _get_name(dn),
            **_if_given(DICOM_DESCRIPTION, description),
            DICOM_NETWORK_CONNECTION_REFERENCE: [str(connection) for connection in connections],
            # The schema requires both flags.
            DICOM_ASSOCIATION_INITIATOR: "TRUE",
            DICOM_ASSOCIATION_ACCEPTOR: "TRUE" if acceptor else "FALSE",
        },
    )


def _get_name(dn: DN) -> str:
    return dn.rdn.parts[0][1]


def _if_given(name: str, value: str | None) -> dict[str, str]:
    return {name: value} if value else {}
