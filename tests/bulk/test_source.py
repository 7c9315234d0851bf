from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.bulk.source import StudyList, StudyListFile, parse_study_list
from dcmcfg.errors import DcmcfgError, MalformedInput


@pytest.mark.parametrize(
    ("text", "uids"),
    [
        ("1.2.3\n1.2.4\n", ("1.2.3", "1.2.4")),
        ("# of May\n\n  1.2.3  # the first\r\n1.2.4", ("1.2.3", "1.2.4")),
        ("﻿1.2.3\n", ("1.2.3",)),
        ("PatientID,StudyInstanceUID\nP1,1.2.3\n", ("1.2.3",)),
        ("# made by a spreadsheet\nstudy_instance_uid;name\n1.2.3;M^J\n", ("1.2.3",)),
        ('"Study Instance UID"\t"n"\n"1.2.3"\t"a"\n', ("1.2.3",)),
        ('name,study instance uid\n"a, b",1.2.3\n', ("1.2.3",)),
    ],
)
def test_a_list_is_lines_or_a_column(text: str, uids: tuple[str, ...]) -> None:
    assert parse_study_list("list", text.encode()) == StudyList(uids)


def test_a_spreadsheets_unicode_text_is_read() -> None:
    assert parse_study_list("list", "StudyInstanceUID\tn\r\n1.2.3\tx\r\n".encode("utf-16")).uids == ("1.2.3",)


def test_a_study_that_is_named_again_counts_once() -> None:
    assert parse_study_list("list", b"1.2.3\n1.2.4\n1.2.3\n1.2.3\n") == StudyList(("1.2.3", "1.2.4"), 2)


def test_each_broken_line_is_told_with_its_number() -> None:
    with pytest.raises(MalformedInput) as error_info:
        parse_study_list("may.txt", b"1.2.3\nabc\n\n1.2.03\n1.2.4\n\xff\n1.2.5,1.2.6\n")
    assert str(error_info.value) == (
        "may.txt: 4 lines contain no Study Instance UID:\n    line 2: 'abc': not a UID: it contains characters other "
        "than digits and dots\n    line 4: '1.2.03': not a UID: a component is empty or begins with a zero, or there "
        "is only one component\n    line 6: '�': not a UID: it contains characters other than digits and dots\n    "
        "line 7: '1.2.5,1.2.6': not a UID: it contains characters other than digits and dots — correct each line, or "
        "put a # at the start of the line. dcmcfg sent no request"
    )


@pytest.mark.parametrize("text", [b"a" * 200_000, b"n,StudyInstanceUID\n" + b"a" * 200_000 + b",1.2.3\n"])
def test_a_file_that_is_no_text_is_told_and_quoted_in_short(text: bytes) -> None:
    with pytest.raises(MalformedInput, match="no Study Instance UID") as error_info:
        parse_study_list("a.dcm", text)
    assert len(str(error_info.value)) < 300


def test_of_very_many_broken_lines_the_first_are_quoted_and_all_are_numbered() -> None:
    with pytest.raises(MalformedInput, match="line 20: 'x'") as error_info:
        parse_study_list("may.txt", b"x\n" * 23)
    assert "and lines 21, 22, 23" in str(error_info.value)


def test_columns_of_which_none_is_that_of_study_uids_are_named() -> None:
    with pytest.raises(MalformedInput) as error_info:
        parse_study_list("may.csv", b"PatientID;StudyUID\n4711;1.2.3\n4712;1.2.4\n")
    assert str(error_info.value) == (
        "may.csv: line 1 has no column StudyInstanceUID. Its columns are: PatientID, StudyUID — rename the column "
        "with the Study Instance UIDs to StudyInstanceUID. dcmcfg sent no request"
    )


def test_a_row_without_the_column_is_a_broken_line() -> None:
    with pytest.raises(MalformedInput, match="line 2: '': not a UID: it is empty"):
        parse_study_list("may.csv", b"n,StudyInstanceUID\n1\n")


@pytest.mark.parametrize("text", [b"", b"\n# none\n", b"StudyInstanceUID\n"])
def test_a_list_of_nothing_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedInput, match="the file lists no studies"):
        parse_study_list("may.txt", text)


def test_a_missing_list_is_refused_with_the_name_of_a_similar_file(tmp_path: Path) -> None:
    (tmp_path / "list.txt").touch()
    missing = tmp_path / "list.tx"
    with pytest.raises(DcmcfgError) as error_info:
        StudyListFile(str(missing)).read()
    assert (error_info.value.message, error_info.value.next_step) == (
        "cannot read the file (No such file or directory)",
        f"did you mean {tmp_path / 'list.txt'}?",
    )
