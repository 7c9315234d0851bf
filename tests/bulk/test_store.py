from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from dcmcfg.bulk.run_options import RunParameters
from dcmcfg.bulk.store import ResultStore
from dcmcfg.bulk.store_catalog import find_stores
from dcmcfg.bulk.store_file import get_lock_path
from dcmcfg.bulk.study_result import AttemptResult, VerificationOutcome
from dcmcfg.errors import DcmcfgError, Refused
from dcmcfg.rollout.lock import is_file_locked
from tests.looking import look_until_waited_for

ASKED = RunParameters({"archive": "DCM4CHEE@127.0.0.1:11112", "destination": "STORESCP"})
YES = AttemptResult(VerificationOutcome.VERIFIED, "verified: 1 of 1", status=0, expected=1, completed=1, seconds=0.25)
NO = AttemptResult(
    VerificationOutcome.NOT_VERIFIED, "NOT verified: status A801", status=0xA801, comment="Unknown AE: X"
)
BUSY = AttemptResult(VerificationOutcome.NOT_VERIFIED, "NOT verified: status A701", status=0xA701)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made" / "results.sqlite"


def test_what_has_its_answer_is_not_asked_again(path: Path) -> None:
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list(["1.2.3", "1.2.4", "1.2.5"])
        store.end_attempt(store.begin_attempt("1.2.4"), YES, final=True)
        store.end_attempt(store.begin_attempt("1.2.3"), NO, final=True)
    with ResultStore.open(path, ASKED) as store:
        assert store.list_unfinished_studies() == ("1.2.5",)
        three, four, five = store.read_results()
    assert three.final_result == NO
    assert four.final_result == YES
    assert five.final_result is None


def test_an_attempt_without_an_answer_is_kept_and_its_study_asked_again(path: Path) -> None:
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list(["1.2.3"])
        store.begin_attempt("1.2.3")
    with ResultStore.open(path, ASKED) as store:
        assert store.list_unfinished_studies() == ("1.2.3",)
        store.end_attempt(store.begin_attempt("1.2.3"), YES, final=True)
        (result,) = store.read_results()
    assert [attempt.result for attempt in result.attempts] == [None, YES]
    assert [attempt.is_final for attempt in result.attempts] == [False, True]


def test_an_answer_that_is_not_final_does_not_stand(path: Path) -> None:
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list(["1.2.3"])
        store.end_attempt(store.begin_attempt("1.2.3"), BUSY, final=False)
        assert store.list_unfinished_studies() == ("1.2.3",)
        assert store.read_results()[0].final_result is None


def test_an_outcome_of_an_earlier_name_is_stored_and_read_by_it(path: Path) -> None:
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list(["1.2.3"])
        store.end_attempt(store.begin_attempt("1.2.3"), AttemptResult(VerificationOutcome.NOT_SENT, "no"), final=True)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT outcome FROM attempt").fetchall() == [("not asked",)]
    connection.close()
    with ResultStore.open(path, ASKED) as store:
        assert store.read_results()[0].final_result == AttemptResult(VerificationOutcome.NOT_SENT, "no")


def test_a_longer_list_keeps_the_answers(path: Path) -> None:
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list(["1.2.3", "1.2.4"])
        store.end_attempt(store.begin_attempt("1.2.4"), YES, final=True)
        store.set_study_list(["1.2.5", "1.2.4"])
        assert store.list_unfinished_studies() == ("1.2.5",)
        assert [result.study_uid for result in store.read_results()] == ["1.2.5", "1.2.4"]


@pytest.mark.parametrize(("uids", "again"), [(["1.2.4"], ("1.2.4",)), (None, ("1.2.3", "1.2.4"))])
def test_studies_are_asked_anew_all_or_those_that_are_named(
    path: Path, uids: list[str] | None, again: tuple[str, ...]
) -> None:
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list(["1.2.3", "1.2.4"])
        store.end_attempt(store.begin_attempt("1.2.3"), YES, final=True)
        store.end_attempt(store.begin_attempt("1.2.4"), NO, final=True)
        store.reopen_studies(uids)
        assert store.list_unfinished_studies() == again
        assert sum(len(result.attempts) for result in store.read_results()) == 2


def test_answers_of_studies_that_are_not_listed_stand_when_others_are_asked_anew(path: Path) -> None:
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list(["1.2.3", "1.2.4"])
        for uid in ("1.2.3", "1.2.4"):
            store.end_attempt(store.begin_attempt(uid), YES, final=True)
        store.set_study_list(["1.2.3"])
        store.reopen_studies()
        assert store.list_unfinished_studies() == ("1.2.3",)
        store.set_study_list(["1.2.3", "1.2.4"])
        assert store.list_unfinished_studies() == ("1.2.3",)


