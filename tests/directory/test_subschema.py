"""The schema that a real slapd publishes."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.directory.ldap import LdapDirectory, connect
from dcmcfg.directory.subschema import read_schema
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_site_files
from dcmcfg.schema.definitions import load_bundled_schema
from tests.connecting import server_of
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd

pytestmark = pytest.mark.real


def test_what_slapd_publishes_is_what_it_was_given(directory: LdapDirectory) -> None:
    schema = read_schema(directory)
    assert schema is not None
    built_in = {"cn", "uid", "description", "userpassword", "seealso", "objectclass"}
    for ours in load_bundled_schema().attributes:
        theirs = schema.attribute(ours.oid)
        assert theirs is not None
        assert (theirs.name, theirs.syntax, theirs.equality_rule) == (ours.name, ours.syntax, ours.equality_rule)
        assert (theirs.single_valued, theirs.operational) == (ours.single_valued, False)
        assert theirs.substring_rule == ours.substring_rule or ours.name.lower() in built_in
    for known in load_bundled_schema().object_classes:
        there = schema.object_class(known.name)
        assert there is not None
        assert (there.kind, there.superiors) == (known.kind, known.superiors)
        assert (lower(there.must), lower(there.may)) == (lower(known.must), lower(known.may))
    uuid = schema.attribute("entryUUID")
    assert uuid is not None
    assert uuid.operational


def lower(names: tuple[str, ...]) -> set[str]:
    return {name.lower() for name in names}


def test_a_server_that_hides_its_schema_has_none_to_show(tmp_path: Path) -> None:
    hidden = 'access to dn.base="cn=Subschema" by * none'
    slapd = Slapd(tmp_path / "slapd", port=free_port(), root_password=PASSWORD, extra_global=hidden)
    slapd.prepare()
    slapd.load_files(list_site_files()[:1])
    with slapd, connect(server_of(RunningSlapd(slapd))) as directory:
        assert read_schema(directory) is None
