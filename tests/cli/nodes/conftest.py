"""One site with two nodes for all tests of a module: it takes seconds to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.nodes.two_nodes import CONNECTION, DEVICE, TwoNodes, two_nodes


@pytest.fixture(scope="module")
def started_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    with two_nodes(tmp_path_factory.mktemp("nodes"), "slapd", "replica-1", "replica-2", "archive", "archive-2") as site:
        yield site


@pytest.fixture
def nodes(started_site: TwoNodes, fresh_account: None) -> TwoNodes:
    """The site in order, whatever the test before has done to it, and its profile."""
    if not started_site.is_in_order:
        started_site.mend()
        started_site.put("dicomPort", str(started_site.site.ports.archive), dn=CONNECTION)
        started_site.put("dcmCStoreSCUOfCMoveSCP", dn=DEVICE)
        started_site.replicas_follow()
        for node in started_site.urls:
            assert started_site.post(node, "reload") == 204
    started_site.is_in_order = False
    started_site.write_profile()
    return started_site
