"""An upgrade on a site with two nodes, of which one reads a replica that is behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.nodes.two_nodes import PROFILE, TwoNodes
from tests.upgrade.small_release import write_releases

pytestmark = pytest.mark.real
QUEUE = "(dcmQueueName=New2)"


def read_entries(nodes: TwoNodes, url: str) -> frozenset[frozenset[str]]:
    """The entries of the archive's device at *url*, each as the lines of its LDIF."""
    return frozenset(frozenset(each.splitlines()) for each in nodes.find(url, "(objectClass=*)").split("\n\n"))


def test_a_node_whose_replica_is_behind_is_reported_and_can_be_finished(
    nodes: TwoNodes, run: Run, tmp_path: Path
) -> None:
    old, new = write_releases(tmp_path)
    plan = str(tmp_path / "plan.ldif")
    site = ("--profile", PROFILE)
    planned = run("upgrade", "plan", *site, "--from", str(old), "--to", str(new), "-o", plan)
    assert planned.exit_code == 0, planned.output
    before = read_entries(nodes, nodes.ldap_url)

    nodes.hold_replica("node2")
    applied = run("upgrade", "apply", plan, *site, "--yes", "--keep-going", "--replica-timeout-s", "2", "--json")
    assert applied.exit_code == 4, applied.stdout
    assert {each["name"]: each["state"] for each in json.loads(applied.stdout)["nodes"]} == {
        "node1": "loaded",
        "node2": "replica behind",
    }
    assert "New2" in nodes.find(nodes.ldap_url, QUEUE)
    assert "New2" in nodes.find(nodes.ldap_urls["node1"], QUEUE)
    assert "New2" not in nodes.find(nodes.ldap_urls["node2"], QUEUE)

    nodes.mend()
    resumed = run("apply", "--resume", *site, "--yes", "--json")
    assert resumed.exit_code == 0, resumed.output
    assert {each["name"]: each["state"] for each in json.loads(resumed.stdout)["nodes"]}["node2"] == "loaded"
    assert "New2" in nodes.find(nodes.ldap_urls["node2"], QUEUE)

    undone = run("undo", *site, "--yes")
    assert undone.exit_code == 0, undone.output
    nodes.replicas_follow()
    assert {read_entries(nodes, url) for url in (nodes.ldap_url, *nodes.ldap_urls.values())} == {before}
    nodes.is_in_order = True
