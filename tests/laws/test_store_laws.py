"""A store of results, whatever is done to it and whenever the process ends."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dcmcfg.bulk.run_options import RunParameters
from dcmcfg.bulk.store import ResultStore
from dcmcfg.bulk.study_result import AttemptResult, VerificationOutcome

UIDS = ("1.2.1", "1.2.2", "1.2.3")
ASKED = RunParameters({"archive": "here"})
BEGIN = st.tuples(st.just("begin"), st.sampled_from(UIDS))
END = st.tuples(
    st.just("end"), st.sampled_from([VerificationOutcome.VERIFIED, VerificationOutcome.NOT_VERIFIED]), st.booleans()
)
FORGET = st.tuples(st.just("forget"), st.booleans())
ENLIST = st.tuples(st.just("enlist"), st.lists(st.sampled_from(UIDS), unique=True))
DIE = st.tuples(st.just("die"))


@settings(max_examples=20)
@example(
    [
        ("begin", UIDS[0]),
        ("end", VerificationOutcome.VERIFIED, True),
        ("enlist", []),
        ("forget", False),
        ("begin", UIDS[0]),
    ]
)
@given(st.lists(st.one_of(BEGIN, END, FORGET, ENLIST, DIE), max_size=15))
def test_answers_stand_until_they_are_forgotten_and_attempts_are_never_lost(steps: list[tuple[object, ...]]) -> None:
    listed: list[str] = list(UIDS)
    standing: dict[str, VerificationOutcome] = {}
    made: list[str] = []
    open_attempts: list[tuple[int, str]] = []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "results.sqlite"
        opening = ResultStore.open(path, ASKED)
        store = opening.__enter__()
        store.set_study_list(listed)
        for step in steps:
            match step:
                case ("begin", str(uid)):
                    store.set_study_list(list(dict.fromkeys([*listed, uid])))
                    listed = list(dict.fromkeys([*listed, uid]))
                    open_attempts.append((store.begin_attempt(uid), uid))
                    made.append(uid)
                case ("end", VerificationOutcome() as outcome, bool(final)) if open_attempts:
                    number, uid = open_attempts.pop()
                    store.end_attempt(number, AttemptResult(outcome, "so"), final=final)
                    if final:
                        standing[uid] = outcome
                case ("forget", bool(failed_only)):
                    kept = {
                        u: kind for u, kind in standing.items() if (kind.is_success if failed_only else u not in listed)
                    }
                    store.reopen_studies([uid for uid in standing if uid not in kept] if failed_only else None)
                    standing = kept
                case ("enlist", list(uids)):
                    listed = [str(uid) for uid in uids]
                    store.set_study_list(listed)
                case ("die",):
                    opening.__exit__(None, None, None)
                    open_attempts.clear()
                    opening = ResultStore.open(path, ASKED)
                    store = opening.__enter__()
            assert list(store.list_unfinished_studies()) == [uid for uid in listed if uid not in standing]
            results = store.read_results()
            assert [each.study_uid for each in results] == listed
            answers = {each.study_uid: each.final_result.outcome for each in results if each.final_result is not None}
            assert answers == {uid: kind for uid, kind in standing.items() if uid in listed}
            assert all(len(each.attempts) == made.count(each.study_uid) for each in results)
        opening.__exit__(None, None, None)
