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


def test_values_stand_in_one_column_and_a_field_without_values_is_left_out() -> None:
    assert printed(("Name", ("x",)), ("Connections", ("a", "b")), ("Nothing", ())) == (
        "  Name:        x\n  Connections: a\n               b\n"
    )
    assert printed() == ""


@pytest.mark.parametrize("value", ["\x1b[31mred", "[bold]x[/bold]"])
def test_values_neither_steer_the_terminal_nor_are_markup(value: str) -> None:
    shown = printed(("Name", (value,)))
    assert "\x1b" not in shown
    assert value.replace("\x1b", r"\x1b") in shown
