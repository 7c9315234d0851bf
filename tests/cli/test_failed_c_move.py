"""What ``docs/how-to/failed-c-move.md`` shows is what the commands print on a lab that has the symptom."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytest

from dcmcfg.dicom.peer import Peer
from tests.cli.conftest import Run
from tests.cli.labs import name_in_environment
from tests.cli.pages import Shown, assert_shows, shown_on
from tests.dicom.dcmtk import LOOPBACK
from tests.lab.running_site import AE, DEVICE, RunningSite, running_site

pytestmark = pytest.mark.real
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "failed-c-move.md"
DEVICES = DEVICE.partition(",")[2]
#: The ports that the page has in place of the lab's.
PORTS = {"archive": 11112, "http": 8080, "storage": 11117, "workstation": 11118, "external": 11119, "ldap": 389}


def shown() -> Iterator[Shown]:
    """Yield the commands of the page, none without output."""
    for each in shown_on(PAGE):
        assert any(each.lines), each.command
        yield each


@contextmanager
def held(site: RunningSite, attribute: str, value: str, dn: str, *before: str) -> Iterator[None]:
    """Have *attribute* hold *value* until the block ends, known to the archive where that loads it."""
    site.put(attribute, value, dn=dn)
    site.control("reload")
    try:
        yield
    finally:
        site.put(attribute, *before, dn=dn)
        site.reload()


@contextmanager
def stopped(site: RunningSite) -> Iterator[None]:
    site.control("stop")
    try:
        yield
    finally:
        site.control("start")


@contextmanager
def without_ct(run: Run) -> Iterator[None]:
    done = run("capability", "remove", "STORESCP", "CTImageStorage", "--role", "scp", "--yes")
    assert done.exit_code == 0, done.output
    try:
        yield
    finally:
        assert run("undo", "--yes").exit_code == 0


def symptoms(site: RunningSite, run: Run) -> Mapping[str, Callable[[], AbstractContextManager[None]]]:
    """How the lab comes to have the symptom, by the heading; it is as before when the block ends."""
    ports = site.site.ports
    longterm, storescp = (f"cn=dicom,dicomDeviceName={name},{DEVICES}" for name in ("longterm", "storescp"))
    cipher = "TLS_RSA_WITH_AES_256_CBC_SHA"
    return {
        "C801": lambda: held(site, "dcmAcceptedMoveDestination", "WORKSTATION", AE),
        "A702": lambda: held(site, "dicomPort", str(ports.workstation), longterm, str(ports.external)),
        "0110": lambda: held(site, "dicomPort", str(ports.storage), longterm, str(ports.external)),
        "1/1/3": lambda: held(site, "dcmAcceptedCallingAETitle", "VIEWER", AE),
        "It hangs, or ends in A-ABORT": lambda: site.standing_still("external"),
        "A TLS handshake fails": lambda: held(site, "dicomTLSCipherSuite", cipher, storescp),
        "The destination refuses": lambda: without_ct(run),
        "A port is closed after a reload": lambda: held(
            site, "dcmBindAddress", "203.0.113.7", f"cn=dicom,{DEVICE}", "0.0.0.0"
        ),
        "The archive responds, but its ports are closed": lambda: stopped(site),
        "The reload did nothing": lambda: held(site, "dicomPort", "70000", f"cn=dicom,{DEVICE}", str(ports.archive)),
    }


def as_on_the_page(text: str, site: RunningSite) -> list[str]:
    """The lines of *text* with the page's ports, and without how long it took."""
    for name, port in PORTS.items():
        text = re.sub(rf"\b{getattr(site.site.ports, name)}\b", str(port), text)
    return [line.rstrip() for line in re.sub(r"\(\d+\.\d+ s\)", "(0.10 s)", text).splitlines()]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("lab")) as site:
        site.start("external", "storage", "archive")
        site.external_knows(WORKSTATION=Peer("WORKSTATION", LOOPBACK, site.site.ports.workstation))
        yield site


@pytest.mark.parametrize("symptom", dict.fromkeys(each.section for each in shown()))
def test_the_page_shows_what_is_printed(
    symptom: str, lab: RunningSite, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_in_environment(lab, monkeypatch)
    monkeypatch.setenv("COLUMNS", "100")
    with symptoms(lab, run).get(symptom.partition(":")[0], nullcontext)():
        for each in (each for each in shown() if each.section == symptom):
            words = shlex.split(each.command.replace(f":{PORTS['archive']}", f":{lab.site.ports.archive}"))
            assert words.pop(0) == "dcmcfg"
            done = run(*words)
            assert_shows(each, as_on_the_page(done.stdout + done.stderr, lab))
