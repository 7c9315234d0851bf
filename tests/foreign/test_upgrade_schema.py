"""``dcmcfg upgrade schema`` changes OpenLDAP only: other servers are recognised, and nothing is written to them."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Run
from tests.foreign.apacheds import ApacheDS
from tests.foreign.server389 import Server389
from tests.sampling import LONG
from tests.upgrade.customised import Releases

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not LONG, reason="these servers take 10 seconds and more to start: make test-long"),
]


def test_389_directory_server_has_another_cn_config(server389: Server389, run: Run, releases: Releases) -> None:
    before = server389.entries()
    refused = run("upgrade", "schema", "--to", str(releases.upstream / "5.31.0"), "--yes")
    assert refused.exit_code == 3, refused.stdout
    assert "cn=config" in refused.stderr
    assert "/schema/dcm4chee-archive.schema\n" in refused.stdout
    assert server389.entries() == before


def test_apacheds_has_no_cn_config(apacheds: ApacheDS, run: Run, releases: Releases) -> None:
    before = apacheds.entries()
    refused = run("upgrade", "schema", "--to", str(releases.upstream / "5.31.0"), "--yes")
    assert refused.exit_code == 3, refused.stdout
    assert "cn=config" in refused.stderr
    assert "/schema/dcm4chee-archive.schema\n" in refused.stdout
    assert apacheds.entries() == before
