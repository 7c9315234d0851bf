"""The rules of the server's own schema agree with a real slapd that runs the schema of an older release."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from dcmcfg.changes import Add, Delete
from dcmcfg.directory.ldap import LdapDirectory, connect
from dcmcfg.directory.subschema import read_unmapped_schema
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.entry import Entry
from dcmcfg.errors import DirectoryError
from dcmcfg.lab.tree import list_site_files
from dcmcfg.plan.plan import PlanStep
from dcmcfg.plan.server_schema import ServerSchemaRules
from dcmcfg.schema.definitions import ObjectClass, Schema, load_bundled_schema
from dcmcfg.schema.slapd import format_slapd_schema
from dcmcfg.schema.structure import add_superiors
from tests.connecting import server_of
from tests.running_slapd import RunningSlapd, with_schema
from tests.sampling import LONG

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not os.environ.get("DCMCFG_RELEASES"), reason="DCMCFG_RELEASES is not set: no schema of an older release"
    ),
]
RELEASES = ("5.14.1", "5.23.0")
BASE = "dc=dcm4che,dc=org"
#: undefinedAttributeType, constraintViolation, invalidAttributeSyntax (of a class), invalidDNSyntax (by an unknown
#: attribute), objectClassViolation.
REFUSED = (17, 19, 21, 34, 65)
VALUES = {"Boolean": b"TRUE", "INTEGER": b"1", "DN": BASE.encode(), "NumericString": b"1"}
SAMPLE = 4_000 if LONG else 250


def text(release: str) -> str:
    """The release's own definitions, with the core ones that slapd.conf would include."""
    folder = Path(os.environ["DCMCFG_RELEASES"]) / release / "schema"
    files = [path.read_text("utf-8") for path in sorted(folder.glob("*.schema"), key=_loaded)]
    ours = load_bundled_schema()
    core = Schema(
        tuple(each for each in ours.attributes if not re.match(r"1\.2\.(40|840)\.", each.oid)),
        tuple(each for each in ours.object_classes if not re.match(r"1\.2\.(40|840)\.", each.oid)),
    )
    return format_slapd_schema(core) + "\n".join(files)


def _loaded(path: Path) -> int:
    return ("dicom", "dcm4che", "dcm4chee-archive", "dcm4chee-archive-ui").index(path.stem)


@contextmanager
def old_server(folder: Path, release: str) -> Iterator[LdapDirectory]:
    server = with_schema(folder, text(release))
    server.slapd.load_files(list_site_files()[:1])
    with server.slapd, connect(server_of(RunningSlapd(server.slapd))) as directory:
        yield directory


def entries(count: int) -> Iterator[Entry]:
    """Entries of a class with what it requires, and one more attribute: mostly one that the newest release allows."""
    chosen = random.Random(5)
    classes = [each for each in load_bundled_schema().object_classes if each.kind == "structural"]
    extra = [
        each
        for each in load_bundled_schema().object_classes
        if each.kind == "auxiliary" and each.name.startswith("dcm")
    ]
    for number in range(count):
        own = chosen.choice(classes)
        also = chosen.choice(extra) if chosen.random() < 0.3 else None
        allowed = [name for each in _all(own, also) for name in (*each.must, *each.may)]
        name = chosen.choice(
            allowed if allowed and chosen.random() < 0.9 else [each.name for each in load_bundled_schema().attributes]
        )
        values: dict[str, tuple[bytes, ...]] = {
            must: (_value(must),) for each in _all(own, also) for must in each.must if must != "objectClass"
        }
        known = load_bundled_schema().attribute(name)
        several = known is not None and not known.single_valued and chosen.random() < 0.2 and known.syntax != "Boolean"
        if name != "objectClass":
            values[name] = (_value(name), *((_value(name, b"2"),) if several else ()))
        values["objectClass"] = tuple(each.name.encode() for each in (own, also) if each is not None)
        yield Entry.from_values(f"cn=x{number},{BASE}", values) if "cn" in allowed else _named(own, values)


def _named(own: ObjectClass, values: dict[str, tuple[bytes, ...]]) -> Entry:
    name = next(iter(each for each in own.must if each != "objectClass"), "cn")
    return Entry.from_values(f"{name}={values.get(name, (b'x',))[0].decode()},{BASE}", values)


def _all(own: ObjectClass, also: ObjectClass | None) -> tuple[ObjectClass, ...]:
    return add_superiors(load_bundled_schema(), [each for each in (own, also) if each is not None])


def _value(name: str, other: bytes = b"1") -> bytes:
    known = load_bundled_schema().attribute(name)
    if known is not None and known.syntax == "DN" and other != b"1":
        return b"dc=org"
    return VALUES.get(known.syntax if known is not None else "", other)


@pytest.mark.parametrize("release", RELEASES)
def test_the_rules_refuse_what_slapd_refuses(tmp_path: Path, release: str) -> None:
    refused = 0
    with old_server(tmp_path / "slapd", release) as directory:
        rules = ServerSchemaRules(read_tree(directory), partial(read_unmapped_schema, directory))
        for entry in entries(SAMPLE):
            problem = rules.check_step(PlanStep(Add(entry), None, entry))
            answer = _answer(directory, entry)
            assert answer == 0 or answer in REFUSED, (answer, entry)
            assert (problem is not None) == (answer != 0), (problem, answer, entry)
            refused += answer != 0
    assert SAMPLE // 20 < refused < SAMPLE - SAMPLE // 20


def _answer(directory: LdapDirectory, entry: Entry) -> int:
    try:
        directory.apply(Add(entry))
    except DirectoryError as error:
        return error.result_code or -1
    directory.apply(Delete(entry.dn))
    return 0
