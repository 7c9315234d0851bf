"""Which definitions a server has after an upgrade of the schema, and the requests that make it so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.changes import Add, Modify, Operation
from dcmcfg.errors import Refused
from dcmcfg.schema.comparable import Definition, DefinitionKind, parse_definition
from dcmcfg.upgrade.schema.configured import (
    ConfiguredSchema,
    ServerSchemaEntries,
    make_schema_dn,
    parse_schema_entries,
)
from dcmcfg.upgrade.schema.modifies import SchemaPlan, plan_schema
from dcmcfg.upgrade.schema.release_schema import SCHEMA_NAMES, ReleaseSchema, SchemaFile
from dcmcfg.upgrade.schema.startup import find_load_problem, require_startable
from dcmcfg.upgrade.schema.usage import find_obsolete_names, find_touched_names
from dcmcfg.upgrade.schema.wanted import want_former, want_release

ATTRIBUTE, CLASS = DefinitionKind.ATTRIBUTE, DefinitionKind.CLASS
ARC = "1.2.40.0.13.1.15"
NOTHING_BUILT_IN = {kind: frozenset[str]() for kind in DefinitionKind}
SITE_ARC = "1.3.6.1.4.1.32473"
SYNTAX = "SYNTAX 1.3.6.1.4.1.1466.115.121.1.15"


def attribute(number: int | str, name: str, more: str = "") -> Definition:
    oid = number if isinstance(number, str) else f"{ARC}.{number}"
    return parse_definition(ATTRIBUTE, f"( {oid} NAME '{name}' {more} {SYNTAX} )".encode())


def a_class(number: int | str, name: str, may: str = "", sup: str = "top") -> Definition:
    oid = number if isinstance(number, str) else f"{ARC}.4.{number}"
    allowed = f"MAY ( {may} )" if may else ""
    return parse_definition(CLASS, f"( {oid} NAME '{name}' SUP {sup} AUXILIARY {allowed} )".encode())


def entries(**schemas: list[Definition]) -> ServerSchemaEntries:
    """Schema entries: the four of the archive in their order, then the others."""
    named = {name.replace("_", "-"): definitions for name, definitions in schemas.items()}
    return ServerSchemaEntries(
        tuple(
            ConfiguredSchema(
                make_schema_dn(index, name),
                index,
                name,
                attribute_types=tuple(each for each in named.get(name, []) if each.kind is ATTRIBUTE),
                object_classes=tuple(each for each in named.get(name, []) if each.kind is CLASS),
            )
            for index, name in enumerate(dict.fromkeys((*SCHEMA_NAMES, *named)))
        )
    )


def release(**files: list[Definition]) -> ReleaseSchema:
    named = {name.replace("_", "-"): tuple(definitions) for name, definitions in files.items()}
    return ReleaseSchema("9", tuple(SchemaFile(name, named.get(name, ())) for name in SCHEMA_NAMES))


def labels(schema: ServerSchemaEntries) -> dict[str, list[str]]:
    return {each.name: [one.label for kind in DefinitionKind for one in each.get(kind)] for each in schema}


def run(plan: SchemaPlan) -> ServerSchemaEntries:
    """Apply the requests of *plan* as a server does: by value, each with its position."""
    state = {each.dn: each for each in plan.before}
    for step in plan.steps:
        match step.change:
            case Add(entry):
                (added,) = parse_schema_entries([entry])
                state[entry.dn] = added
            case Modify(dn, (modification,)):
                kind = ATTRIBUTE if modification.name == "olcAttributeTypes" else CLASS
                values = [
                    (int(value[1 : value.index(b"}")]), value[value.index(b"}") + 1 :]) for value in modification.values
                ]
                current = list(state[dn].get(kind))
                if modification.operation is Operation.DELETE:
                    assert all(current[position].text == text for position, text in values)
                    gone = {position for position, _ in values}
                    current = [each for position, each in enumerate(current) if position not in gone]
                else:
                    for position, text in values:
                        current.insert(position, parse_definition(kind, text))
                state[dn] = state[dn].with_definitions(kind, current)
        now = ServerSchemaEntries(tuple(sorted(state.values(), key=lambda each: each.index)))
        assert now.is_same(step.after)
        assert find_load_problem(now, NOTHING_BUILT_IN) == ""
    return ServerSchemaEntries(tuple(sorted(state.values(), key=lambda each: each.index)))


def test_a_definition_that_only_the_site_has_stays() -> None:
    current = entries(dicom=[attribute(1, "a"), attribute(2, "own")])
    assert labels(want_release(current, release(dicom=[attribute(1, "a")])))["dicom"] == ["a", "own"]


def test_another_description_is_no_change() -> None:
    current = entries(dicom=[attribute(1, "a", "DESC 'old'")])
    plan = plan_schema(current, want_release(current, release(dicom=[attribute(1, "a", "DESC 'new'")])))
    assert plan.steps == ()


def test_a_name_with_another_oid_replaces_the_definition() -> None:
    current = entries(dicom=[attribute(1, "a")])
    wanted = want_release(current, release(dcm4che=[attribute(9, "a")]))
    assert labels(wanted) == {"dicom": [], "dcm4che": ["a"], "dcm4chee-archive": [], "dcm4chee-archive-ui": []}
    plan = plan_schema(current, wanted)
    assert run(plan).is_same(wanted)
    assert not find_obsolete_names(plan)
    assert dict(find_touched_names(plan).attributes) == {"a": "a"}


def test_an_oid_with_another_name_makes_the_old_name_obsolete() -> None:
    current = entries(dicom=[attribute(1, "old", "DESC 'x'"), a_class(1, "c", "old")])
    plan = plan_schema(current, want_release(current, release(dicom=[attribute(1, "new"), a_class(1, "c", "new")])))
    assert dict(find_obsolete_names(plan).attributes) == {"old": "old"}
    assert not find_obsolete_names(plan).classes
    assert dict(find_touched_names(plan).classes) == {"c": "c"}


def test_all_that_refers_to_a_changed_definition_goes_and_comes_again_in_its_place() -> None:
    rest = [attribute(2, "b", "SUP a"), a_class(1, "c", "b"), a_class(2, "d", sup="c")]
    own = [a_class(f"{SITE_ARC}.1", "h1"), a_class(f"{SITE_ARC}.2", "h2", "a"), a_class(f"{SITE_ARC}.3", "h3")]
    current = entries(dicom=[attribute(1, "a"), *rest], hospital=own)
    wanted = want_release(current, release(dicom=[attribute(1, "a", "SINGLE-VALUE"), *rest]))
    assert labels(wanted)["hospital"] == ["h1", "h2", "h3"]
    plan = plan_schema(current, wanted)
    modifications = [
        (str(step.change.dn.rdn), each.operation.value, len(each.values))
        for step in plan.steps
        if isinstance(step.change, Modify)
        for each in step.change.modifications
    ]
    # The classes c and d go with the attributes, and h2 with a.
    assert modifications == [
        ("cn={4}hospital", "delete", 1),
        ("cn={0}dicom", "delete", 2),
        ("cn={0}dicom", "delete", 2),
        ("cn={0}dicom", "add", 2),
        ("cn={0}dicom", "add", 2),
        ("cn={4}hospital", "add", 1),
    ]
    assert run(plan).is_same(wanted)


def test_a_definition_in_another_entry_moves() -> None:
    current = entries(dicom=[], hospital=[attribute(1, "a"), a_class(1, "c", "a")])
    wanted = want_release(current, release(dicom=[attribute(1, "a")], dcm4che=[a_class(1, "c", "a")]))
    assert labels(wanted)["hospital"] == []
    assert run(plan_schema(current, wanted)).is_same(wanted)


def test_a_missing_schema_entry_is_added() -> None:
    current = ServerSchemaEntries(
        tuple(each for each in entries(dicom=[attribute(1, "a")]) if each.name != "dcm4chee-archive-ui")
    )
    wanted = want_release(current, release(dicom=[attribute(1, "a")], dcm4chee_archive_ui=[attribute(2, "b")]))
    plan = plan_schema(current, wanted)
    assert isinstance(plan.steps[0].change, Add)
    assert labels(run(plan))["dcm4chee-archive-ui"] == ["b"]


def test_a_class_of_the_site_that_needs_a_removed_attribute_is_refused() -> None:
    current = entries(dicom=[attribute(1, "old")], hospital=[a_class(f"{SITE_ARC}.1", "h", "old")])
    with pytest.raises(Refused) as refused:
        want_release(current, release(dicom=[attribute(1, "new")]))
    assert refused.value.details == ("object class h uses old",)


@pytest.mark.parametrize("taken", [attribute(1, "name"), attribute("2.5.4.41", "other")])
def test_the_schema_of_openldap_is_never_replaced(taken: Definition) -> None:
    current = entries(dicom=[attribute(2, "a")], core=[attribute("2.5.4.41", "name")])
    with pytest.raises(Refused, match="part of OpenLDAP's own schema core"):
        want_release(current, release(dicom=[taken]))


def test_a_server_without_the_archives_schema_is_refused() -> None:
    with pytest.raises(Refused, match="none of the archive's schemas"):
        want_release(entries(core=[attribute("2.5.4.41", "name")]), release(dicom=[attribute(1, "a")]))


def test_an_undo_keeps_what_somebody_has_added_since() -> None:
    before = entries(dicom=[attribute(1, "a"), attribute(2, "b")])
    after = want_release(before, release(dicom=[attribute(1, "a", "SINGLE-VALUE"), attribute(3, "c")]))
    dicom = after.find("dicom")
    assert dicom is not None
    later = dicom.with_definitions(ATTRIBUTE, (*dicom.attribute_types, attribute(f"{SITE_ARC}.1", "later")))
    live = replace(after, entries=tuple(later if each is dicom else each for each in after))
    assert labels(want_former(live, before, after))["dicom"] == ["a", "b", "later"]
    assert run(plan_schema(live, want_former(live, before, after))).is_same(want_former(live, before, after))


@st.composite
def schema_files(draw: st.DrawFn, oids: dict[int, int]) -> dict[str, list[Definition]]:
    """Files with some of the attributes a1 … a7 under *oids*, in an order in which a server can load them."""
    files: dict[str, list[Definition]] = {name.replace("-", "_"): [] for name in SCHEMA_NAMES}
    numbers = draw(st.lists(st.sampled_from(sorted(oids)), unique=True, min_size=1))
    names: list[str] = []
    for place, number in sorted((draw(st.sampled_from(range(len(files)))), number) for number in numbers):
        file = files[list(files)[place]]
        names.append(f"a{number}")
        file.append(attribute(oids[number], names[-1], draw(st.sampled_from(["", "SINGLE-VALUE"]))))
        if draw(st.booleans()):
            allowed = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
            file.append(a_class(number, f"c{number}", " $ ".join(allowed)))
    return files


@st.composite
def sites(draw: st.DrawFn) -> tuple[ServerSchemaEntries, ReleaseSchema]:
    """A server with a class of the site, and a release with the same names and OIDs, mixed."""
    numbers = list(range(1, 8))
    old = draw(schema_files(dict(zip(numbers, numbers, strict=True))))
    new = draw(schema_files(dict(zip(numbers, draw(st.permutations(numbers)), strict=True))))
    used = next(each.label for file in old.values() for each in file if each.kind is ATTRIBUTE)
    return entries(**old, hospital=[a_class(f"{SITE_ARC}.1", "h", used)]), release(**new)


@given(sites())
def test_each_state_can_be_loaded_and_interrupted_runs_come_to_the_same_end(
    site: tuple[ServerSchemaEntries, ReleaseSchema],
) -> None:
    current, target = site
    try:
        wanted = want_release(current, target)
    except Refused:
        return
    plan = plan_schema(current, wanted)
    if find_load_problem(wanted, NOTHING_BUILT_IN):
        # A class that only the site has may need an attribute that the release defines in a later entry.
        with pytest.raises(Refused, match="would not be able to start"):
            require_startable(plan, NOTHING_BUILT_IN)
        return
    result = run(plan)
    assert result.keys == wanted.keys
    assert plan_schema(result, want_release(result, target)).steps == ()
    for step in plan.steps:
        base = want_former(step.after, current, wanted)
        assert base.keys == current.keys
        again = run(plan_schema(step.after, want_release(base, target)))
        assert again.keys == wanted.keys
        back = run(plan_schema(step.after, want_former(step.after, current, wanted)))
        assert back.is_same(current)
