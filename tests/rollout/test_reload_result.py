"""What a record says of the reload after its roll-out."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.archive.reload_failures import NotReloaded, ReloadFailed, ReloadUnconfirmed
from dcmcfg.errors import ChangedButNotFinished
from dcmcfg.rollout.reload_result import Reloaded, ReloadResult, noted, read_result


@pytest.mark.parametrize(
    ("failure", "outcome"), [(ReloadUnconfirmed("no answer"), Reloaded.UNKNOWN), (NotReloaded("no"), Reloaded.FAILED)]
)
def test_a_reload_without_an_answer_is_unknown_and_not_failed(
    tmp_path: Path, failure: ReloadFailed, outcome: Reloaded
) -> None:
    with pytest.raises(ChangedButNotFinished), noted(tmp_path):
        raise ChangedButNotFinished(failure.what) from failure
    assert read_result(tmp_path) == ReloadResult(outcome, failure.what)
