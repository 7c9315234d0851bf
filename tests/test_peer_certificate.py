"""What is told of a certificate that was shown is bounded, and nothing where none was; test_tls.py shows some."""

from __future__ import annotations

import socket

import pytest

from dcmcfg.peer_certificate import PeerCertificate, read_peer_certificate


def test_a_plain_connection_shows_none() -> None:
    with socket.socket() as plain:
        assert read_peer_certificate(plain) is None


@pytest.mark.parametrize(
    ("hosts", "words"),
    [
        (("a", "10.0.0.1", "c"), "a, 10.0.0.1, c"),
        (("a", "b", "c", "d", "e"), "a, b, c and 2 more"),
        (("x" * 1000,), "x" * 253),
    ],
)
def test_of_many_hosts_the_first_are_named(hosts: tuple[str, ...], words: str) -> None:
    assert PeerCertificate(hosts, None, None).hosts_text == words
