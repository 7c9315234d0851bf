"""What a record says of the reload after its roll-out."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.archive.reload_failures import NotReloaded, ReloadFailed, ReloadUnconfirmed
from dcmcfg.errors import IncompleteChange
from dcmcfg.rollout.reload_result import RecordedReload, RecordedReloadOutcome, read_reload, record_reload


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (ReloadUnconfirmed("no answer"), RecordedReloadOutcome.UNKNOWN),
        (NotReloaded("no"), RecordedReloadOutcome.FAILED),
    ],
)
def test_a_reload_without_an_answer_is_unknown_and_not_failed(
    tmp_path: Path, failure: ReloadFailed, outcome: RecordedReloadOutcome
) -> None:
    with pytest.raises(IncompleteChange), record_reload(tmp_path):
        raise IncompleteChange(failure.message) from failure
    assert read_reload(tmp_path) == RecordedReload(outcome, failure.message)
