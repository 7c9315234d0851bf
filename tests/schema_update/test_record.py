"""The record of a schema update: readable by its owner only, complete or absent, and refused when it is damaged."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from dcmcfg.errors import DcmcfgError, Refused, UnknownFormat
from dcmcfg.schema.comparable import DefinitionKind, parse_definition
from dcmcfg.schema_update.record import (
    RecordedServer,
    SchemaUpdateRecord,
    UpdateState,
    find_revertible,
    find_unfinished,
    write_record,
)
from dcmcfg.upgrade.schema.configured import ConfiguredSchema, ServerSchemaEntries, make_schema_dn

URL, REPLICA = "ldap://127.0.0.1:1", "ldap://127.0.0.1:2"
MACROS = {"dcm": "1.2.3"}


def schema(text: bytes) -> ServerSchemaEntries:
    definition = parse_definition(DefinitionKind.CLASS, text, MACROS)
    entry = ConfiguredSchema(make_schema_dn(4, "dicom"), 4, "dicom", object_classes=(definition,))
    return ServerSchemaEntries((entry,), MACROS)


BEFORE = schema(b"( dcm:1 NAME 'a' SUP top )")
AFTER = schema("( dcm:1 NAME 'a' DESC 'zürich' SUP top AUXILIARY )".encode())


def write(state: Path) -> SchemaUpdateRecord:
    servers = [RecordedServer(url, BEFORE, AFTER) for url in (REPLICA, URL)]
    return write_record(state, "5.33.1", servers, data_change=7)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = write(tmp_path)
    for file in record.folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = SchemaUpdateRecord(record.folder)
    assert (again.number, again.header.data_change, again.state) == (1, 7, UpdateState.STARTED)
    assert [each.ldap_url for each in again.read_servers()] == [REPLICA, URL]
    for each in again.read_servers():
        assert [one.text for one in each.before.definitions] == [one.text for one in BEFORE.definitions]
        assert each.after.is_same(AFTER)


def test_the_newest_record_counts(tmp_path: Path) -> None:
    assert find_unfinished(tmp_path, URL) is None
    assert find_revertible(tmp_path, URL) is None
    first = write(tmp_path)
    assert find_unfinished(tmp_path, REPLICA) is not None
    first.set_state(UpdateState.FINISHED)
    assert find_unfinished(tmp_path, URL) is None
    second = write(tmp_path)
    assert second.number == 2
    unfinished, revertible = find_unfinished(tmp_path, URL), find_revertible(tmp_path, URL)
    assert unfinished is not None
    assert revertible is not None
    assert (unfinished.number, revertible.number) == (2, 2)
    second.set_state(UpdateState.REVERTED)
    revertible = find_revertible(tmp_path, URL)
    assert revertible is not None
    assert revertible.number == 1
    first.set_state(UpdateState.CONTINUED)
    assert find_revertible(tmp_path, URL) is None
    assert find_revertible(tmp_path, "ldap://127.0.0.1:3") is None


def test_damaged_and_newer_records_are_refused(tmp_path: Path) -> None:
    record = write(tmp_path)
    head = record.folder / "head.json"
    content = json.loads(head.read_text())
    head.write_text(json.dumps(content | {"format": 99}))
    with pytest.raises(UnknownFormat):
        find_unfinished(tmp_path, URL)
    for broken in ("", "{", "[]", json.dumps(content | {"state": "half"}), json.dumps({"format": 1})):
        head.write_text(broken)
        with pytest.raises(DcmcfgError, match="cannot be read; nothing was changed"):
            find_unfinished(tmp_path, URL)
    head.write_text(json.dumps(content))
    (record.folder / "before-1.ldif").unlink()
    with pytest.raises(DcmcfgError, match="cannot be read"):
        record.read_servers()
    head.chmod(0o666)
    with pytest.raises(Refused, match="everybody can write to this path"):
        find_unfinished(tmp_path, URL)


def test_a_folder_that_a_killed_process_has_left_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "schema-updates" / ".new").mkdir(parents=True, mode=0o700)
    (tmp_path / "schema-updates" / ".new" / "head.json").write_text("{")
    assert find_revertible(tmp_path, URL) is None
    assert write(tmp_path).number == 1