def test_a_store_of_another_question_is_refused_with_the_difference(path: Path) -> None:
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list(["1.2.3"])
        store.begin_attempt("1.2.3")
    other = RunParameters({**ASKED.values, "destination": "VIEWER"})
    with pytest.raises(Refused, match="other parameters: destination: STORESCP in the store, VIEWER in this run"):
        ResultStore.open(path, other).__enter__()


def test_a_store_without_answers_takes_another_question(path: Path) -> None:
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list(["1.2.3"], "list.txt")
    other = RunParameters({**ASKED.values, "destination": "VIEWER"})
    with ResultStore.open(path, other) as store:
        assert (store.list_unfinished_studies(), store.get_listing_time("list.txt")) == ((), None)
    with ResultStore.open(path, other):
        pass


def test_a_look_makes_nothing_and_tells_who_has_it_and_whose_question_it_is(path: Path) -> None:
    assert ResultStore.read_listing_time(path, ASKED, "list.txt") is None
    assert not path.parent.exists()
    other = RunParameters({**ASKED.values, "destination": "VIEWER"})
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list(["1.2.3"], "list.txt")
        with pytest.raises(Refused, match="another run uses"):
            ResultStore.read_listing_time(path, ASKED, "list.txt")
    before = path.read_bytes()
    assert ResultStore.read_listing_time(path, ASKED, "list.txt") is not None
    assert ResultStore.read_listing_time(path, ASKED, "another.txt") is None
    assert ResultStore.read_listing_time(path, other, "list.txt") is None, (
        "without answers it will be of the other question"
    )
    assert path.read_bytes() == before
    with ResultStore.open(path, ASKED) as store:
        store.begin_attempt("1.2.3")
    with pytest.raises(Refused, match="other parameters: destination: STORESCP in the store, VIEWER in this run"):
        ResultStore.read_listing_time(path, other, "list.txt")


