"""The files that say which process works with which temporary destination."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dcmcfg.errors import DcmcfgError, Refused
from dcmcfg.temporary.claim import Claim, claimed, claims, drop, is_held, unfinished

HERE, ELSEWHERE = "ldap://localhost:389", "ldap://elsewhere:389"
OURS = Claim("DCMCFG_0A1B2C3D4", HERE, "2026-11-25T14:26:32Z")
_HOLD = """
import sys
from pathlib import Path
from dcmcfg.temporary.claim import Claim, claimed
with claimed(Path(sys.argv[1]), Claim(*sys.argv[2:])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_it_is_held_while_the_process_lives_and_found_when_it_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLD, str(tmp_path), OURS.title, OURS.ldap_url, OURS.when]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        assert (claims(tmp_path), is_held(tmp_path, OURS.title), unfinished(tmp_path, HERE)) == ((OURS,), True, ())
        process.kill()
    assert not is_held(tmp_path, OURS.title)
    assert unfinished(tmp_path, HERE) == (OURS,)
    assert unfinished(tmp_path, ELSEWHERE) == ()


def test_it_stays_until_it_is_dropped_and_dropping_twice_is_nothing(tmp_path: Path) -> None:
    assert claims(tmp_path) == ()
    with claimed(tmp_path, OURS):
        pass
    assert claims(tmp_path) == (OURS,)
    drop(tmp_path, OURS.title)
    drop(tmp_path, OURS.title)
    assert claims(tmp_path) == ()


def test_a_file_that_cannot_be_read_may_be_about_any_directory(tmp_path: Path) -> None:
    with claimed(tmp_path, OURS):
        pass
    (tmp_path / "temporary" / OURS.title).write_text("{")
    assert unfinished(tmp_path, ELSEWHERE) == (Claim(OURS.title),)


def test_without_a_claim_on_the_disk_nothing_begins(tmp_path: Path) -> None:
    (tmp_path / "temporary").write_text("in the way")
    with pytest.raises(DcmcfgError, match="the state folder cannot be written"), claimed(tmp_path, OURS):
        raise AssertionError("it has begun")


def test_claims_that_others_may_have_planted_are_refused(tmp_path: Path) -> None:
    with claimed(tmp_path, OURS):
        pass
    (tmp_path / "temporary").chmod(0o777)
    with pytest.raises(Refused, match="everybody may write to it"):
        claims(tmp_path)
    with pytest.raises(Refused, match="everybody may write to it"), claimed(tmp_path, OURS):
        pass
