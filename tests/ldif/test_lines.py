from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.ldif.lines import LogicalLine, logical_lines


def texts(*chunks: bytes) -> list[bytes]:
    return [line.text for line in logical_lines(chunks)]


def test_a_line_that_begins_with_a_blank_continues_the_one_before() -> None:
    assert texts(b"cn: one\n  two\n three\nsn: x\n") == [b"cn: one twothree", b"sn: x"]


def test_a_folded_line_has_the_number_of_its_first_physical_line() -> None:
    lines = list(logical_lines([b"a: 1\n 2\n\n# c\n c\nb: 3\n"]))
    assert lines == [
        LogicalLine(b"a: 12", 1),
        LogicalLine(b"", 3),
        LogicalLine(b"# cc", 4),
        LogicalLine(b"b: 3", 6),
    ]


def test_crlf_ends_a_line_also_a_folded_one() -> None:
    assert texts(b"a: 1\r\n 2\r\n\r\nb: 3\r\n") == [b"a: 12", b"", b"b: 3"]


def test_crlf_cut_between_its_two_octets_is_still_one_line_ending() -> None:
    assert texts(b"a: 1\r", b"\nb: 2\r", b"\n") == [b"a: 1", b"b: 2"]


def test_a_final_carriage_return_without_its_newline_is_no_part_of_the_line() -> None:
    assert list(logical_lines([b"a: 1\r"])) == [LogicalLine(b"a: 1", 1, ended=False)]


def test_a_carriage_return_in_mid_line_stays() -> None:
    assert texts(b"a: 1\r2\n") == [b"a: 1\r2"]


def test_a_line_of_blanks_only_is_a_continuation_and_separates_nothing() -> None:
    assert texts(b"a: 1\n  \nb: 2\n") == [b"a: 1 ", b"b: 2"]


def test_a_continuation_of_nothing_keeps_its_blank() -> None:
    assert texts(b" a\n\n b\n") == [b" a", b"", b" b"]


def test_a_missing_final_newline_is_noted_on_the_last_line() -> None:
    assert list(logical_lines([b"a: 1\nb: 2"])) == [LogicalLine(b"a: 1", 1), LogicalLine(b"b: 2", 2, ended=False)]
    assert list(logical_lines([b"a: 1\n 2"])) == [LogicalLine(b"a: 12", 1, ended=False)]


def test_lines_come_before_the_source_is_read_to_its_end() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"dn: cn=a\ncn: a\n\n"

    lines = logical_lines(endless())
    assert [next(lines).text for _ in range(4)] == [b"dn: cn=a", b"cn: a", b"", b"dn: cn=a"]


def test_nothing_gives_no_lines() -> None:
    assert texts() == texts(b"") == []