@pytest.mark.parametrize("octets", [b"", b"my thesis", b"SQLite format 3\0" + b"\0" * 100])
def test_a_file_that_is_no_store_is_left_alone(path: Path, octets: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(octets)
    with pytest.raises(Refused, match="not a result store"):
        ResultStore.open(path, ASKED).__enter__()
    assert path.read_bytes() == octets
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_somebody_elses_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE study (uid)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(Refused, match="not a result store"):
        ResultStore.open(path, ASKED).__enter__()
    assert path.read_bytes() == before


def test_a_store_of_a_later_version_is_refused(path: Path) -> None:
    with ResultStore.open(path, ASKED):
        pass
    later = sqlite3.connect(path)
    later.execute("PRAGMA user_version = 7")
    later.close()
    with pytest.raises(Refused, match="has format 7; this version of dcmcfg can read only formats up to 2"):
        ResultStore.open(path, ASKED).__enter__()


def test_a_damaged_store_is_told(path: Path) -> None:
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list([f"1.2.{number}" for number in range(1000)])
    octets = bytearray(path.read_bytes())
    octets[100:] = b"\xa5" * (len(octets) - 100)
    path.write_bytes(octets)
    with pytest.raises(DcmcfgError, match="cannot use the result store"), ResultStore.open(path, ASKED) as store:
        store.list_unfinished_studies()


def test_two_at_once_on_one_store_are_refused(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from dcmcfg.bulk.store_file import lock_store\n"
        "with lock_store(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Refused, match=rf"another run uses this result store \(process {holder.pid}\)"):
            ResultStore.open(path, ASKED).__enter__()
        holder.kill()
    with ResultStore.open(path, ASKED):  # a lock of one that was killed holds nobody up
        pass
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_whoever_looks_whether_a_store_is_used_holds_no_run_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look_until_waited_for(get_lock_path(path), monkeypatch)
    with ResultStore.open(path, ASKED):
        assert is_file_locked(get_lock_path(path))


def test_threads_share_a_store(path: Path) -> None:
    uids = [f"1.2.{number}" for number in range(1, 41)]
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list(uids)

        def ask(some: list[str]) -> None:
            for uid in some:
                store.end_attempt(store.begin_attempt(uid), YES, final=True)

        threads = [threading.Thread(target=ask, args=(uids[start::4],)) for start in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.list_unfinished_studies() == ()
        assert [result.study_uid for result in store.read_results() if len(result.attempts) == 1] == uids


OLD_ANSWER = {
    "headline": "NOT verified",
    "status": 0xC801,
    "comment": "",
    "expected": 1,
    "completed": 0,
    "failed": 0,
    "warning": 0,
    "received": None,
    "route": "not shown",
    "route_why": "no log was read",
    "next_step": "dcmcfg reload",
    "remark": "a C-STORE too many",
    "seconds": 0.5,
    "tree": "4cd6",
}
NEW_RESULT = AttemptResult(
    VerificationOutcome.NOT_VERIFIED,
    "NOT verified",
    status=0xC801,
    expected=1,
    completed=0,
    failed=0,
    warning=0,
    route_finding="not shown",
    route_reasons="no log was read",
    next_step="dcmcfg reload",
    evidence_warnings="a C-STORE too many",
    seconds=0.5,
    configuration_checksum="4cd6",
)
_UPGRADE_AND_DIE = """
import os, signal, sqlite3, sys
from pathlib import Path
from dcmcfg.bulk import store
from dcmcfg.bulk.run_options import RunParameters

path, last = Path(sys.argv[1]), int(sys.argv[2])
connect, count = sqlite3.connect, 0

def die_at_the_last(statement):
    global count
    count += 1
    if count == last:
        os.kill(os.getpid(), signal.SIGKILL)

def watched(*arguments, **options):
    connection = connect(*arguments, **options)
    connection.execute("PRAGMA cache_size = 1")
    connection.set_trace_callback(die_at_the_last)
    return connection

sqlite3.connect = watched
with store.ResultStore.open(path, RunParameters(eval(sys.argv[3]))) as opened:
    print(count)
"""


def make_store_of_format_1(path: Path, studies: int) -> None:
    uids = [f"1.2.{number}" for number in range(studies)]
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list([*uids, "1.3"])
        store.begin_attempt("1.3")
    times = ("2026-11-30T20:49:41+00:00", "2026-11-30T20:49:42+00:00")
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "INSERT INTO attempt (study_uid, started, ended, outcome, final, answer) VALUES (?, ?, ?, ?, 1, ?)",
            [(uid, *times, "not verified", json.dumps(OLD_ANSWER)) for uid in uids],
        )
        answered = (
            "UPDATE study SET answered_by = (SELECT number FROM attempt WHERE study_uid = uid) WHERE uid <> '1.3'"
        )
        connection.execute(answered)
        connection.execute("PRAGMA user_version = 1")
        connection.commit()


def test_a_store_of_format_1_is_continued_with_all_that_it_held(path: Path) -> None:
    make_store_of_format_1(path, 3)
    assert ResultStore.read_listing_time(path, ASKED, "") is not None
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,), "it was only read"
    for _ in range(2):
        with ResultStore.open(path, ASKED) as store:
            assert store.list_unfinished_studies() == ("1.3",)
            assert [each.final_result for each in store.read_results()] == [NEW_RESULT] * 3 + [None]
    assert path.read_bytes()[60:64] == bytes((0, 0, 0, 2))


def test_a_store_of_format_1_for_another_question_stays_as_it_is(path: Path) -> None:
    make_store_of_format_1(path, 3)
    with pytest.raises(Refused, match="other parameters"):
        ResultStore.open(path, RunParameters({"archive": "X"})).__enter__()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        answers = connection.execute("SELECT answer FROM attempt WHERE answer IS NOT NULL").fetchall()
    assert [json.loads(answer) for (answer,) in answers] == [OLD_ANSWER] * 3


def test_a_store_whose_upgrade_is_killed_is_of_one_format_and_loses_nothing(path: Path) -> None:
    """Killed at each statement of a store of a few, and in the middle of many: pages are on the disk by then."""

    def upgrade(target: Path, last: int) -> subprocess.CompletedProcess[str]:
        arguments = [str(target), str(last), repr(dict(ASKED.values))]
        return subprocess.run(
            [sys.executable, "-c", _UPGRADE_AND_DIE, *arguments], capture_output=True, text=True, check=False
        )

    formats = set()
    few, many = path.parent / "few.sqlite", path.parent / "many.sqlite"
    make_store_of_format_1(few, 3)
    make_store_of_format_1(many, 2000)
    statements = int(upgrade(_copy(few, path), 0).stdout)
    cases = [(few, 3, last) for last in range(1, statements + 1)] + [(many, 2000, 1000)]
    for source, studies, last in cases:
        target = _copy(source, path)
        assert upgrade(target, last).returncode == -signal.SIGKILL
        formats.add(int.from_bytes(target.read_bytes()[60:64], "big"))
        (found,) = [each for each in find_stores(path.parent) if each.path == target]
        assert (found.problem, found.finished_count, found.unfinished_count) == ("", studies, 1), last
        with ResultStore.open(target, ASKED) as store:
            assert [each.final_result for each in store.read_results()] == [NEW_RESULT] * studies + [None], last
            assert store.list_unfinished_studies() == ("1.3",)
    assert formats == {1, 2}


def test_a_damaged_answer_of_format_1_is_told_and_nothing_is_upgraded(path: Path) -> None:
    make_store_of_format_1(path, 2)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE attempt SET answer = '{' WHERE number = 3")
        connection.commit()
    with pytest.raises(DcmcfgError, match="cannot read a result in the result store"):
        ResultStore.open(path, ASKED).__enter__()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert json.loads(connection.execute("SELECT answer FROM attempt WHERE number = 2").fetchone()[0]) == OLD_ANSWER


def _copy(source: Path, target: Path) -> Path:
    for each in target.parent.glob(f"{target.name}*"):
        each.unlink()
    shutil.copyfile(source, target)
    return target
