"""``--audit-to`` on a real slapd, with a real listener: each change is reported, and no listener is only a warning."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hat.syslog import encoder
from lxml import etree

from dcmcfg.audit.change_auditor import ChangeAuditor
from tests.audit.test_dicom_message import SCHEMA
from tests.cli.conftest import Run
from tests.cli.sites import CliSite
from tests.patience import PATIENCE_S
from tests.ports import free_port

pytestmark = pytest.mark.real
SECRET = "Tr0ub4dor"


@pytest.fixture
def log() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(PATIENCE_S)
        yield udp


def test_a_change_is_reported_without_secrets(run: Run, site: CliSite, log: socket.socket, tmp_path: Path) -> None:
    (tmp_path / "pin").write_text(SECRET)
    server = ("--audit-to", f"syslog://127.0.0.1:{log.getsockname()[1]}", "--yes", "--no-reload")
    made = run("set", "dcm4chee-arc", f"dcmKeyStorePin=@{tmp_path / 'pin'}", 'dicomDescription=a"]\n<1>', *server)
    assert (made.exit_code, "audit" in made.stderr) == (0, False)
    octets = log.recv(65536)
    assert SECRET.encode() not in octets
    read = encoder.msg_from_str(octets.decode())
    assert (read.app_name, read.msgid, read.severity.value) == ("dcmcfg", "ConfigurationChange", 5)
    (parameters,) = json.loads(read.data).values()
    assert (parameters["change"], parameters["result"], parameters["bindDN"]) == ("1", "applied", site.slapd.bind_dn)
    assert parameters["directory"] == site.slapd.url
    assert parameters["entry1"].startswith("change dicomDeviceName=dcm4chee-arc,")
    assert "dcmKeyStorePin" in parameters["entry1"]

    made = run("set", "AE:STORESCP", "dicomDescription=x", *server, "--audit-format", "dicom")
    assert made.exit_code == 0
    read = encoder.msg_from_str(log.recv(65536).decode())
    assert (read.facility.value, read.msgid) == (10, "DICOM+RFC3881")
    document = etree.fromstring(read.msg.encode())
    SCHEMA.assertValid(document)
    assert document.xpath("EventIdentification/EventTypeCode/@csd-code") == ["110128"]

    before = site.octets()
    assert run("set", "AE:STORESCP", "dicomDescription=y", *server, "--dry-run").exit_code == 0
    assert site.octets() == before
    log.settimeout(0.1)
    with pytest.raises(TimeoutError):
        log.recv(65536)


@pytest.mark.parametrize(
    "form", ["syslog://127.0.0.1:{port}", "syslog+tcp://127.0.0.1:{port}", "syslog:///no/such/log"]
)
def test_a_server_that_is_away_never_stops_a_change(run: Run, site: CliSite, form: str) -> None:
    server = form.format(port=free_port())
    made = run("set", "AE:STORESCP", "dicomDescription=x", "--audit-to", server, "--yes", "--no-reload")
    assert made.exit_code == 0
    assert f"warning: the audit message of change 1 was not sent to {server}: " in made.stderr
    assert made.stderr.count("warning:") == 1
    assert ("listens on the socket /no/such/log" in made.stderr) == ("/no/such" in form)


def _do_nothing(*_: object) -> None:
    """In place of what a killed process has not done."""


def test_a_message_that_could_not_be_sent_is_sent_by_the_next_change(
    run: Run, site: CliSite, log: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = f"syslog://127.0.0.1:{log.getsockname()[1]}"
    change = ("set", "AE:STORESCP", "--yes", "--no-reload", "--audit-to")
    assert run(*change, f"syslog://127.0.0.1:{free_port()}", "dicomDescription=one").exit_code == 0
    with monkeypatch.context() as killed:
        # As after a kill -9: the change is applied, and nothing was sent.
        killed.setattr(ChangeAuditor, "handle_ended", _do_nothing)
        killed.setattr(ChangeAuditor, "send_pending", _do_nothing)
        assert run(*change, server, "dicomDescription=two").exit_code == 0
    made = run(*change, server, "dicomDescription=three")
    assert (made.exit_code, made.stderr) == (0, "")
    sent = [json.loads(encoder.msg_from_str(log.recv(65536).decode()).data) for _ in range(3)]
    assert [(each["dcmcfg@32473"]["change"], each["dcmcfg@32473"]["result"]) for each in sent] == [
        ("1", "applied"),
        ("2", "applied"),
        ("3", "applied"),
    ]
    assert run(*change, server, "dicomDescription=three").exit_code == 0
    log.settimeout(0.1)
    with pytest.raises(TimeoutError):
        log.recv(65536)


def test_a_wrong_server_is_refused_before_the_change(run: Run, site: CliSite) -> None:
    before = site.octets()
    for options in (("--audit-to", "udp://log"), ("--audit-format", "xml")):
        refused = run("set", "AE:STORESCP", "dicomDescription=x", *options, "--yes")
        assert refused.exit_code == 2
    assert site.octets() == before
