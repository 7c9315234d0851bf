"""Tables: names stay whole at every width."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.render.terminal.table import Column, WrapMode, print_table

COLUMNS = (
    Column("entry", WrapMode.AT_COMMAS),
    Column("attribute"),
    Column("value", WrapMode.AUTO),
    Column("why", WrapMode.AT_SPACES),
)
NAME = "dcmExternalRetrieveAEDestination"
DN = r"cn=Unique\, really,dicomDeviceName=dcm4chee-arc,cn=Devices"
ROW = (DN, NAME, "ldap://127.0.0.1:29423", "no AE has the title X, and nobody knows who should have it by now")


def printed(row: tuple[str, ...], width: int | None) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(width)) if width else patch.delenv("COLUMNS", raising=False)
        console = make_stdout_console()
    with console.capture() as captured:
        print_table(console, COLUMNS, [row])
    return captured.get()


@pytest.mark.parametrize("width", [None, 40, 120])
def test_one_empty_line_stands_between_tables_and_above_the_first(width: int | None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(width)) if width else patch.delenv("COLUMNS", raising=False)
        console = make_stdout_console()
    with console.capture() as captured:
        print_table(console, COLUMNS, [ROW], blank_above=True)
        print_table(console, COLUMNS, [ROW], blank_above=False)
    lines = captured.get().splitlines()
    assert (lines[0] == "", lines[1] != "", lines[-1] == "", lines[-2] != "") == (True, True, True, True)
    assert lines.count("") == 3


def test_the_rule_is_as_wide_as_the_table() -> None:
    _, _, rule, line, _ = printed(ROW, None).splitlines()
    assert len(rule) > 120
    assert len(rule) >= len(line)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 250))
def test_no_name_is_broken_at_any_width(width: int) -> None:
    text = printed(ROW, width)
    for whole in (NAME, "ldap://127.0.0.1:29423", r"cn=Unique\, really,", "dicomDeviceName=dcm4chee-arc,"):
        assert whole in text
    if width >= 48:
        assert max(map(len, text.splitlines())) <= width


@given(st.tuples(*[st.text("ab ,=\\", max_size=40)] * 4), st.integers(1, 200))
def test_only_spaces_are_lost(row: tuple[str, ...], width: int) -> None:
    headings = "entryattributevaluewhy─"
    letters = sorted(letter for cell in row for letter in cell if letter not in " " + headings)
    assert sorted(letter for letter in printed(row, width) if letter not in " \n" + headings) == letters


def test_in_a_pipe_each_row_is_one_line() -> None:
    assert "   ".join(ROW) in printed(ROW, None)


def test_a_table_that_fits_with_wrapped_texts_is_a_table() -> None:
    assert printed((*ROW[:1], "dicomPort", "104", ROW[3]), 100).splitlines() == [
        "",
        " entry                           attribute   value   why",
        " " + "─" * 85,
        r" cn=Unique\, really,             dicomPort   104     no AE has the title X, and nobody",
        " dicomDeviceName=dcm4chee-arc,                       knows who should have it by now",
        " cn=Devices",
        "",
    ]


def test_otherwise_each_row_is_a_block() -> None:
    assert printed((*ROW[:1], NAME, "", ROW[3]), 60).splitlines() == [
        r"entry  cn=Unique\, really,dicomDeviceName=dcm4chee-arc,",
        "       cn=Devices",
        f"  attribute  {NAME}",
        "  why        no AE has the title X, and nobody knows who",
        "             should have it by now",
        "",
    ]
