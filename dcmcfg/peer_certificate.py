"""The certificate that a peer showed, also where it was not taken."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime
from typing import Any

from dcmcfg.suggestions import join_limited

#: Names that a message lists before it counts the others, and how much of each: a peer may put anything there.
_MAXIMUM_HOSTS, _MAXIMUM_TEXT_LENGTH = 3, 253
_ABBREVIATIONS = {"commonName": "CN", "organizationName": "O", "organizationalUnitName": "OU", "countryName": "C"}
_HOSTS = frozenset({"DNS", "IP Address"})


@dataclass(frozen=True)
class PeerCertificate:
    """The hosts that a certificate is for, and from when to when it is valid; None where it does not say.

    ``hosts`` is what its common name says where it has no subjectAltName for hosts (not ``has_host_names``).
    ``subject`` is in the form ``CN=archive, O=hospital``, ``""`` where it has none.
    """

    hosts: tuple[str, ...]
    valid_from: datetime | None
    valid_until: datetime | None
    _: KW_ONLY
    subject: str = ""
    has_host_names: bool = True

    @property
    def hosts_text(self) -> str:
        """The hosts, the first ones of many."""
        return join_limited([each[:_MAXIMUM_TEXT_LENGTH] for each in self.hosts], _MAXIMUM_HOSTS)


def read_peer_certificate(connection: socket.socket) -> PeerCertificate | None:
    """Return the certificate that the peer of *connection* showed, whether or not it was verified; None for none.

    After a handshake that failed ``getpeercert`` returns nothing. The object behind a connection of Python's has had
    the chain since Python 3.10; without one, the result is None.
    """
    chain = getattr(getattr(connection, "_sslobj", None), "get_unverified_chain", lambda: None)()
    get_info = getattr(chain[0], "get_info", None) if chain else None
    return _parse_certificate(get_info()) if get_info is not None else None


def _parse_certificate(info: Mapping[str, Any]) -> PeerCertificate:
    """Return the certificate in *info*, which has the form of :meth:`ssl.SSLSocket.getpeercert`."""
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
    """Return *subject*, as :meth:`ssl.SSLSocket.getpeercert` gives it, as ``CN=archive, O=hospital``."""
    return ", ".join(reversed([f"{_ABBREVIATIONS.get(key, key)}={value}" for rdn in subject for key, value in rdn]))


def parse_openssl_time(text: object) -> datetime | None:
    """Return the time that OpenSSL writes as *text*; None for nothing."""
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(text)), UTC) if text else None
