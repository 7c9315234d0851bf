"""Every fault of a node or of its replica, after a change that was made during the fault: the state that is reported.

The faults are those of ``test_faults.py``. The states are read by a program that is not ours.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from dcmcfg.monitoring.state import State
from tests.cli.conftest import Run
from tests.cli.nodes.test_faults import FAULTS, Fault, Kind, Site, apply, issuer  # noqa: F401 — a fixture
from tests.cli.nodes.two_nodes import PROFILE, TwoNodes
from tests.issuer import Issuer
from tests.plugin_output import read_plugin_output
from tests.sampling import LONG

pytestmark = pytest.mark.real

OK, WARNING, CRITICAL, UNKNOWN = State.OK, State.WARNING, State.CRITICAL, State.UNKNOWN
PARTS = ("directory", "nodes", "loaded", "replicas", "check", "echo", "certificates")
#: Fault → the parts that are not OK, and the exit code.
EXPECTED: dict[str, tuple[dict[str, State], int]] = {
    "none": ({}, 0),
    "slow": ({}, 0),
    "stopped": ({"nodes": CRITICAL, "echo": CRITICAL}, 2),
    "killed": ({"nodes": CRITICAL, "loaded": UNKNOWN, "echo": CRITICAL}, 2),
    "behind": ({"replicas": CRITICAL, "loaded": WARNING}, 2),
    "hanging": ({"replicas": CRITICAL, "loaded": WARNING}, 2),
    "away": ({"replicas": CRITICAL, "loaded": WARNING}, 2),
    "other-replica": ({"loaded": WARNING}, 1),
    "port-conflict": ({"echo": CRITICAL}, 2),
    "unloadable": ({"loaded": WARNING, "check": CRITICAL}, 2),
    "token": ({"nodes": UNKNOWN, "loaded": UNKNOWN}, 3),
}
#: Faults for which the check takes the whole time.
HANGING = ("hanging", "port-conflict")
SHORT = ("none", "stopped", "unloadable")
CASES = [
    pytest.param(
        fault,
        node,
        id=f"{fault.name}-{node}",
        marks=pytest.mark.skipif(
            not LONG and fault.name not in SHORT, reason="DCMCFG_LONG is not set: only a sample of the faults is tested"
        ),
    )
    for fault in FAULTS
    for node in (("node1", "node2") if LONG else ("node2",))
]


def test_every_fault_has_an_expected_state() -> None:
    assert [fault.name for fault in FAULTS] == list(EXPECTED)


@pytest.mark.parametrize(("fault", "node"), CASES)
def test_the_state_is_that_of_the_fault_and_other_parts_are_not_hidden(
    nodes: TwoNodes,
    run: Run,
    tmp_path: Path,
    issuer: Issuer,  # noqa: F811 — the fixture
    monkeypatch: pytest.MonkeyPatch,
    *,
    fault: Fault,
    node: str,
) -> None:
    problems, exit_code = EXPECTED[fault.name]
    with ExitStack() as stack:
        site = Site(nodes, node, stack=stack, issuer=issuer)
        made = site.make(Kind.PORT if fault.name == "port-conflict" else Kind.VISIBLE, tmp_path)
        fault.inject(site, made)
        run(*apply(made.file), "--keep-going")
        if fault.name == "slow":
            fault.inject(site, made)
        # A replica may be behind for half a minute before that is a problem; here, it must not be behind at all.
        timeout_s = "8" if fault.name in HANGING else "60"
        monitor = ("monitor", "--profile", PROFILE, "--critical", "replicas=0", "--timeout-s", timeout_s)
        if fault.name == "stopped":
            result = run(*monitor)
            assert (
                f"{node} might not have loaded change 1. To continue: dcmcfg --profile {PROFILE} apply --resume"
                in result.stdout
            )
        # The account of a monitoring system has no record of the change.
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))
        result = run(*monitor)
        found = read_plugin_output(result.stdout, result.exit_code)
        assert found.states == dict.fromkeys(PARTS, OK) | problems, result.stdout
        assert (result.exit_code, result.stderr) == (exit_code, "")
        if problems.keys() & {"nodes", "replicas"}:
            faulty = site.ldap_url if "replicas" in problems else f"{node}:"
            assert any(detail.startswith(faulty) for detail in found.details)
    nodes.is_in_order = False
