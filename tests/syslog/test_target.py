"""Messages reach real listeners on this machine by each transport; no listener is an error with a reason."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from dcmcfg.errors import DcmcfgError, MalformedInput
from dcmcfg.syslog.target import SyslogTarget, Transport, parse_syslog_target
from tests.patience import PATIENCE_S
from tests.ports import free_port

MESSAGE = "<109>1 - - - - - - Köln".encode()


@contextmanager
def stream_listener(context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """A listener for one connection; it yields the port, and what it has received in the end."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_S)

        def serve() -> None:
            try:
                connection = server.accept()[0]
                with context.wrap_socket(connection, server_side=True) if context else connection as peer:
                    while octets := peer.recv(65536):
                        received.append(octets)
            except (OSError, ssl.SSLError):
                return

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], received
        thread.join(PATIENCE_S)


def test_a_datagram_reaches_a_socket_and_a_port(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as local:
        local.bind(str(tmp_path / "a log"))
        parse_syslog_target(f"syslog://{tmp_path}/a%20log", "--audit-to").send(MESSAGE)
        local.settimeout(PATIENCE_S)
        assert local.recv(65536) == MESSAGE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        parse_syslog_target(f"syslog://127.0.0.1:{udp.getsockname()[1]}", "--audit-to").send(MESSAGE)
        udp.settimeout(PATIENCE_S)
        assert udp.recv(65536) == MESSAGE


def test_a_stream_has_the_length_of_each_message() -> None:
    with stream_listener() as (port, received):
        parse_syslog_target(f"syslog+tcp://127.0.0.1:{port}", "--audit-to").send(MESSAGE)
    assert b"".join(received) == b"%d %b" % (len(MESSAGE), MESSAGE)


def test_tls_sends_only_to_a_trusted_server(tmp_path: Path) -> None:
    authority, other = trustme.CA(), trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    for each, name in ((authority, "ca.pem"), (other, "other.pem")):
        each.cert_pem.write_to_path(tmp_path / name)
    with stream_listener(context) as (port, received):
        parse_syslog_target(f"syslog+tls://127.0.0.1:{port}", "--audit-to").send(MESSAGE, tmp_path / "ca.pem")
    assert b"".join(received) == b"%d %b" % (len(MESSAGE), MESSAGE)
    with stream_listener(context) as (port, received):
        target = parse_syslog_target(f"syslog+tls://127.0.0.1:{port}", "--audit-to")
        with pytest.raises(DcmcfgError, match="dcmcfg refused the certificate of the server"):
            target.send(MESSAGE, tmp_path / "other.pem")
    assert received == []
    with pytest.raises(DcmcfgError, match="the CA file cannot be used"):
        target.send(MESSAGE, tmp_path / "missing.pem")


@pytest.mark.parametrize(
    "form", ["syslog://127.0.0.1:{port}", "syslog+tcp://127.0.0.1:{port}", "syslog:///no/such/log"]
)
def test_a_server_that_is_away_is_an_error(form: str) -> None:
    target = parse_syslog_target(form.format(port=free_port()), "--audit-to")
    with pytest.raises(DcmcfgError, match=r"Connection refused|listens on the socket"):
        target.send(MESSAGE)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("syslog", SyslogTarget(Transport.LOCAL, "/dev/log")),
        ("syslog:///run/log", SyslogTarget(Transport.LOCAL, "/run/log")),
        ("syslog://log", SyslogTarget(Transport.UDP, host="log", port=514)),
        ("syslog://[::1]:5514/", SyslogTarget(Transport.UDP, host="::1", port=5514)),
        ("syslog+tcp://log:601", SyslogTarget(Transport.TCP, host="log", port=601)),
        ("syslog+tls://log", SyslogTarget(Transport.TLS, host="log", port=6514)),
    ],
)
def test_the_forms_of_a_server(text: str, target: SyslogTarget) -> None:
    assert parse_syslog_target(text, "--audit-to") == target
    assert parse_syslog_target(str(target), "--audit-to") == target


@pytest.mark.parametrize(
    "text",
    ["", "log", "udp://log", "syslog:", "syslog://", "syslog:///", "syslog://log:0", "syslog://log:x", "syslog://log/x",
     "syslog://a:secret@log", "syslog://log?x", "syslog://log#x", "syslog+tcp:///x", "syslog://l\u00f6g", "syslog://a\nb"],
)  # fmt: skip
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput, match="invalid syslog server") as refused:
        parse_syslog_target(text, "--audit-to")
    assert "secret" not in str(refused.value)
