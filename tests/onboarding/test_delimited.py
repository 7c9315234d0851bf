"""Delimited text as spreadsheets write it."""

from __future__ import annotations

import pytest

from dcmcfg.errors import OnboardingError
from dcmcfg.onboarding.delimited import read_delimited, write_rows
from dcmcfg.onboarding.row import Sheet


def read(text: str) -> Sheet:
    return read_delimited("x.csv", text)


def values(text: str) -> list[dict[str, str]]:
    return [dict(row.values) for row in read(text).rows]


CT = {"title": "CT1", "host": "ct1.example.org", "port": "104"}


@pytest.mark.parametrize(
    "text",
    [
        "title,host,port\nCT1,ct1.example.org,104\n",
        "title;host;port\r\nCT1;ct1.example.org;104\r\n",
        "title\thost\tport\rCT1\tct1.example.org\t104",
        "Port , Host, TITLE\n104,ct1.example.org,CT1\n",
        '"AE Title", "Host Name" , "port"\n"CT1", "ct1.example.org" , "104"\n',
        "\n\nAET;IP-Address;dicomPort\n\n;;\nCT1;ct1.example.org;104\n",
        "title,host,port,tls,description\nCT1,ct1.example.org,104,,\n",
        "title,host,port\nCT1,ct1.example.org,104,,\n",
        "sep=;\r\ntitle;host;port\r\nCT1;ct1.example.org;104\r\n",
        "title|host|port\nCT1|ct1.example.org|104",
    ],
)
def test_delimiters_line_ends_blanks_and_headings_in_any_case_and_order_are_read(text: str) -> None:
    assert values(text) == [CT]
    assert read(text).warnings == ()


def test_a_delimiter_within_quotes_is_part_of_the_value() -> None:
    text = 'title;description\nCT1;"a, b; ""c"""\n'
    assert values(text) == [{"title": "CT1", "description": 'a, b; "c"'}]


def test_a_row_stands_in_the_line_in_which_it_begins() -> None:
    rows = read('title,description\nA,"one\ntwo"\nB,x\n\nC,y\n').rows
    assert [str(row.location) for row in rows] == ["x.csv:2", "x.csv:4", "x.csv:6"]


def test_an_unknown_column_is_told_and_counts_for_nothing() -> None:
    sheet = read("title,VLAN,host\nCT1,7,h\n")
    assert sheet.warnings == ("x.csv: unknown column 'VLAN', ignored.",)
    assert dict(sheet.rows[0].values) == {"title": "CT1", "host": "h"}


def test_a_row_with_more_cells_than_the_heading_has_a_problem() -> None:
    (row,) = read("title,description\nCT1,first floor, left\n").rows
    assert row.problems == ("the row has 3 cells, but the first line has 2; quote cells that contain the delimiter",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.csv: the file is empty"),
        ("\n  \n", "x.csv: the file is empty"),
        ("CT1,ct1.example.org,104\n", "x.csv: the first line has no column for the AE title (CT1, ct1.exa"),
        ("title,host,AET\n", "x.csv: the columns 'title' and 'AET' have the same meaning: title"),
        ('title,x\nA,1\n"B,2\nC,3\n', "x.csv:3: a closing quotation mark is missing"),
        ('title,x\nA,"', "x.csv:2: a closing quotation mark is missing"),
        (f"title,{'x' * 200_000}\nA,1\n", "x.csv:1: not delimited text (field larger than field limit (131072))"),
        (f"title\n{'x' * 200_000}\n", "x.csv:2: not delimited text (field larger than field limit (131072))"),
    ],
)
def test_a_file_without_rows_of_this_form_is_refused(text: str, message: str) -> None:
    with pytest.raises(OnboardingError) as refused:
        read(text)
    assert str(refused.value).startswith(message)


def test_a_row_within_a_cell_that_counts_for_nothing_is_told() -> None:
    sheet = read('title,note\nA,"first\nB,"second"\nC,x\n')
    assert [row.text("title") for row in sheet.rows] == ["A", "C"]
    assert sheet.warnings[1] == (
        "x.csv:2: a cell in an ignored column has several lines; check for a missing quotation mark."
    )


def test_lines_keep_their_numbers_below_a_stated_delimiter() -> None:
    assert [str(row.location) for row in read("sep=,\ntitle\nA\n").rows] == ["x.csv:3"]


def test_rejects_keep_every_column_and_the_delimiter() -> None:
    sheet = read("title;VLAN;port\nCT1;7;x\nCT2;8;104\nCT3;;y\n")
    text = sheet.source_format.write_rejected_rows({0: "the port\nis none", 2: "no; host"}, "told nowhere")
    assert text == 'title;VLAN;port;reason\nCT1;7;x;the port is none\nCT3;;y;"no; host"\n'
    again = read(text).source_format.write_rejected_rows({1: "still"}, "")
    assert again == "title;VLAN;port;reason\nCT3;;y;still\n"


def test_extra_cells_stand_before_the_reason_and_the_row_fits_without_them() -> None:
    problem = "the row has 4 cells, but the first line has 2; quote cells that contain the delimiter"
    sheet = read("title,port\nCT1,104,extra,more,,\n")
    text = sheet.source_format.write_rejected_rows({0: problem}, "")
    assert text == f'title,port,reason\nCT1,104,extra,more,"{problem}"\n'
    again = read(text)
    assert again.rows[0].problems == (
        ("the row has 5 cells, but the first line has 3; quote cells that contain the delimiter"),
    )
    assert again.source_format.write_rejected_rows({0: problem}, "") == text
    (fixed,) = read(text.replace("extra,more,", "")).rows
    assert (dict(fixed.values), fixed.problems) == ({"title": "CT1", "port": "104"}, ())


def test_extra_cells_of_a_file_with_a_reason_column_are_kept() -> None:
    sheet = read("title,reason\nCT1,why,extra\n")
    assert sheet.source_format.write_rejected_rows({0: "new"}, "") == "title,reason\nCT1,extra,new\n"


def test_rejects_of_rejects_have_one_column_for_reasons() -> None:
    assert (
        read("reason,title\nwhy,CT1\n").source_format.write_rejected_rows({0: "new"}, "") == "title,reason\nCT1,new\n"
    )


def test_rows_are_written_below_all_columns() -> None:
    assert write_rows([CT, {"title": "A,B"}]) == (
        'title,host,port,tls,description,role,device\nCT1,ct1.example.org,104,,,,\n"A,B",,,,,,\n'
    )
