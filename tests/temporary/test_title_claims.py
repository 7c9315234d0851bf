"""The files that say which process works with which temporary destination."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dcmcfg.errors import DcmcfgError, Refused
from dcmcfg.temporary.title_claims import (
    TitleClaim,
    drop_claim,
    find_abandoned_claims,
    hold_claim,
    is_held,
    read_title_claims,
)

HERE, ELSEWHERE = "ldap://localhost:389", "ldap://elsewhere:389"
OURS = TitleClaim("DCMCFG_0A1B2C3D4", HERE, "2026-11-25T14:26:32Z")
_HOLD = """
import sys
from pathlib import Path
from dcmcfg.temporary.title_claims import TitleClaim, hold_claim
with hold_claim(Path(sys.argv[1]), TitleClaim(*sys.argv[2:])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_it_is_held_while_the_process_lives_and_found_when_it_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLD, str(tmp_path), OURS.ae_title, OURS.ldap_url, OURS.created_at]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        assert (
            read_title_claims(tmp_path),
            is_held(tmp_path, OURS.ae_title),
            find_abandoned_claims(tmp_path, HERE),
        ) == (
            (OURS,),
            True,
            (),
        )
        process.kill()
    assert not is_held(tmp_path, OURS.ae_title)
    assert find_abandoned_claims(tmp_path, HERE) == (OURS,)
    assert find_abandoned_claims(tmp_path, ELSEWHERE) == ()


def test_it_stays_until_it_is_dropped_and_dropping_twice_is_nothing(tmp_path: Path) -> None:
    assert read_title_claims(tmp_path) == ()
    with hold_claim(tmp_path, OURS):
        pass
    assert read_title_claims(tmp_path) == (OURS,)
    drop_claim(tmp_path, OURS.ae_title)
    drop_claim(tmp_path, OURS.ae_title)
    assert read_title_claims(tmp_path) == ()


def test_a_file_that_cannot_be_read_may_be_about_any_directory(tmp_path: Path) -> None:
    with hold_claim(tmp_path, OURS):
        pass
    (tmp_path / "temporary" / OURS.ae_title).write_text("{")
    assert find_abandoned_claims(tmp_path, ELSEWHERE) == (TitleClaim(OURS.ae_title),)


def test_without_a_claim_on_the_disk_nothing_begins(tmp_path: Path) -> None:
    (tmp_path / "temporary").write_text("in the way")
    with pytest.raises(DcmcfgError, match="cannot write to the state folder"), hold_claim(tmp_path, OURS):
        raise AssertionError("it has begun")


def test_claims_that_others_may_have_planted_are_refused(tmp_path: Path) -> None:
    with hold_claim(tmp_path, OURS):
        pass
    (tmp_path / "temporary").chmod(0o777)
    with pytest.raises(Refused, match="everybody can write to this path"):
        read_title_claims(tmp_path)
    with pytest.raises(Refused, match="everybody can write to this path"), hold_claim(tmp_path, OURS):
        pass
