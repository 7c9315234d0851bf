"""What the pages ``docs/how-to/failed-*.md`` show is what the commands print on a lab that has the symptom."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path

import pytest

from dcmcfg.dicom.peer import Peer
from tests.cli.conftest import Run
from tests.cli.labs import name_in_environment
from tests.cli.pages import Shown, assert_shows, shown_on
from tests.dicom.dcmtk import LOOPBACK
from tests.lab.running_site import RunningSite, running_site

pytestmark = pytest.mark.real
_FOLDER = Path(__file__).parents[2] / "docs" / "how-to"
PAGES = (_FOLDER / "failed-c-move.md", _FOLDER / "failed-reload.md")
#: The line with which a reader makes the symptom: a command in the text or in a block, and the AE whose port is PORT.
TO_TRY = re.compile(
    r"(?m)^To try it"
    r"(?:: `(?P<typed>dcmcfg [^`]+)`(?:, with the port of (?P<peer>\w+))?|.*\n\n```sh\n(?P<saved>dcmcfg .*))"
)
PORT_NAMES = {"STORESCP": "storage", "WORKSTATION": "workstation"}
#: The ports that the page has in place of the lab's.
PORTS = {"archive": 11112, "http": 8080, "storage": 11117, "workstation": 11118, "external": 11119, "ldap": 389}


def shown() -> Iterator[Shown]:
    """Yield the commands of the pages, none without output."""
    for each in (each for page in PAGES for each in shown_on(page)):
        assert any(each.lines), each.command
        yield each


def changes_to_try() -> Mapping[str, str]:
    """Return the dcmcfg command with which a reader of the page makes the symptom, by the heading."""
    sections = [each for page in PAGES for each in re.split(r"(?m)^## ", page.read_text("utf-8"))[1:]]
    found = {each.partition("\n")[0]: TO_TRY.search(each) for each in sections}
    return {
        title: f"{match['typed'] or match['saved']} {match['peer'] or ''}" for title, match in found.items() if match
    }


@contextmanager
def changed(run: Run, command: str, site: RunningSite) -> Iterator[None]:
    """Run *command* of the page, with the port of the AE that its last word names, and revert it at the end."""
    words = shlex.split(command)
    if words[-1] in PORT_NAMES:
        port = getattr(site.site.ports, PORT_NAMES[words.pop()])
        words = [each.replace(":PORT", f":{port}") for each in words]
    done = run(*words[1:])
    # 4: the directory is changed, and the archive cannot load the change.
    assert done.exit_code in {0, 4}, done.output
    try:
        yield
    finally:
        done = run("undo", "--yes")
        assert done.exit_code == 0, done.output


@contextmanager
def stopped(site: RunningSite) -> Iterator[None]:
    site.control("stop")
    try:
        yield
    finally:
        site.control("start")


def symptoms(site: RunningSite, run: Run) -> Mapping[str, Callable[[], AbstractContextManager[None]]]:
    """How the lab comes to have the symptom, by the heading; it is as before when the block ends."""
    return {
        "It hangs, or ends in A-ABORT": lambda: site.standing_still("external"),
        "The archive responds, but its ports are closed": lambda: stopped(site),
    } | {title: partial(changed, run, command, site) for title, command in changes_to_try().items()}


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
    with symptoms(lab, run).get(symptom, nullcontext)():
        for each in (each for each in shown() if each.section == symptom):
            words = shlex.split(each.command.replace(f":{PORTS['archive']}", f":{lab.site.ports.archive}"))
            assert words.pop(0) == "dcmcfg"
            done = run(*words)
            assert_shows(each, as_on_the_page(done.stdout + done.stderr, lab))


def test_the_page_has_the_commands_to_try() -> None:
    assert len(changes_to_try()) == 8
