"""What is escaped before it is printed, and by whom."""

from __future__ import annotations

import ast
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

import dcmcfg.cli
from dcmcfg.printable import capitalise_sentence, escape_unprintable, escape_unprintable_lines, format_count
from dcmcfg.render.terminal.console import print_command, print_line, print_prose, wrap_text
from dcmcfg.render.terminal.table import Column, print_table

#: Who may write to a stream: what escapes, what writes a file to standard output, and JSON, which escapes itself.
WRITERS = {"printing.py", "output.py"}


@given(st.text())
def test_what_is_visible_is_one_printable_line_and_stays_as_it_is(text: str) -> None:
    assert escape_unprintable(text).isprintable()
    assert escape_unprintable(escape_unprintable(text)) == escape_unprintable(text)
    assert escape_unprintable_lines(text).split("\n") == [escape_unprintable(line) for line in text.split("\n")]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\r\t", r"a\x0ab\x0d\x09"),
        ("\x1b[2J\x9b", r"\x1b[2J\x9b"),
        ("\u202e\U000e0041", r"\u202e\U000e0041"),
        ("é 日", "é 日"),
    ],
)
def test_what_cannot_be_printed_is_escaped(text: str, shown: str) -> None:
    assert escape_unprintable(text) == shown


@given(st.text(), st.sampled_from([40, 1_000_000]))
def test_what_prints_results_escapes_them(text: str, width: int) -> None:
    with StringIO() as shown:
        console = Console(file=shown, width=width, color_system=None)
        print_line(console, text)
        print_prose(console, text)
        print_command(console, text)
        print_table(console, [Column("a"), Column("b")], [(text, "x")])
        for line in wrap_text(Text(text), console, 0):
            console.print(line)
        assert all(line.isprintable() for line in shown.getvalue().split("\n"))


def test_commands_print_only_through_what_escapes() -> None:
    found = [
        path.name
        for path in Path(dcmcfg.cli.__path__[0]).rglob("*.py")
        if path.name not in WRITERS
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in {"click.echo", "click.secho", "print", "sys.stdout.write", "sys.stderr.write"}
        and not ast.unparse(call.args[0]).startswith("json.dumps(")
    ]
    assert found == ["completion.py"], "the script of a shell"


@pytest.mark.parametrize(
    ("number", "words", "shown"),
    [
        (0, ("file",), "0 files"),
        (1, ("file",), "1 file"),
        (2, ("study", "studies"), "2 studies"),
        (1234, ("entry", "entries"), "1234 entries"),
    ],
)
def test_things_are_counted_with_their_word(number: int, words: tuple[str, ...], shown: str) -> None:
    assert format_count(number, *words) == shown


def test_a_number_of_things_may_be_grouped() -> None:
    assert format_count(1234, "study", "studies", grouped=True) == "1,234 studies"


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("check: the log", "Check: the log"),
        ("if the echo succeeds, see the log", "If the echo succeeds, see the log"),
        ("dcmcfg reload", "dcmcfg reload"),
        ("dcmURI is not set", "dcmURI is not set"),
        ("LONGTERM rejects the association", "LONGTERM rejects the association"),
        ("3 of 5", "3 of 5"),
        ("", ""),
    ],
)
def test_a_sentence_begins_with_a_capital_but_a_command_or_a_name_stays(text: str, printed: str) -> None:
    assert capitalise_sentence(text) == printed
