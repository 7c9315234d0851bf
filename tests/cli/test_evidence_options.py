"""Which sources of evidence a run over many studies uses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dcmcfg.cli.verify.evidence_options import EvidenceOptions
from dcmcfg.settings import Settings, resolve_settings
from tests.ports import free_port

LOG = Path("/var/log/longterm.log")
OPTIONS = EvidenceOptions(
    expected_instances=None, require_observation=False, require_route=False, external_log=None, use_qido=None
)


@pytest.fixture
def settings() -> Settings:
    environment = {"DCMCFG_ARCHIVE_URL": f"http://127.0.0.1:{free_port()}/dcm4chee-arc"}
    return replace(resolve_settings({}, environment), external_move_log=LOG)


def test_the_log_of_the_profile_is_read_without_an_option_and_with_a_brief_wait(settings: Settings) -> None:
    sources = OPTIONS.open_bulk_evidence_sources(settings, "DCM4CHEE")
    assert (sources.external_log, sources.waits_briefly_for_log, sources.shares_log) == (LOG, True, True)
    assert (sources.database, sources.warnings) == (None, ()), "the database is not queried"


@pytest.mark.parametrize(
    "options",
    [
        replace(OPTIONS, require_route=True),
        replace(OPTIONS, use_qido=True),
        replace(OPTIONS, external_log=Path("other.log")),
        replace(OPTIONS, require_route=True, use_qido=False),
    ],
)
def test_a_log_that_decides_is_waited_for(settings: Settings, options: EvidenceOptions) -> None:
    sources = options.open_bulk_evidence_sources(settings, "DCM4CHEE")
    assert not sources.waits_briefly_for_log
    assert sources.external_log == options.external_log or sources.external_log == LOG
