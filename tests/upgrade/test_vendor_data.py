"""The merge of the vendor data, member by member."""

from __future__ import annotations

import io
import zipfile

import pytest

from dcmcfg.upgrade import vendor_data
from dcmcfg.upgrade.vendor_data import MemberConflict, list_conflict_files, merge_vendor_data


def make_zip(**members: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return target.getvalue()


def read_zip(octets: bytes | None) -> dict[str, str]:
    assert octets is not None
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        return {each: archive.read(each).decode() for each in archive.namelist()}


def test_a_change_of_one_side_is_taken_and_own_members_stay() -> None:
    base = make_zip(same="1", release="1", site="1", gone="1")
    merged = merge_vendor_data(
        make_zip(same="1", release="1", site="2", gone="1", own="1"),
        make_zip(same="1", release="2", site="1", new="1"),
        [base],
    )
    assert read_zip(merged.merged) == {"same": "1", "release": "2", "site": "2", "own": "1", "new": "1"}
    assert (merged.new, merged.changed, merged.removed) == (("new",), ("release",), ("gone",))
    assert "site" in merged.kept
    assert merged.conflicts == ()


def test_a_member_that_both_have_changed_is_a_conflict_and_the_site_keeps_it() -> None:
    merged = merge_vendor_data(make_zip(a="site", b="1"), make_zip(a="release", b="2"), [make_zip(a="base", b="1")])
    assert merged.conflicts == (MemberConflict("a", b"base", b"site", b"release"),)
    assert read_zip(merged.merged) == {"a": "site", "b": "2"}


def test_a_member_that_the_site_removed_and_the_release_changed_is_a_conflict() -> None:
    merged = merge_vendor_data(make_zip(b="1"), make_zip(a="2", b="1"), [make_zip(a="1", b="1")])
    assert merged.conflicts == (MemberConflict("a", b"1", None, b"2"),)
    assert merged.merged is None


def test_a_member_that_the_site_removed_stays_removed() -> None:
    merged = merge_vendor_data(make_zip(b="1"), make_zip(a="1", b="2"), [make_zip(a="1", b="1")])
    assert read_zip(merged.merged) == {"b": "2"}


def test_the_member_of_any_known_release_is_unchanged() -> None:
    merged = merge_vendor_data(make_zip(a="2"), make_zip(a="3"), [make_zip(a="1"), make_zip(a="2")])
    assert read_zip(merged.merged) == {"a": "3"}
    assert merged.conflicts == ()


@pytest.mark.parametrize(("side", "text"), [("site", "site"), ("release", "release")])
def test_conflicts_are_answered_for_all_members(side: vendor_data.Side, text: str) -> None:
    merged = merge_vendor_data(
        make_zip(a="site", b="1"), make_zip(a="release", b="2"), [make_zip(a="base", b="1")], prefer=side
    )
    assert read_zip(merged.merged) == {"a": text, "b": "2"}
    assert merged.conflicts == ()


def test_the_release_does_not_remove_own_members() -> None:
    merged = merge_vendor_data(make_zip(a="1", own="1"), make_zip(a="2"), [make_zip(a="1")], prefer="release")
    assert read_zip(merged.merged) == {"a": "2", "own": "1"}


def test_the_vendor_data_of_the_release_itself_needs_no_change() -> None:
    merged = merge_vendor_data(make_zip(a="2"), make_zip(a="2"), [make_zip(a="1")])
    assert merged.merged is None
    assert merged.problem == ""


def test_the_result_is_the_same_in_every_run() -> None:
    arguments = (make_zip(a="1", b="1"), make_zip(b="2", a="2"), [make_zip(a="1", b="1")])
    assert merge_vendor_data(*arguments).merged == merge_vendor_data(*arguments).merged


@pytest.mark.parametrize(
    ("site", "release"),
    [(None, make_zip(a="1")), (make_zip(a="1"), None), (b"no zip", make_zip(a="1")), (make_zip(a="1"), b"no zip")],
)
def test_without_two_zip_files_nothing_is_done(site: bytes | None, release: bytes | None) -> None:
    merged = merge_vendor_data(site, release, [])
    assert merged.merged is None
    assert merged.problem


def test_a_zip_file_that_is_too_large_unpacked_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vendor_data, "_MAX_UNPACKED_OCTETS", 1000)
    merged = merge_vendor_data(make_zip(a="1" * 2000), make_zip(a="2"), [])
    assert merged.merged is None
    assert "20 MiB" in merged.problem


def test_a_damaged_zip_file_is_left_alone() -> None:
    whole = make_zip(**{"member.xsl": "<xsl:stylesheet/>" * 200})
    for start in range(30, len(whole) - 8, 3):
        damaged = whole[:start] + b"\xff\xff\xff" + whole[start + 3 :]
        merge_vendor_data(damaged, make_zip(a="1"), [damaged])


def test_the_versions_of_files_in_conflict_cannot_leave_their_folder() -> None:
    names = ("../a.xsl", ".b", "x/y", "x_y")
    base, site, release = (make_zip(**dict.fromkeys(names, text)) for text in "123")
    files = dict(list_conflict_files(merge_vendor_data(site, release, [base])))
    assert files["_a.xsl.site"] == b"2"
    assert {name.rpartition(".")[0] for name in files} == {"_a.xsl", "b", "x_y", "4-x_y"}
    assert len(files) == 12


def test_vendor_data_that_is_no_zip_file_is_to_be_decided() -> None:
    merge = merge_vendor_data(b"no zip", make_zip(a="1"), [])
    assert merge.needs_decision
    assert merge.merged is None
    assert not merge_vendor_data(None, make_zip(a="1"), []).needs_decision
