from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dcmcfg.bulk.run_options import RunParameters
from dcmcfg.bulk.store import ResultStore
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
        assert store.list_open_studies() == ("1.2.5",)
        three, four, five = store.read_results()
    assert three.final_result == NO
    assert four.final_result == YES
    assert five.final_result is None


def test_an_attempt_without_an_answer_is_kept_and_its_study_asked_again(path: Path) -> None:
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list(["1.2.3"])
        store.begin_attempt("1.2.3")
    with ResultStore.open(path, ASKED) as store:
        assert store.list_open_studies() == ("1.2.3",)
        store.end_attempt(store.begin_attempt("1.2.3"), YES, final=True)
        (result,) = store.read_results()
    assert [attempt.result for attempt in result.attempts] == [None, YES]
    assert [attempt.final for attempt in result.attempts] == [False, True]


def test_an_answer_that_is_not_final_does_not_stand(path: Path) -> None:
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list(["1.2.3"])
        store.end_attempt(store.begin_attempt("1.2.3"), BUSY, final=False)
        assert store.list_open_studies() == ("1.2.3",)
        assert store.read_results()[0].final_result is None


def test_a_longer_list_keeps_the_answers(path: Path) -> None:
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list(["1.2.3", "1.2.4"])
        store.end_attempt(store.begin_attempt("1.2.4"), YES, final=True)
        store.set_study_list(["1.2.5", "1.2.4"])
        assert store.list_open_studies() == ("1.2.5",)
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
        assert store.list_open_studies() == again
        assert sum(len(result.attempts) for result in store.read_results()) == 2


def test_answers_of_studies_that_are_not_listed_stand_when_others_are_asked_anew(path: Path) -> None:
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list(["1.2.3", "1.2.4"])
        for uid in ("1.2.3", "1.2.4"):
            store.end_attempt(store.begin_attempt(uid), YES, final=True)
        store.set_study_list(["1.2.3"])
        store.reopen_studies()
        assert store.list_open_studies() == ("1.2.3",)
        store.set_study_list(["1.2.3", "1.2.4"])
        assert store.list_open_studies() == ("1.2.3",)


def test_a_store_of_another_question_is_refused_with_the_difference(path: Path) -> None:
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list(["1.2.3"])
        store.begin_attempt("1.2.3")
    other = RunParameters({**ASKED.values, "destination": "VIEWER"})
    with pytest.raises(Refused, match="another question: destination: STORESCP there, VIEWER here"):
        ResultStore.open(path, other).__enter__()


def test_a_store_without_answers_takes_another_question(path: Path) -> None:
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list(["1.2.3"], "list.txt")
    other = RunParameters({**ASKED.values, "destination": "VIEWER"})
    with ResultStore.open(path, other) as store:
        assert (store.list_open_studies(), store.get_listing_time("list.txt")) == ((), None)
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
    with pytest.raises(Refused, match="another question: destination: STORESCP there, VIEWER here"):
        ResultStore.read_listing_time(path, other, "list.txt")


@pytest.mark.parametrize("octets", [b"", b"my thesis", b"SQLite format 3\0" + b"\0" * 100])
def test_a_file_that_is_no_store_is_left_alone(path: Path, octets: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(octets)
    with pytest.raises(Refused, match="no store of results"):
        ResultStore.open(path, ASKED).__enter__()
    assert path.read_bytes() == octets
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_somebody_elses_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE study (uid)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(Refused, match="no store of results"):
        ResultStore.open(path, ASKED).__enter__()
    assert path.read_bytes() == before


def test_a_store_of_a_later_version_is_refused(path: Path) -> None:
    with ResultStore.open(path, ASKED):
        pass
    later = sqlite3.connect(path)
    later.execute("PRAGMA user_version = 7")
    later.close()
    with pytest.raises(Refused, match="has format 7; this dcmcfg reads formats up to 2"):
        ResultStore.open(path, ASKED).__enter__()


def test_a_damaged_store_is_told(path: Path) -> None:
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list([f"1.2.{number}" for number in range(1000)])
    octets = bytearray(path.read_bytes())
    octets[100:] = b"\xa5" * (len(octets) - 100)
    path.write_bytes(octets)
    with pytest.raises(DcmcfgError, match="does not work"), ResultStore.open(path, ASKED) as store:
        store.list_open_studies()


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
        with pytest.raises(Refused, match=rf"another run uses this store of results \(process {holder.pid}\)"):
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
        assert store.list_open_studies() == ()
        assert [result.study_uid for result in store.read_results() if len(result.attempts) == 1] == uids
