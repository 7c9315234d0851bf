from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dcmcfg.ldif.lines import LogicalLine, split_blocks, unfold_lines


def lines_of(*chunks: bytes) -> list[LogicalLine]:
    return [line for block in split_blocks(chunks) for line in unfold_lines(block)]


def texts(*chunks: bytes) -> list[bytes]:
    return [line.text for line in lines_of(*chunks)]


def test_a_line_that_begins_with_a_blank_continues_the_one_before() -> None:
    assert texts(b"cn: one\n  two\n three\nsn: x\n") == [b"cn: one twothree", b"sn: x"]


def test_a_folded_line_has_the_number_of_its_first_physical_line() -> None:
    assert lines_of(b"a: 1\n 2\n\n# c\n c\nb: 3\n") == [
        LogicalLine(b"a: 12", 1),
        LogicalLine(b"# cc", 4),
        LogicalLine(b"b: 3", 6),
    ]


def test_crlf_ends_a_line_also_a_folded_one() -> None:
    assert texts(b"a: 1\r\n 2\r\n\r\nb: 3\r\n") == [b"a: 12", b"", b"b: 3"]


def test_crlf_cut_between_its_two_octets_is_still_one_line_ending() -> None:
    assert texts(b"a: 1\r", b"\nb: 2\r", b"\n") == [b"a: 1", b"b: 2"]


def test_a_final_carriage_return_without_its_newline_is_no_part_of_the_line() -> None:
    assert lines_of(b"a: 1\r") == [LogicalLine(b"a: 1", 1, has_line_ending=False)]


def test_a_carriage_return_in_mid_line_stays() -> None:
    assert texts(b"a: 1\r2\n") == [b"a: 1\r2"]


def test_a_line_of_blanks_only_is_a_continuation_and_separates_nothing() -> None:
    assert texts(b"a: 1\n  \nb: 2\n") == [b"a: 1 ", b"b: 2"]


def test_a_continuation_of_nothing_keeps_its_blank() -> None:
    assert texts(b" a\n\n b\n") == [b" a", b" b"]


def test_a_missing_final_newline_is_noted_on_the_last_line() -> None:
    assert lines_of(b"a: 1\nb: 2") == [LogicalLine(b"a: 1", 1), LogicalLine(b"b: 2", 2, has_line_ending=False)]
    assert lines_of(b"a: 1\n 2") == [LogicalLine(b"a: 12", 1, has_line_ending=False)]


def test_blocks_are_numbered_by_their_first_line_however_many_empty_ones_stand_between() -> None:
    found = list(split_blocks([b"a: 1\n\nb: 2\nb: 3\n\n\n\nc: 4\n"]))
    assert [block for block in found if block[0]] == [(b"a: 1", 1, True), (b"b: 2\nb: 3", 3, True), (b"c: 4", 8, True)]


def test_an_odd_empty_line_begins_the_block_and_is_counted() -> None:
    assert list(split_blocks([b"a: 1\n\n\nb: 2\n\nc: 3\n"])) == [
        (b"a: 1", 1, True),
        (b"\nb: 2", 3, True),
        (b"c: 3", 6, True),
    ]
    assert [line.number for line in lines_of(b"a: 1\n\n\nb: 2\n")] == [1, 3, 4]


def test_a_file_is_read_in_chunks_and_not_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "many.ldif"
    file.write_bytes(b"dn: cn=a\n\n" * 50_000)
    with file.open("rb") as source:
        assert next(split_blocks(source)) == (b"dn: cn=a", 1, True)
        assert source.tell() < file.stat().st_size / 4


def test_blocks_come_before_the_source_is_read_to_its_end() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"dn: cn=a\ncn: a\n\n"

    found = split_blocks(endless())
    assert [next(found)[0] for _ in range(2)] == [b"dn: cn=a\ncn: a"] * 2


def test_a_record_larger_than_many_chunks_is_put_together_once() -> None:
    """Looking for the empty line again and again from the start would take minutes here."""
    chunks = [b"a: 1\n", *[b"x" * 100] * 100_000, b"\n", b"\r\n", b"b: 2\n"]
    first, *_ = split_blocks(chunks)
    assert len(first[0]) > 10_000_000
    assert texts(*chunks)[2:] == [b"", b"b: 2"]


def test_nothing_gives_no_lines() -> None:
    assert texts() == texts(b"") == []
