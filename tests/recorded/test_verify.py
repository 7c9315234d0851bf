"""``verify`` at an archive that answers as the real one did: no verdict is wrong, whoever tells what happened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.recorded.conftest import Run
from tests.recorded.recordings import dimse
from tests.recorded.replayer import Replayer
from tests.recorded.site import Site
from tests.recorded.truth import SHOWN, TRUTH, ActualPath, EvidenceSource
from tests.recorded.verifying import names, verify
from tests.sampling import sample

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("recordings")]
#: A sample of the recordings with the archive's database as witness, and a smaller one with each other witness.
_PLAYED = [
    pytest.param(name, witness, id=f"{name}-{witness.name}")
    for witness in EvidenceSource
    for name in sample(names(witness), 0.1)
]


@pytest.mark.parametrize(("name", "witness"), _PLAYED)
def test_the_verdict_is_true(
    run: Run, replayer: Replayer, recorded_site: Site, tmp_path: Path, name: str, witness: EvidenceSource
) -> None:
    result = verify(name, witness, run, replayer, recorded_site, tmp_path, "--json")
    truth = TRUTH[name]
    if result.exit_code == 3:  # refused before a C-MOVE was sent
        assert not truth.delivered, result.output
        return
    verdict = json.loads(result.stdout)
    assert verdict["route"]["finding"] in truth.findings(witness), verdict["route"]
    if truth.path is ActualPath.FALLBACK and verdict["route"]["finding"] == "shown":
        assert verdict["route"]["configured_path"].startswith("fallback archive FALLBACK"), verdict["route"]
    assert verdict["reported"]["status_hex"] == _recorded_status(name), verdict["reported"]
    if witness is not EvidenceSource.REPORT:
        assert verdict["received"]["instance_count"] == truth.delivered, verdict["received"]
        assert result.exit_code == (0 if truth.success else 1), verdict["headline"]
    if truth.success:
        assert result.exit_code == 0, verdict["headline"]
    if (
        verdict["route"]["finding"] == "shown" and witness is not EvidenceSource.RECORD
    ):  # which counts local ones as well
        assert verdict["route"]["instance_count"] <= truth.from_outside, verdict["route"]


@pytest.mark.parametrize(
    "name",
    sample([name for name in names(EvidenceSource.DATABASE) if TRUTH[name].success or TRUTH[name].delivered], 0.1),
)
def test_required_is_the_route(run: Run, replayer: Replayer, recorded_site: Site, tmp_path: Path, name: str) -> None:
    result = verify(name, EvidenceSource.DATABASE, run, replayer, recorded_site, tmp_path, "--json", "--require-route")
    truth, verdict = TRUTH[name], json.loads(result.stdout)
    assert verdict["route"]["finding"] in truth.findings(EvidenceSource.DATABASE), verdict["route"]
    shown = truth.success and verdict["route"]["finding"] == SHOWN
    assert result.exit_code == (0 if shown else 1), verdict["headline"]


@pytest.mark.parametrize("name", sample(names(EvidenceSource.NEARLINE), 0.1))
def test_instance_availability_is_no_route(
    run: Run, replayer: Replayer, recorded_site: Site, tmp_path: Path, name: str
) -> None:
    result = verify(name, EvidenceSource.NEARLINE, run, replayer, recorded_site, tmp_path, "--json", "--require-route")
    assert result.exit_code in (1, 3), result.output


def _recorded_status(name: str) -> str | None:
    final = dimse(name).summary["client"]["final"]
    return None if final is None else str(final["Status"])[:4]
