"""TLS cipher suites by the names that the archive's Java gives them (JSSE)."""

from __future__ import annotations

import re

from dcmcfg.errors import MalformedInput, Refused
from dcmcfg.model.devices import DICOM, Configuration
from dcmcfg.schema_names import DICOM_TLS_CIPHER_SUITE

_JSSE_NAME = re.compile(r"(?:TLS|SSL)_[A-Z0-9]+(?:_[A-Za-z0-9]+)+")


def parse_cipher_suite(text: str) -> str:
    """Return *text* when it looks like a JSSE name; OpenSSL's names never match. Raises :class:`MalformedInput`."""
    if not _JSSE_NAME.fullmatch(text):
        raise MalformedInput(
            "not the name of a cipher suite as Java has it",
            subject=repr(text),
            next_step="for example TLS_RSA_WITH_AES_128_CBC_SHA; OpenSSL has other names",
        )
    return text


def get_archive_cipher_suites(configuration: Configuration, device_name: str) -> tuple[str, ...]:
    """Return the suites of the first TLS connection that an AE of the archive *device_name* listens on.

    Raises :class:`Refused` when there is none: nothing says then which suites both sides have.
    """
    for ae in configuration.get_device(device_name).network_aes:
        secured = ae.find_listening_connection(tls=True)
        entry = configuration.tree.get(secured.dn) if secured is not None else None
        if entry is not None:
            return entry.texts(DICOM_TLS_CIPHER_SUITE)
    raise Refused(
        f"no AE of the archive {device_name} has a connection with TLS, so it is not known which cipher suites fit",
        next_step="--cipher-suite names them",
    )


def collect_offered_cipher_suites(configuration: Configuration) -> frozenset[str]:
    """Return the suites of all TLS connections for DICOM that archives have."""
    return frozenset(
        suite
        for device in configuration.devices
        if device.is_archive
        for connection in device.connections
        if connection.protocol == DICOM and (entry := configuration.tree.get(connection.dn)) is not None
        for suite in entry.texts(DICOM_TLS_CIPHER_SUITE)
    )
