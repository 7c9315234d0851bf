"""The keys of ``--json`` and of the files of ``--evidence``: lower_snake_case, in the terms of the field.

The keys are read from the source: the string keys of dict displays in every function that makes JSON, and in every
dict that is given to ``print_json`` or becomes the partial result of a command.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dcmcfg.bulk.report import BulkReport
from dcmcfg.bulk.run_options import RunParameters
from dcmcfg.bulk.study_result import AttemptResult, RecordedAttempt, StudyResult, VerificationOutcome
from dcmcfg.render.bulk import bulk_json
from dcmcfg.verify.verdict import RouteFinding

_PACKAGE = Path(__file__).parents[2] / "dcmcfg"
_ROOMS = ("render", "cli")
_SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_BANNED_WORDS = frozenset(
    {
        "answered",
        "asked",
        "asks",
        "beside",
        "doubt",
        "foreign",
        "gone",
        "kept",
        "left",
        "manner",
        "meanwhile",
        "mend",
        "said",
        "says",
        "sought",
        "taken",
        "told",
        "unsound",
        "uninvited",
        "wanted",
        "way",
        "ways",
        "what",
        "who",
        "whoever",
        "why",
        "witness",
        "witnessed",
    }
)
#: Prepositions and fragments that are no key by themselves, and AE titles whose key does not say what they are.
_BANNED_KEYS = frozenset(
    {
        "all",
        "at",
        "called",
        "calling",
        "from",
        "needs",
        "of",
        "on",
        "one",
        "other",
        "since",
        "to",
        "when",
    }
)
#: Keys that stand all the same (module and key), each with its reason.
_EXCEPTIONS: dict[tuple[str, str], str] = {}


def _json_functions(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) if name.strip("_").endswith("json") or name.startswith("to_json"):
                yield node
            case ast.Call(func=ast.Name(id="print_json")):
                yield node
            case ast.Assign(targets=[ast.Attribute(attr="partial_result")], value=value):
                yield value


def _keys(tree: ast.Module) -> Iterator[str]:
    displays = (
        node for made in _json_functions(tree) for node in ast.walk(made) if isinstance(node, ast.Dict | ast.Assign)
    )
    for node in displays:
        keys = node.keys if isinstance(node, ast.Dict) else [_assigned_key(target) for target in node.targets]
        yield from (key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str))


def _assigned_key(target: ast.expr) -> ast.expr | None:
    """Return the key in ``told["key"] = ...``; None for a target of another form."""
    return target.slice if isinstance(target, ast.Subscript) else None


def _is_plain(key: str) -> bool:
    return bool(_SNAKE_CASE.fullmatch(key)) and key not in _BANNED_KEYS and _BANNED_WORDS.isdisjoint(key.split("_"))


def _found_keys() -> set[tuple[str, str]]:
    """Return each key with the module that writes it: ``("render/verify.py", "headline")``."""
    return {
        (path.relative_to(_PACKAGE).as_posix(), key)
        for room in _ROOMS
        for path in sorted((_PACKAGE / room).rglob("*.py"))
        for key in _keys(ast.parse(path.read_text("utf-8")))
    }


def test_every_key_is_lower_snake_case_and_a_term_of_the_field() -> None:
    found = _found_keys()
    assert len(found) > 400, "the functions that make JSON are found"
    assert sorted(each for each in found if not _is_plain(each[1]) and each not in _EXCEPTIONS) == []


def test_each_exception_is_still_required() -> None:
    found = _found_keys()
    assert [each for each in _EXCEPTIONS if each not in found or _is_plain(each[1])] == [], "remove these lines"
    assert all(_EXCEPTIONS.values()), "each has its reason"


@pytest.mark.parametrize("outcome", VerificationOutcome)
@pytest.mark.parametrize("finding", RouteFinding)
def test_counts_by_finding_have_such_keys_too(outcome: VerificationOutcome, finding: RouteFinding) -> None:
    moment = datetime(2026, 1, 2, 12, tzinfo=UTC)
    answer = AttemptResult(outcome, "a headline", route_finding=finding.value)
    result = StudyResult("1.2", (RecordedAttempt(moment, moment, answer, is_final=True),), is_complete=True)
    report = BulkReport.create(RunParameters({}), Path("results.sqlite"), (result,), moment)
    made = bulk_json(report, (), (), accepted=True)
    for counts in (made["outcome_counts"], made["route_counts"]):
        assert 1 in counts.values()
        assert all(_SNAKE_CASE.fullmatch(key) for key in counts)


@pytest.mark.parametrize("key", ["calling", "Python", "route_why", "not verified", "kept_as", "taken_back"])
def test_an_invalid_key_is_found(key: str) -> None:
    assert not _is_plain(key)
    assert key in set(_keys(ast.parse(f"def found_json():\n    return {{'a': [{{{key!r}: 1}}]}}")))
    assert key in set(_keys(ast.parse(f"def _found_json():\n    told[{key!r}] = 1")))
