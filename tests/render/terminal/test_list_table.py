"""Lists: one line for each item at every width, complete without a width."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.render.terminal.list_table import ListColumn, print_list
from dcmcfg.render.terminal.styles import show_all_columns

COLUMNS = (
    ListColumn(heading="AE"),
    ListColumn(heading="Device", min_width=12),
    ListColumn(heading="Host:port", min_width=30, keep_end=True),
    ListColumn(heading="TLS", drop_order=1),
    ListColumn(heading="Capabilities", drop_order=2, min_width=10),
)
MORE_VALUES = "(+N) stands for N more values. --wide shows all values."
ROWS = (
    (
        "CT_RAD_EMERGENCY",
        "radiology-emergency-ct-somatom-1",
        "ct-1.radiology.hospital.example.org:11112",
        "TLS",
        "1 SCU",
    ),
    ("WS1", "ws1", "ws1:104\nws1:2762", "\nTLS", "62 SCP, 10 SCU, shared from SOME_OTHER"),
)


def printed(
    width: int | None, rows: tuple[tuple[str, ...], ...] = ROWS, columns: tuple[ListColumn, ...] = COLUMNS
) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(width)) if width else patch.delenv("COLUMNS", raising=False)
        console = make_stdout_console()
    with console.capture() as captured:
        print_list(console, columns, rows)
    return captured.get().splitlines()


def test_at_80_columns_the_least_important_column_is_dropped_and_values_are_shortened() -> None:
    assert printed(80) == [
        "",
        " AE                 Device            Host:port                          TLS",
        f" {'─' * 78}",
        " CT_RAD_EMERGENCY   radiology-emer…   ct-1.radiology.hospit….org:11112   TLS",
        " WS1                ws1               ws1:104 (+1)                       1 of 2",
        "",
        "Not shown: Capabilities. --wide shows all columns.",
        MORE_VALUES,
    ]


def test_at_120_columns_all_columns_are_shown() -> None:
    assert printed(120) == [
        "",
        " AE                 Device                   Host:port                                  TLS      Capabilities",
        f" {'─' * 118}",
        " CT_RAD_EMERGENCY   radiology-emergency-c…   ct-1.radiology.hospital.examp….org:11112   TLS      1 SCU",
        " WS1                ws1                      ws1:104 (+1)                               1 of"
        " 2   62 SCP, 10 SCU, share…",
        "",
        "Some values are shortened. --wide shows the full values.",
        MORE_VALUES,
    ]


def test_in_a_very_narrow_terminal_values_are_shortened_more() -> None:
    assert printed(50) == [
        "",
        " AE                 Device          Host:port",
        f" {'─' * 48}",
        " CT_RAD_EMERGENCY   radiology-em…   ct-1.radiolo…",
        " WS1                ws1             ws1:104 (+1)",
        "",
        "Not shown: TLS, Capabilities. --wide shows all columns.",
        MORE_VALUES,
    ]


COMPLETE = [
    "",
    " AE                 Device                             Host:port                                   TLS   "
    "Capabilities",
    f" {'─' * 142}",
    " CT_RAD_EMERGENCY   radiology-emergency-ct-somatom-1   ct-1.radiology.hospital.example.org:11112   TLS   1 SCU",
    " WS1                ws1                                ws1:104                                           62 SCP, "
    "10 SCU, shared from SOME_OTHER",
    "                                                       ws1:2762                                    TLS",
    "",
]


def test_a_pipe_and_wide_show_all() -> None:
    assert printed(None) == COMPLETE
    with show_all_columns():
        assert printed(80) == COMPLETE
    assert len(printed(80)) == 8


def test_a_column_without_values_is_left_out_before_values_are_shortened() -> None:
    row = ("CT_RAD_EMERGENCY", "radiology-ct-1", "ct-1.radiology.example.org:11112", "", "1 SCU")
    assert printed(82, (row,)) == [
        "",
        " AE                 Device         Host:port                         Capabilities",
        f" {'─' * 80}",
        " CT_RAD_EMERGENCY   radiology-c…   ct-1.radiology.examp….org:11112   1 SCU",
        "",
        "Some values are shortened. --wide shows the full values.",
    ]


def test_a_list_that_fits_is_neither_shortened_nor_dropped() -> None:
    assert printed(80, (("WS1", "ws1", "ws1:104", "", "any"),)) == [
        "",
        " AE    Device   Host:port   TLS   Capabilities",
        f" {'─' * 45}",
        " WS1   ws1      ws1:104           any",
        "",
    ]


def test_a_column_that_wraps_is_not_shortened() -> None:
    columns = (ListColumn(heading="AE"), ListColumn(heading="Result", min_width=10, wraps=True))
    host = "ct-1.radiology.example.org"
    rows = (("CT1", f"the host name {host} cannot be resolved"), ("CT2", "answered"))
    assert printed(40, rows, columns) == [
        "",
        " AE    Result",
        f" {'─' * 32}",
        " CT1   the host name",
        f"       {host}",
        "       cannot be resolved",
        " CT2   answered",
        "",
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(*[st.text("ab :漢\x1b", min_size=1, max_size=40)] * 5), min_size=1, max_size=4),
    st.integers(100, 200),
)
def test_no_line_is_wider_than_the_terminal(rows: list[tuple[str, ...]], width: int) -> None:
    lines = printed(width, tuple((row[0][:9], *row[1:]) for row in rows))
    assert max(map(cell_len, lines)) <= width
    assert len([line for line in lines[3:] if not line.startswith(("Not shown", "Some values"))]) == len(rows) + 1
