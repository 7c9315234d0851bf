"""The format number of each kind of file that dcmcfg writes for itself, and what a reader does without a known one."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.bulk.run_options import RunParameters
from dcmcfg.bulk.store import ResultStore
from dcmcfg.bulk.store_catalog import find_stores
from dcmcfg.bulk.store_file import STORE_FORMAT
from dcmcfg.bulk.study_result import AttemptResult, VerificationOutcome
from dcmcfg.dn import DN
from dcmcfg.errors import UnknownFormat
from dcmcfg.files.ldif import read_files
from dcmcfg.format_number import FORMAT_KEY, FileFormat, get_current_name, rename_keys
from dcmcfg.lab.ports import choose_ports
from dcmcfg.lab.site import SITE_FORMAT, Site, TokenRequirements
from dcmcfg.lab.state import STATE_FORMAT, LabPhase, LabState, PartState, ProcessIdentity
from dcmcfg.ldif.records import ChangeRecord
from dcmcfg.monitoring.recall_record import RECALL_FORMAT, RecallFile, RecallRecord, RecallResult
from dcmcfg.nodes.node_record import NODES_FORMAT, NodeRecorder, read_node_record
from dcmcfg.nodes.run import NodeResult
from dcmcfg.plan.ldif_output import LDIF_FORMAT, format_plan
from dcmcfg.rollout.history import History
from dcmcfg.rollout.journal import JOURNAL_FORMAT
from dcmcfg.rollout.publication import PUBLICATION_FORMAT, Publication, read_publication, write_publication
from dcmcfg.rollout.record import HEADER_FORMAT
from dcmcfg.rollout.reload_result import RELOAD_FORMAT, RecordedReload, RecordedReloadOutcome, read_reload, write_reload
from dcmcfg.rollout.shared_record import SHARED_FORMAT, make_shared_record, parse_shared_record
from dcmcfg.schema_update.record import RECORD_FORMAT, SchemaUpdateRecord, write_record
from dcmcfg.settings.profile_edits import select_profile, update_profile, write_profile
from dcmcfg.settings.profiles import (
    PROFILE_FORMAT,
    SELECTION_FORMAT,
    get_selection_path,
    read_profile,
    read_selected_profile,
)
from dcmcfg.snapshot.file import SNAPSHOT_FORMAT, Snapshot, SnapshotFacts, format_snapshot, read_snapshot
from dcmcfg.temporary.title_claims import CLAIM_FORMAT, TitleClaim, hold_claim, read_title_claims
from tests.rollout.records import plan, recorded
from tests.trees import site

RESULT = AttemptResult(
    VerificationOutcome.REPORTED,
    "reported",
    status=0,
    route_finding="not shown",
    route_reasons="no log",
    evidence_warnings="odd",
    configuration_checksum="4cd6",
)
RECALL = RecallResult(
    started="2026-11-29T20:47:06+00:00",
    duration_seconds=1.5,
    study_instance_uid="1.2.3",
    is_sent=True,
    is_successful=True,
    is_local=False,
    message="verified",
)
ASKED = RunParameters({"archive": "DCM4CHEE@127.0.0.1:11112"})


@dataclass(frozen=True)
class Kind:
    """A kind of file: *write* makes one and returns its path, *read* returns what the program takes from it.

    ``set_number`` writes another number, spelled as in a JSON object, or none (None).
    """

    file_format: FileFormat
    write: Callable[[Path], Path]
    read: Callable[[Path], object]
    set_number: Callable[[Path, str | None], None]


def _set_in_json(path: Path, number: str | None) -> None:
    number_line = re.compile(r'"format": *[^,]+, *')
    text = path.read_text()
    assert number_line.search(text)
    path.write_text(number_line.sub("" if number is None else f'"format": {number}, ', text, count=1))


def _set_in_toml(path: Path, number: str | None) -> None:
    path.write_text(_replace_line(path.read_text(), r"^format = .*\n", number, "format = {}\n"))


def _set_in_journal(path: Path, number: str | None) -> None:
    path.write_text(_replace_line(path.read_text(), r"^dcmcfg journal .*\n", number, "dcmcfg journal {}\n"))


def _set_in_ldif(path: Path, number: str | None) -> None:
    path.write_text(_replace_line(path.read_text(), r"^# dcmcfg-format: .*\n", number, "# dcmcfg-format: {}\n"))


def _set_in_snapshot(path: Path, number: str | None) -> None:
    path.write_text(_replace_line(path.read_text(), r"^# dcmcfg snapshot .*\n", number, "# dcmcfg snapshot {}\n"))


def _replace_line(text: str, pattern: str, number: str | None, line: str) -> str:
    replaced, count = re.subn(pattern, "" if number is None else line.format(number), text, count=1, flags=re.MULTILINE)
    assert count == 1
    return replaced


def _set_in_store(path: Path, number: str | None) -> None:
    """A store without a number is one of another program: format 1 is the oldest."""
    with closing(sqlite3.connect(path)) as store:
        store.execute(f"PRAGMA user_version = {1 if number is None else number}")


def _write_reload(folder: Path) -> Path:
    write_reload(folder, RecordedReload(RecordedReloadOutcome.FAILED, "HTTP 409"))
    return folder / "reload.json"


def _write_nodes(folder: Path) -> Path:
    recorder = NodeRecorder(folder)
    recorder.write_result(NodeResult(name="east", archive_url="http://east", ldap_url="ldap://pacs"))
    recorder.write_marker(DN.parse("cn=marker"), is_present=True)
    return folder / "nodes.json"


def _write_claim(folder: Path) -> Path:
    with hold_claim(folder, TitleClaim("DCMCFG_1", "ldap://pacs", "2026-11-30T20:47:06Z")):
        return folder / "temporary" / "DCMCFG_1"


def _write_site(folder: Path) -> Path:
    Site(folder, choose_ports(), TokenRequirements("https://k"), 30).save()
    return folder / "site.json"


def _write_state(folder: Path) -> Path:
    part = PartState("slapd", "ldap://127.0.0.1:1", ProcessIdentity(2, 3.5), 4.5, ready=True)
    LabState(ProcessIdentity(1, 2.5), LabPhase.ENDED, (part,), reason="it failed", failed_part="slapd").save(folder)
    return folder / "state.json"


def _write_plan(folder: Path) -> Path:
    path = folder / "plan.ldif"
    path.write_text(format_plan(plan(), comments=["dcmcfg plan for a @ ldap://pacs:389"]))
    assert "control: 1.3.6.1.1.12" in path.read_text()
    return path


def _write_snapshot(folder: Path) -> Path:
    path = folder / "site.snapshot"
    facts = SnapshotFacts(
        DN.parse("dc=dcm4che,dc=org"), taken="2026-11-30T20:47:04Z", program="dcmcfg 1", server="ldap://pacs"
    )
    path.write_text("".join(format_snapshot(Snapshot(facts, site()))), "utf-8")
    return path


def _write_store(folder: Path) -> Path:
    path = folder / "results.sqlite"
    with ResultStore.open(path, ASKED) as store:
        store.set_study_list(["1.2.3"])
        store.end_attempt(store.begin_attempt("1.2.3"), RESULT, final=True)
    return path


def _read_store(path: Path) -> object:
    with ResultStore.open(path, ASKED) as store:
        return store.read_results()


def _write_selection(_: Path) -> Path:
    write_profile("hospital", {"device": "our-arc"})
    select_profile("hospital")
    return get_selection_path()


def _write_publication(folder: Path) -> Path:
    write_publication(folder, Publication("/srv/history", "4cd6", 12))
    return folder / "shared.json"


def _write_shared_record(folder: Path) -> Path:
    path = folder / "shared"
    path.write_text(make_shared_record(recorded(folder), "adm1", 1001).to_json())
    return path


def _read_shared_record(path: Path) -> object:
    return parse_shared_record(path.read_text(), str(path))


def _write_recall(folder: Path) -> Path:
    file = RecallFile(folder, "ldap://pacs", "dcm4chee-arc", "STORESCP", "")
    file.write(RecallRecord(unfinished_since="2026-11-30T20:47:06+00:00", result=RECALL))
    return file.path


KINDS = {
    "head.json": Kind(
        HEADER_FORMAT,
        lambda folder: recorded(folder, undoes=3, left_out=1, rejects="r.ldif").folder / "head.json",
        lambda path: History(path.parents[2]).get_rollout(1).header,
        _set_in_json,
    ),
    "journal": Kind(
        JOURNAL_FORMAT,
        lambda folder: recorded(folder).folder / "journal",
        lambda path: History(path.parents[2]).get_rollout(1).read_progress(),
        _set_in_journal,
    ),
    "undo.ldif": Kind(
        LDIF_FORMAT,
        _write_plan,
        lambda path: [record.change for record in read_files([path])[0][1] if isinstance(record, ChangeRecord)],
        _set_in_ldif,
    ),
    "schema update": Kind(
        RECORD_FORMAT,
        lambda folder: write_record(folder, "5.33.1", (), data_change=None).folder / "head.json",
        lambda path: SchemaUpdateRecord(path.parent).header,
        _set_in_json,
    ),
    "nodes.json": Kind(NODES_FORMAT, _write_nodes, lambda path: read_node_record(path.parent), _set_in_json),
    "shared.json": Kind(
        PUBLICATION_FORMAT, _write_publication, lambda path: read_publication(path.parent), _set_in_json
    ),
    "shared record": Kind(SHARED_FORMAT, _write_shared_record, _read_shared_record, _set_in_json),
    "reload.json": Kind(RELOAD_FORMAT, _write_reload, lambda path: read_reload(path.parent), _set_in_json),
    "claim": Kind(CLAIM_FORMAT, _write_claim, lambda path: read_title_claims(path.parents[1]), _set_in_json),
    "site.json": Kind(SITE_FORMAT, _write_site, lambda path: Site.load(path.parent), _set_in_json),
    "state.json": Kind(STATE_FORMAT, _write_state, lambda path: LabState.load(path.parent), _set_in_json),
    "profile": Kind(
        PROFILE_FORMAT,
        lambda _: write_profile("hospital", {"device": "our-arc", "starttls": "true"}),
        lambda _: read_profile("hospital"),
        _set_in_toml,
    ),
    "recall": Kind(
        RECALL_FORMAT,
        _write_recall,
        lambda path: RecallFile(path.parents[1], "ldap://pacs", "dcm4chee-arc", "STORESCP", "").read(),
        _set_in_json,
    ),
    "selection": Kind(SELECTION_FORMAT, _write_selection, lambda _: read_selected_profile(), _set_in_toml),
    "snapshot": Kind(SNAPSHOT_FORMAT, _write_snapshot, read_snapshot, _set_in_snapshot),
    "store": Kind(STORE_FORMAT, _write_store, _read_store, _set_in_store),
}
JSON_KINDS = [name for name, kind in KINDS.items() if kind.set_number is _set_in_json]


@pytest.fixture(autouse=True)
def _own_profiles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_today_is_read(tmp_path: Path, name: str) -> None:
    kind = KINDS[name]
    path = kind.write(tmp_path)
    assert kind.read(path) is not None
    if name == "store":
        with closing(sqlite3.connect(path)) as store:
            assert store.execute("PRAGMA user_version").fetchone() == (kind.file_format.number,)
        return
    before = path.read_bytes()
    kind.set_number(path, str(kind.file_format.number))
    assert b" ".join(path.read_bytes().split()) == b" ".join(before.split()), "it has the current number"


@pytest.mark.parametrize("name", [name for name in KINDS if name not in ("snapshot", "store")])
def test_a_file_without_a_number_is_read_as_before(tmp_path: Path, name: str) -> None:
    """One with the keys of before, where they had other names."""
    kind = KINDS[name]
    path = kind.write(tmp_path)
    today = kind.read(path)
    kind.set_number(path, None)
    text = path.read_text()
    for old, new in kind.file_format.renamed_keys.get(0, {}).items():
        assert f'"{new}"' in text
        text = text.replace(f'"{new}"', f'"{old}"')
    if name == "state.json":
        text = text.replace('"started_at"', '"since"').replace('"started_after_boot_s"', '"started"')
    path.write_text(text)
    assert kind.read(path) == today


def test_the_outcome_of_a_reload_had_another_name(tmp_path: Path) -> None:
    (tmp_path / "reload.json").write_text('{"outcome": "not asked for", "what": ""}')
    not_requested = RecordedReload(RecordedReloadOutcome.NOT_REQUESTED)
    assert read_reload(tmp_path) == not_requested
    write_reload(tmp_path, not_requested)
    written = json.loads((tmp_path / "reload.json").read_text())
    assert written == {"format": 1, "outcome": "not requested", "reason": ""}
    (tmp_path / "reload.json").write_text(json.dumps(written | {"outcome": "not asked for"}))
    assert read_reload(tmp_path) is None, "format 1 has no such word"


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_a_later_program_is_refused_and_stays_as_it_is(tmp_path: Path, name: str) -> None:
    kind = KINDS[name]
    path = kind.write(tmp_path)
    later = kind.file_format.number + 1
    kind.set_number(path, str(later))
    before = path.read_bytes()
    with pytest.raises(UnknownFormat) as refused:
        kind.read(path)
    assert refused.value.subject == str(path)
    assert (
        f"has format {later}; this version of dcmcfg can read only formats up to {kind.file_format.number}"
    ) in refused.value.message
    assert "use the newer version of dcmcfg" in refused.value.next_step
    assert path.read_bytes() == before


@pytest.mark.parametrize("garbage", ['"x"', "0", "-1", "true", "1.5", '""', "[]", '"1"', '"' + "9" * 5000 + '"'])
@pytest.mark.parametrize("name", [name for name in KINDS if name != "store"])
def test_a_number_that_is_none_is_refused_and_the_file_stays_as_it_is(tmp_path: Path, name: str, garbage: str) -> None:
    kind = KINDS[name]
    path = kind.write(tmp_path)
    kind.set_number(path, garbage)
    before = path.read_bytes()
    with pytest.raises(UnknownFormat, match="not a positive integer") as refused:
        kind.read(path)
    assert refused.value.subject == str(path)
    assert len(refused.value.message) < 200
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", JSON_KINDS)
def test_null_is_not_a_number(tmp_path: Path, name: str) -> None:
    kind = KINDS[name]
    path = kind.write(tmp_path)
    kind.set_number(path, "null")
    with pytest.raises(UnknownFormat):
        kind.read(path)


@pytest.mark.parametrize("number", ["0", "-1"])
def test_a_store_without_a_sensible_version_is_refused(tmp_path: Path, number: str) -> None:
    path = _write_store(tmp_path)
    _set_in_store(path, number)
    with pytest.raises(UnknownFormat):
        _read_store(path)
    (found,) = find_stores(tmp_path)
    assert "format" in found.problem


@pytest.mark.parametrize("number", ["99", '"x"'])
def test_a_later_journal_and_profile_are_not_written_on(tmp_path: Path, number: str) -> None:
    record = recorded(tmp_path)
    _set_in_journal(record.folder / "journal", number)
    before = (record.folder / "journal").read_bytes()
    with pytest.raises(UnknownFormat), record.journal.open_for_writing():
        raise AssertionError("it was opened")
    assert (record.folder / "journal").read_bytes() == before
    profile = write_profile("hospital", {"device": "our-arc"})
    _set_in_toml(profile, number)
    before = profile.read_bytes()
    with pytest.raises(UnknownFormat):
        update_profile("hospital", "device", "other")
    assert profile.read_bytes() == before


@given(number=st.integers() | st.none() | st.text() | st.floats() | st.booleans(), known=st.integers(1, 9))
def test_only_a_known_number_passes(number: object, known: int) -> None:
    file_format = FileFormat("the file", known)
    if type(number) is int and 1 <= number <= known:
        assert file_format.require_known(number, "f") == number
        assert file_format.parse_number(str(number), "f") == number
    else:
        with pytest.raises(UnknownFormat):
            file_format.require_known(number, "f")


@given(st.text())
def test_a_spelled_number_is_one_or_is_refused(text: str) -> None:
    file_format = FileFormat("the file", 9)
    if text in tuple("123456789"):
        assert file_format.parse_number(text, "f") == int(text)
    else:
        with pytest.raises(UnknownFormat):
            file_format.parse_number(text, "f")


def test_renamed_keys_are_followed_from_the_format_of_the_file() -> None:
    renamed = {0: {"a": "b"}, 1: {"b": "c", "x": "y"}}
    assert rename_keys({"a": 1, "x": 2}, renamed, 0) == {"c": 1, "y": 2}
    assert rename_keys({"a": 1, "b": 2}, renamed, 1) == {"a": 1, "c": 2}
    assert rename_keys({"a": 1, "b": 2}, renamed, 2) == {"a": 1, "b": 2}
    assert [get_current_name("a", renamed, number) for number in (0, 1, 2)] == ["c", "a", "a"]
    assert FileFormat("f", 2, renamed).read_object({FORMAT_KEY: 1, "b": 2}, "f") == {"c": 2}
    with pytest.raises(TypeError):
        FileFormat("f", 2).read_object([], "f")


def test_the_page_lists_the_current_number_of_each_kind() -> None:
    text = (Path(__file__).parents[1] / "docs" / "reference" / "files-on-disk.md").read_text("utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.count("|") == 8]
    numbers = {row[0]: row[2] for row in rows[2:]}
    for name, kind in KINDS.items():
        (number,) = [number for file, number in numbers.items() if name in file]
        assert number == str(kind.file_format.number), name
    assert len(numbers) == len(KINDS) + 1, "and the evidence"
