"""TLS cipher suites by their Java names (JSSE), which the archive uses."""

from __future__ import annotations

import re

from dcmcfg.errors import MalformedInput, Refused
from dcmcfg.model.devices import DICOM, Configuration
from dcmcfg.schema_names import DICOM_TLS_CIPHER_SUITE

#: JSSE separates the words of a name with underscores, OpenSSL with hyphens.
_JSSE_NAME = re.compile(r"(?:TLS|SSL)_[A-Z0-9]+(?:_[A-Za-z0-9]+)+")


def parse_cipher_suite(text: str) -> str:
    """Return *text* if it has the form of a JSSE name, unlike OpenSSL's names; raises :class:`MalformedInput`."""
    if not _JSSE_NAME.fullmatch(text):
        raise MalformedInput(
            "not a Java (JSSE) name of a cipher suite",
            subject=repr(text),
            next_step="use the Java name, such as TLS_RSA_WITH_AES_128_CBC_SHA, not the OpenSSL name",
        )
    return text


def get_archive_cipher_suites(configuration: Configuration, device_name: str) -> tuple[str, ...]:
    """Return the suites of the first listening TLS connection of an AE of the archive *device_name*.

    Raises :class:`Refused` if there is none, because suites that both peers support are unknown then.
    """
    for ae in configuration.get_device(device_name).network_aes:
        secured = ae.find_listening_connection(tls=True)
        entry = configuration.tree.get(secured.dn) if secured is not None else None
        if entry is not None:
            return entry.texts(DICOM_TLS_CIPHER_SUITE)
    raise Refused(
        f"no AE of the archive {device_name} has a connection with TLS, so dcmcfg cannot choose cipher suites",
        next_step="specify the cipher suites with --cipher-suite",
    )


def collect_offered_cipher_suites(configuration: Configuration) -> frozenset[str]:
    """Return the suites of all DICOM connections with TLS of archives."""
    return frozenset(
        suite
        for device in configuration.devices
        if device.is_archive
        for connection in device.connections
        if connection.protocol == DICOM and (entry := configuration.tree.get(connection.dn)) is not None
        for suite in entry.texts(DICOM_TLS_CIPHER_SUITE)
    )
