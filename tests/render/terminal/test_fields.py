"""Fields of one item: labels in a column, further values below the first."""

from __future__ import annotations

import pytest

from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.render.terminal.fields import Field, print_fields


def printed(*fields: Field) -> str:
    console = make_stdout_console()
    with console.capture() as captured:
        print_fields(console, fields)
    return captured.get()


def test_values_are_in_one_column_and_fields_without_values_are_left_out() -> None:
    assert printed(("Name", ("x",)), ("Connections", ("a", "b")), ("Nothing", ())) == (
        "  Name:        x\n  Connections: a\n               b\n"
    )
    assert printed() == ""


@pytest.mark.parametrize("value", ["\x1b[31mred", "[bold]x[/bold]"])
def test_values_are_escaped_for_terminal_and_markup(value: str) -> None:
    shown = printed(("Name", (value,)))
    assert "\x1b" not in shown
    assert value.replace("\x1b", r"\x1b") in shown
