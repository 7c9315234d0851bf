"""A real slapd with the tree of a fixture, and an account with the files of the fixture."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.archive.scripted import Scripted
from tests.cli.before_format.files import ROLL_OUTS, restore_state, tree
from tests.cli.sites import CliSite, settle_at
from tests.running_slapd import of_suffix

At = Callable[[str], CliSite]
Holding = Callable[[str], CliSite]


@pytest.fixture
def holding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archive: Scripted) -> Iterator[Holding]:
    """Start a server with the entries of an LDIF text, and have the environment name it: ``holding(before())``."""
    with ExitStack() as stack:

        def start(ldif: str) -> CliSite:
            server = of_suffix(tmp_path / "slapd", "dc=dcm4che,dc=org")
            server.slapd.load_ldif(ldif)
            stack.enter_context(server.slapd)
            monkeypatch.chdir(tmp_path)
            return settle_at(monkeypatch, server, archive)

        yield start


@pytest.fixture
def at(holding: Holding, tmp_path: Path) -> At:
    """The site and the account of a roll-out, as the fixture of that name has them: ``at("written")``."""

    def restored(name: str) -> CliSite:
        site = holding(tree(ROLL_OUTS / name))
        state = Path(os.environ["XDG_STATE_HOME"]) / "dcmcfg"
        restore_state(ROLL_OUTS / name, state, site.slapd.slapd.port, tmp_path)
        return site

    return restored
