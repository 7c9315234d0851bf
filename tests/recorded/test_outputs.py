"""The words of ``verify`` at each recording, by our receiver and the archive's database where both can be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.at_terminal import interrupted_at_terminal
from tests.patience import PATIENCE_S
from tests.peers.outputs import make_output, named
from tests.recorded.conftest import Run
from tests.recorded.outputs import expected
from tests.recorded.recordings import dimse
from tests.recorded.replayer import Replayer
from tests.recorded.site import Site
from tests.recorded.truth import TRUTH, EvidenceSource
from tests.recorded.verifying import arguments, evidence_source_of, verify

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("recordings")]
#: From the headline on: before it there is what a terminal shows of the progress.
_VERDICT = re.compile(r"(NOT )?verified: .*", re.DOTALL)
_CANCELLED = [name for name, truth in TRUTH.items() if truth.cancelled]


@pytest.mark.parametrize("name", [name for name in TRUTH if name not in _CANCELLED])
def test_it_says_what_is_in_its_file(
    run: Run, replayer: Replayer, recorded_site: Site, tmp_path: Path, name: str
) -> None:
    result = verify(name, evidence_source_of(name), run, replayer, recorded_site, tmp_path)
    answer = make_output(result, _ports(recorded_site))
    assert answer == expected(name, answer)


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("name", _CANCELLED)
def test_a_cancelled_one_says_what_is_in_its_file(replayer: Replayer, recorded_site: Site, name: str) -> None:
    recording = dimse(name)
    with replayer.playing(recorded_site, recording) as play:
        code, shown = interrupted_at_terminal(
            arguments(recording, EvidenceSource.DATABASE), lambda: play.pending.wait(PATIENCE_S)
        )
        assert play.cancelled.is_set()
    verdict = _VERDICT.search(shown)
    assert verdict, shown
    answer = named(f"exit {code}\n{verdict[0]}", _ports(recorded_site))
    assert answer == expected(name, answer)


def _ports(site: Site) -> dict[int, str]:
    ports = site.ports
    return {
        ports.archive: "ARCHIVE",
        ports.http: "HTTP",
        ports.longterm: "LONGTERM",
        ports.fallback: "FALLBACK",
        site.workstation: "WORKSTATION",
    }
