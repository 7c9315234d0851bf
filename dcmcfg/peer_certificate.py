"""The certificate that a peer presented, even if it was not accepted."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime
from typing import Any

from dcmcfg.suggestions import join_limited

#: The number of hosts that a message lists, and the length to which each is cut: a peer may send any names.
_MAXIMUM_HOSTS, _MAXIMUM_TEXT_LENGTH = 3, 253
_ABBREVIATIONS = {"commonName": "CN", "organizationName": "O", "organizationalUnitName": "OU", "countryName": "C"}
_HOSTS = frozenset({"DNS", "IP Address"})


@dataclass(frozen=True)
class PeerCertificate:
    """The hosts and the validity of a certificate; a missing date is None.

    ``hosts`` come from the subjectAltName, or from the common name if ``has_host_names`` is False. ``subject`` has the
    form ``CN=archive, O=hospital``; it is empty if the certificate has none.
    """

    hosts: tuple[str, ...]
    valid_from: datetime | None
    valid_until: datetime | None
    _: KW_ONLY
    subject: str = ""
    has_host_names: bool = True

    @property
    def hosts_text(self) -> str:
        """The hosts for a message; of many hosts, the first ones."""
        return join_limited([each[:_MAXIMUM_TEXT_LENGTH] for each in self.hosts], _MAXIMUM_HOSTS)


def read_peer_certificate(connection: socket.socket) -> PeerCertificate | None:
    """Return the certificate that the peer of *connection* presented, verified or not; None if there is none.

    After a failed handshake, ``getpeercert`` returns nothing. The internal object of a Python connection has the chain
    since Python 3.10; without that object, the result is None.
    """
    chain = getattr(getattr(connection, "_sslobj", None), "get_unverified_chain", lambda: None)()
    get_info = getattr(chain[0], "get_info", None) if chain else None
    return _parse_certificate(get_info()) if get_info is not None else None


def _parse_certificate(info: Mapping[str, Any]) -> PeerCertificate:
    """Return the certificate described by *info*, in the form of :meth:`ssl.SSLSocket.getpeercert`."""
    hosts = tuple(name for kind, name in info.get("subjectAltName", ()) if kind in _HOSTS)
    subject = info.get("subject", ())
    common_names = tuple(value for rdn in subject for kind, value in rdn if kind == "commonName")
    valid_from, valid_until = parse_openssl_time(info.get("notBefore")), parse_openssl_time(info.get("notAfter"))
    return PeerCertificate(
        hosts or common_names,
        valid_from,
        valid_until,
        subject=format_subject(subject)[:_MAXIMUM_TEXT_LENGTH],
        has_host_names=bool(hosts),
    )


def format_subject(subject: Iterable[Iterable[tuple[str, str]]]) -> str:
    """Return *subject*, in the form of :meth:`ssl.SSLSocket.getpeercert`, as ``CN=archive, O=hospital``."""
    # getpeercert lists the parts from the root on, but the text begins with the common name.
    return ", ".join(reversed([f"{_ABBREVIATIONS.get(key, key)}={value}" for rdn in subject for key, value in rdn]))


def parse_openssl_time(text: object) -> datetime | None:
    """Return the time in *text*, in the format of OpenSSL; None if *text* is empty or None."""
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(text)), UTC) if text else None
