"""LDAP syntaxes as slapd has them, and the archive's formats as its own classes parse them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcmcfg.schema import syntaxes
from dcmcfg.schema.formats import AE_TITLE, TAG
from dcmcfg.schema.value_kinds.codes import CODE
from dcmcfg.schema.value_kinds.durations import DURATION, PERIOD, RETENTION
from dcmcfg.schema.value_kinds.kind import ValueKind
from dcmcfg.schema.value_kinds.schedules import SCHEDULE
from dcmcfg.schema.value_kinds.sizes import THRESHOLD

FORMATS = [DURATION, PERIOD, RETENTION, SCHEDULE, THRESHOLD, CODE, TAG, AE_TITLE]


@pytest.mark.parametrize(
    ("syntax", "good", "bad"),
    [
        ("Boolean", [b"TRUE", b"FALSE"], [b"true", b"True", b"", b"TRUE ", b"1", b"yes"]),
        ("Integer", [b"0", b"7", b"-1", b"99999999999999"], [b"01", b"-0", b"+1", b" 1", b"1 ", b"", b"-", b"1.5"]),
        ("OID", [b"1.2.840.10008.1.2", b"1", b"2.999.1", b"1.0.3"], [b"1.02", b"1.2.", b".1", b"*", b"CTStorage", b""]),
        ("DN", [b"cn=x", b"CN=a , dc=b", b"cn=a\\2Cb"], [b"nonsense", b"cn=\\zz", b"cn=\xff"]),
        ("IA5String", [b"a", b"\x7f"], ["é".encode()]),
        ("DirectoryString", ["é".encode(), b" "], [b"", b"\xff"]),
        ("OctetString", [b"", b"\xff\0"], []),
    ],
)
def test_syntax(syntax: str, good: list[bytes], bad: list[bytes]) -> None:
    assert {value: syntaxes.find_syntax_problem(syntax, value) for value in good} == dict.fromkeys(good, "")
    assert [value for value in bad if not syntaxes.find_syntax_problem(syntax, value)] == []


def test_a_boolean_in_small_letters_is_told_what_it_must_be() -> None:
    assert (
        syntaxes.find_syntax_problem("Boolean", b"true") == "not a boolean: must be TRUE or FALSE, in capital letters"
    )


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (
            DURATION,
            ["PT90M", "P1D", "P7DT12H", "PT1H2M3S", "PT0.5S", "PT0,5S", "pt5m", "PT30S"],
            ["", "P", "PT", "P1DT", "P1W", "P1M", "P1Y", "-PT5M", "PT-5M", "5M", "PT5", " PT5M", "PT5M\n", "P٣D"],
        ),
        (PERIOD, ["P30D", "P1Y6M", "P2W", "P1Y2M3W4D", "p1y"], ["", "P", "PT5M", "P1", "30D", "[hour=1]P30D", "P1D1Y"]),
        (
            RETENTION,
            ["P30D", "[hour=18-6]P30D", "x[hour=1]P1D", "[]P1D"],
            ["[hour=24]P1D", "[hour=1P1D", "]P1D", "a]P1D"],
        ),
        (
            SCHEDULE,
            ["", "hour=18-6 dayOfWeek=*", "hour=* dayOfWeek=0,6", "hour=0", "hour=23", "hour=", "dayOfWeek=5-1,3"],
            [
                "hour=24",
                "dayOfWeek=7",
                "hour=1  dayOfWeek=1",
                "hour=1 ",
                "hour",
                "Hour=1",
                "minute=1",
                "hour=-1",
                "hour=1-2-3",
                "hour=1,,2",
                "dayOfWeek=Mo",
            ],
        ),
        (
            THRESHOLD,
            ["100GB", "1k", "5MiB", "1Ti", "10P", "1[hour=0-6]10GB", "[hour=1]1GB"],
            ["1g", "-1GB", "GB", "", "1 GB"],
        ),
        (
            CODE,
            [
                '(113001, DCM, "Rejected for Quality Reasons")',
                '(A,B,"C")',
                '(1, SCT [2023], "x, y (z)")',
                '(urn:oid:1.2.3, , "x")',
            ],
            [
                "",
                "(113001, DCM, Rejected)",
                '(113001, "Rejected")',
                '(, DCM, "x")',
                '(1, DCM, "")',
                '(1, , "x")',
                '(1, DCM [], "x")',
                '(1, [2], "x")',
                '(1, DCM, x")',
                '1, DCM, "x"',
            ],
        ),
        (TAG, ["0020000D", "0020000d"], ["0020,000D", "20000D", "PatientID", "0020000D "]),
        (AE_TITLE, ["DCM4CHEE", "A B", "*"], ["", " A", "A ", "A\\B", "A" * 17, "Ä", "A\x1b"]),
    ],
    ids=["duration", "period", "retention", "schedule", "threshold", "code", "tag", "AE title"],
)
def test_format(kind: ValueKind, good: list[str], bad: list[str]) -> None:
    assert {text: kind.find_problem(text) for text in good} == dict.fromkeys(good, "")
    assert [text for text in bad if not kind.find_problem(text)] == []


@given(
    hours=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=4),
)
@settings(max_examples=50)
def test_a_schedule_is_good_exactly_when_every_hour_exists(hours: list[tuple[int, int]]) -> None:
    text = "hour=" + ",".join(f"{first}-{last}" for first, last in hours)
    assert (SCHEDULE.find_problem(text) == "") == all(hour < 24 for pair in hours for hour in pair)


@given(days=st.integers(0, 999), minutes=st.integers(0, 999), lower=st.booleans())
@settings(max_examples=50)
def test_days_and_minutes_make_a_duration_and_months_never(days: int, minutes: int, lower: bool) -> None:
    text = f"P{days}DT{minutes}M"
    assert DURATION.find_problem(text.lower() if lower else text) == ""
    assert DURATION.find_problem(f"P{days}M") != ""


@given(text=st.text(max_size=60))
@settings(max_examples=100)
def test_no_text_breaks_a_check(text: str) -> None:
    for kind in FORMATS:
        kind.find_problem(text)
    for syntax in ("Boolean", "Integer", "DN", "OID", "IA5String", "DirectoryString"):
        syntaxes.find_syntax_problem(syntax, text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    "text",
    [
        "1" * 100_000,
        "(" * 100_000,
        "P" + "1" * 100_000,
        "hour=" + "1," * 50_000,
        "(a,b" + "[" * 100_000 + '],"x")',
        "hour=" + "0" * 100_000,
        "[" * 50_000 + "]" * 50_000,
        "1." * 50_000,
        "\x1b" * 100_000,
    ],
)
def test_a_value_of_100_kb_is_judged_at_once(text: str) -> None:
    started = time.process_time()
    assert all(kind.find_problem(text) != text for kind in FORMATS)
    for syntax in ("Boolean", "Integer", "DN", "OID", "IA5String", "DirectoryString"):
        assert text not in syntaxes.find_syntax_problem(syntax, text.encode())
    assert time.process_time() - started < 2
