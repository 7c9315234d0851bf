"""The stand-in archive's control service answers as the real one was recorded, answer by answer.

What the lab does not imitate is listed in ``control_truth.NOT_IMITATED``, with the reason.
docs/reference/stand-in-differences.md says the same.
"""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dcmcfg.lab.certificates import make_certificates
from dcmcfg.lab.site import LOOPBACK
from tests.lab.running_site import DEVICE, RunningSite, running_site
from tests.recorded.control_replay import PORTS, Played, ctrl, played
from tests.recorded.control_truth import BROKEN, HELD_IN_ORDER, NOT_IMITATED
from tests.recorded.recordings import http as recorded_http
from tests.recorded.recordings import http_names

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("recordings")]

#: Headers in which the answers of two servers may differ.
OF_THE_SERVER = {"date", "server", "connection", "content-length", "transfer-encoding"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A lab with certificates, of which the archive runs."""
    folder: Path = tmp_path_factory.mktemp("recorded") / "lab"
    folder.mkdir()
    with running_site(folder) as running:
        make_certificates(running.site)
        running.start("archive")
        yield running


def ask(site: RunningSite, method: str, path: str) -> Played:
    """Return the stand-in's answer with its headers."""
    with closing(http.client.HTTPConnection(LOOPBACK, site.site.ports.http, timeout=20)) as connection:
        connection.request(method, path)
        response = connection.getresponse()
        return Played(response.status, response.reason, tuple(response.getheaders()), response.read())


def headers(answer: Played) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers if name.lower() not in OF_THE_SERVER}


def text(answer: Played, site: RunningSite) -> list[str]:
    """Return the body without the frames of stack traces and hashes of objects, with the lab's addresses."""
    body = answer.body.decode()
    body = body.replace(f"localhost:{PORTS['dicom']}", f"{LOOPBACK}:{site.site.ports.archive}")
    body = re.sub(r"@[0-9a-f]+$", "@HASH", body, flags=re.MULTILINE)
    return [line for line in body.splitlines() if not line.startswith(("\tat ", "\t... "))]


def assert_alike(mine: Played, real: Played, site: RunningSite) -> None:
    assert (mine.status, mine.reason) == (real.status, real.reason)
    assert text(mine, site) == text(real, site)
    assert headers(mine) == headers(real)


def listens(port: int) -> str:
    try:
        socket.create_connection((LOOPBACK, port), 5).close()
    except ConnectionRefusedError:
        return "refused"
    return "listens"


def assert_ports(site: RunningSite, recorded: dict[str, str]) -> None:
    ports = {"dicom": site.site.ports.archive, "dicom-tls": site.site.ports.archive_tls}
    assert {name: listens(port) for name, port in ports.items()} == {name: recorded[name] for name in ports}


def test_started_reloaded_stopped_and_started_again(site: RunningSite) -> None:
    """The order in which the real archive was asked; each with the status and the ports afterwards."""
    for name in HELD_IN_ORDER:
        recording = recorded_http("ctrl", name)
        assert_alike(ask(site, recording.method, recording.target), ctrl(name), site)
        status = ask(site, "GET", "/dcm4chee-arc/ctrl/status")
        assert f"{status.status} {status.body.decode()}" == recording.more["afterwards"]["status"], name
        assert_ports(site, recording.more["afterwards"]["ports"])


@pytest.mark.parametrize("name", BROKEN)
def test_reload_of_a_broken_configuration(site: RunningSite, name: str) -> None:
    recording = recorded_http("ctrl-broken", name)
    dn, attribute, wanted = BROKEN[name]
    (entry,) = (each for each in site.slapd.entries() if str(each.dn) == dn)
    before = entry.texts(attribute)
    site.put(attribute, *(str(site.site.ports.archive) if each == "PORT OF DICOM" else each for each in wanted), dn=dn)
    try:
        mine = ask(site, "POST", "/dcm4chee-arc/ctrl/reload")
        status = ask(site, "GET", "/dcm4chee-arc/ctrl/status")
        ports = dict(recording.more["afterwards"]["ports"])
        if name == "reload-bind-address":
            ports["dicom-tls"] = "listens"  # closed at the real archive as well, which the change does not explain
        assert_alike(mine, played(recording), site)
        assert f"{status.status} {status.body.decode()}" == recording.more["afterwards"]["status"]
        assert_ports(site, ports)
    finally:
        site.put(attribute, *before, dn=dn)
        repaired = ask(site, "POST", "/dcm4chee-arc/ctrl/reload")
    after = recording.more["after_repair_and_second_reload"]
    assert repaired.status == after["http"]
    assert_ports(site, after["ports"])


def test_reload_without_the_device(site: RunningSite) -> None:
    recording = recorded_http("ctrl-broken", "reload-device-gone")
    new = DEVICE.replace("dcm4chee-arc", "dcm4chee-arc2", 1)
    rename = "dn: {}\nchangetype: modrdn\nnewrdn: dicomDeviceName={}\ndeleteoldrdn: 1\n"
    site.modify(rename.format(DEVICE, "dcm4chee-arc2"))
    try:
        assert_alike(ask(site, "POST", "/dcm4chee-arc/ctrl/reload"), played(recording), site)
        assert_ports(site, recording.more["afterwards"]["ports"])
    finally:
        site.modify(rename.format(new, "dcm4chee-arc"))
    assert ask(site, "POST", "/dcm4chee-arc/ctrl/reload").status == 204


def test_page_of_the_web_server_outside_the_archive(site: RunningSite) -> None:
    """As recorded while the archive was not deployed."""
    page = ask(site, "GET", "/other/ctrl/status")
    assert (page.status, page.reason) == (404, "Not Found")
    assert page.body.decode() == "<html><head><title>Error</title></head><body>404 - Not Found</body></html>"
    assert headers(page) == {"content-type": "text/html"}


def test_each_recorded_reload_is_held_or_said_not_to_be_imitated() -> None:
    assert set(BROKEN) | {"reload-device-gone"} | set(NOT_IMITATED) == set(http_names("ctrl-broken"))
    assert not set(BROKEN) & set(NOT_IMITATED)
