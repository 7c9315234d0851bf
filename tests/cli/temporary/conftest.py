"""One lab for all tests of temporary destinations: none leaves anything in its directory."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from tests.cli.labs import name_in_environment
from tests.cli.temporary.runs import MADE, Octets, Silent, octets
from tests.dicom.dcmtk import Made, make_instances
from tests.lab.running_site import RunningSite, running_site
from tests.patience import PATIENCE_S
from tests.verify.scripted_archive import scripted_archive


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """One site for all tests: none leaves anything in the directory."""
    with running_site(tmp_path_factory.mktemp("lab")) as site:
        site.start("external", "archive")
        yield site


@pytest.fixture(scope="session")
def held(lab: RunningSite) -> Octets:
    """What the directory holds, before each test and after it."""
    return octets(lab)


@pytest.fixture
def site(lab: RunningSite, held: Octets, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSite]:
    """The lab as the environment names it; afterwards it holds what it held before."""
    name_in_environment(lab, monkeypatch)
    yield lab
    assert octets(lab) == held


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_instances(tmp_path_factory.mktemp("made"), MADE)


@pytest.fixture
def silent(made: Made) -> Iterator[Silent]:
    asked, over = threading.Event(), threading.Event()

    def wait(_: MoveExchange) -> MoveResponse | None:
        asked.set()
        over.wait(PATIENCE_S)
        return None

    with scripted_archive(made, wait) as peer:
        yield Silent(peer, asked, over)
        over.set()
