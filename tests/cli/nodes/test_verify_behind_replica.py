"""``verify --temporary-dest`` at a node that reads a replica that is seconds behind."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from dcmcfg.lab.studies import get_standard_study
from tests.cli.conftest import Run
from tests.cli.nodes.two_nodes import PROFILE, TwoNodes, two_nodes
from tests.patience import comes_true
from tests.sampling import LONG

pytestmark = pytest.mark.real

LOCAL = get_standard_study("local").uid


@pytest.fixture(scope="module")
def late_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    with two_nodes(tmp_path_factory.mktemp("late"), lag_s=10 if LONG else 3) as site:
        yield site


@pytest.mark.parametrize("node", ["node2", "node1"])
def test_a_temporary_destination_is_known_to_the_node_that_is_verified(
    late_nodes: TwoNodes, run: Run, node: str
) -> None:
    late_nodes.write_profile()
    command = ("verify", "--study", LOCAL, "--temporary-dest", "--node", node, "--yes", "--json")
    done = run("--profile", PROFILE, *command)
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    title = answer["destination_ae_title"]
    assert (answer["verified"], answer["temporary_destination"]["removed"]) == (True, True)
    # The node itself has got the request.
    (site,) = (each for each in late_nodes.site.nodes if each.node_name == node)
    assert title in site.archive_move_log.read_text()
    for url in (late_nodes.ldap_url, late_nodes.ldap_urls[node]):
        assert late_nodes.find(url, f"(dicomAETitle={title})", "1.1", base=late_nodes.site.base_dn) == ""


def test_the_replicas_are_told_to_be_behind_until_they_follow(late_nodes: TwoNodes, run: Run) -> None:
    """Within the allowance for the lag they count as equal."""
    late_nodes.write_profile()
    late_nodes.replicas_follow()
    late_nodes.hold_replica("node2")
    late_nodes.put("dicomDescription", "behind")
    command = ("status", "--profile", PROFILE, "--replicas", "--deep", "--json")
    late = run(*command, "--lag-allowance-s", "0.5")
    late_nodes.mend()
    found = {each["ldap_url"]: each["equal"] for each in json.loads(late.stdout)["replicas"]}
    assert (late.exit_code, found) == (1, {late_nodes.ldap_urls["node1"]: True, late_nodes.ldap_urls["node2"]: False})
    assert comes_true(lambda: run(*command, "--lag-allowance-s", "2").exit_code == 0)
