"""Lines are broken between words, and what is there to be copied stays whole."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.wrapping import split_command_lines, wrap_lines

DN = "dicomAETitle=LONGTERM,cn=Unique AE Titles Registry,cn=DICOM Configuration,dc=dcm4che,dc=org"
COMMAND = "dcmcfg --ldap-url ldap://localhost:389 verify --study 1.2.3 --dest 'A B' --receive"


def wrapped(text: str, width: int) -> list[str]:
    return list(wrap_lines(text, width))


def test_a_line_is_broken_between_words_and_goes_on_indented() -> None:
    assert wrapped("dcmcfg: it is not there\n  next: look for it elsewhere", 20) == [
        "dcmcfg: it is not",
        "  there",
        "  next: look for it",
        "    elsewhere",
    ]


def test_what_fits_is_left_as_it_is() -> None:
    assert wrapped("  a  b\n\nc", 6) == ["  a  b", "", "c"]


@pytest.mark.parametrize("whole", [DN, COMMAND, "https://archive.hospital.example:8443/dcm4chee-arc/ctrl/reload"])
@pytest.mark.parametrize("width", [80, 60, 1])
def test_what_is_there_to_be_copied_is_never_broken(whole: str, width: int) -> None:
    lines = wrapped(f"dcmcfg: what went wrong on it is this: {whole}; it is so in the archive's own words", width)
    assert any(whole in line for line in lines)


def test_the_prose_after_a_command_is_broken() -> None:
    assert wrapped("the title: dcmcfg set-external-retrieve DCM4CHEE has the archive send it", 45) == [
        "the title:",
        "  dcmcfg set-external-retrieve DCM4CHEE has",
        "  the archive send it",
    ]


@pytest.mark.parametrize("prefix", ["dcmcfg:", "warning:"])
def test_the_word_that_begins_a_message_does_not_stand_alone(prefix: str) -> None:
    assert wrapped(f"{prefix} {DN}: it does not exist", 60) == [f"{prefix} {DN}:", "  it does not exist"]


def test_a_wide_character_takes_two_columns() -> None:
    assert wrapped("患者 山田", 7) == ["患者", "  山田"]


def test_a_line_that_is_no_sentence_is_not_broken() -> None:
    assert wrapped("A=, " * 20_000, 80) == [("A=, " * 20_000).rstrip()]


@given(st.lists(st.text("ab '\"\\\\=,", min_size=1, max_size=30), min_size=1, max_size=8), st.integers(1, 60))
def test_a_command_that_goes_on_behind_a_backslash_is_the_same_command(words: list[str], width: int) -> None:
    lines = list(split_command_lines(shlex.join(words), width))
    assert shlex.split("\n".join(lines).replace("\\\n", "")) == words
    assert all(len(line) <= width or len(line.split()) <= 2 or "'" in line for line in lines)


def test_it_goes_on_where_a_word_ends() -> None:
    assert list(split_command_lines("dcmcfg set 'a b' dicomPort=104", 22)) == [
        "  dcmcfg set 'a b' \\",
        "    dicomPort=104",
    ]
