"""``dcmcfg verify --tls`` of the lab's archive, whose cipher suites are those of a stock one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dcmcfg.lab.certificates import make_certificates
from dcmcfg.lab.studies import study
from tests.cli.conftest import Run
from tests.cli.labs import name_in_environment
from tests.lab.running_site import running_site

pytestmark = pytest.mark.real


def test_a_study_is_verified_over_tls(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    with running_site(folder) as lab:
        make_certificates(lab.site)
        lab.start("storage", "archive")
        name_in_environment(lab, monkeypatch)
        asked = ("verify", "--study", study("local").uid, "--dest", "STORESCP", "--tls", "--json")
        shown = ("--tls-cert", str(lab.site.client_certificate), "--tls-key", str(lab.site.client_key))
        result = run(*asked, "--tls-ca", str(lab.site.authority), *shown)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["archive"] == f"DCM4CHEE@127.0.0.1:{lab.site.ports.archive_tls}"
    secured = told["asked"]["archive"]["tls"]
    assert (secured["version"], secured["cipher"]) == ("TLSv1.2", "AES128-SHA")
    assert len(lab.received()) == 5
