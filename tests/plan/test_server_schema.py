"""What the server's own schema refuses, and when it is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DoesNotApply
from dcmcfg.files.locations import ValueLocator
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.writer import format_entry
from dcmcfg.plan.desired_state import collect_desired_changes
from dcmcfg.plan.plan import ChangesDoNotApply, DesiredChange, make_plan, plan_applicable
from dcmcfg.plan.server_schema import ServerSchemaRules, require_accepted
from dcmcfg.schema.definitions import AttributeType, ObjectClass, Schema, load_bundled_schema
from dcmcfg.schema.findings import SourceLocation
from tests.trees import ARCHIVE, STORESCP, connection, site

NAME = "dcmExternalRetrieveAEDestination"
DEVICE = "dcmArchiveDevice"


class Server:
    """A server that publishes *schema*, and how often it was asked for it."""

    def __init__(self, schema: Schema | None) -> None:
        self.schema = schema
        self.asked = 0

    def rules(self) -> ServerSchemaRules:
        return ServerSchemaRules(site(), self.read)

    def read(self) -> Schema | None:
        self.asked += 1
        return self.schema


def without(*attributes: str, class_name: str = "", classes: tuple[str, ...] = ()) -> Schema:
    """The bundled schema without *classes* and *attributes*, those only in the class *class_name* if it is given."""

    def reduced_class(known: ObjectClass) -> ObjectClass:
        if class_name not in ("", known.name):
            return known
        return replace(known, may=tuple(name for name in known.may if name not in attributes))

    ours = load_bundled_schema()
    return Schema(
        tuple(each for each in ours.attributes if class_name or each.name not in attributes),
        tuple(reduced_class(each) for each in ours.object_classes if each.name not in classes),
    )


def setting(name: str, *values: str, dn: str = ARCHIVE) -> Modify:
    return Modify(DN.parse(dn), (Modification(Operation.REPLACE, name, tuple(value.encode() for value in values)),))


def refusals(server: Server, *changes: Change) -> list[str]:
    rules = server.rules()
    found = [rules.check_step(step) for step in make_plan(site(), [DesiredChange(each) for each in changes]).steps]
    return [f"{each.result_code}: {each.message}" if each is not None else "" for each in found]


def test_what_the_tree_proves_is_not_asked_for() -> None:
    server = Server(None)
    plan = (setting("dicomInstalled", "FALSE"), Add(connection(STORESCP, name="two")), Delete(DN.parse(STORESCP)))
    assert refusals(server, *plan[:2]) == ["", ""]
    assert server.asked == 0
    assert not server.rules().is_schema_read


def test_a_new_pair_of_class_and_attribute_is_asked_for_once() -> None:
    server = Server(load_bundled_schema())
    rules = server.rules()
    plan = make_plan(
        site(), [DesiredChange(setting(NAME, "DCM4CHEE")), DesiredChange(setting("dcmWadoSpoolDirectory", "x"))]
    )
    assert [rules.check_step(step) for step in plan.steps] == [None, None]
    assert (server.asked, rules.is_schema_read) == (1, True)


@pytest.mark.parametrize(
    ("server", "change", "message"),
    [
        (without(NAME), setting(NAME, "DCM4CHEE"), f"17: the server's schema does not define the attribute {NAME}"),
        (
            without(NAME, class_name=DEVICE),
            setting(NAME, "DCM4CHEE"),
            f"65: according to the server's schema, no object class of the entry allows {NAME}",
        ),
        (
            without(classes=("dcmQueue",)),
            Add(Entry.from_values(f"dcmQueueName=Q,{ARCHIVE}", {"objectClass": "dcmQueue", "dcmQueueName": "Q"})),
            "21: the server's schema does not define the object class dcmQueue",
        ),
        (
            load_bundled_schema(),
            setting("dcmExternalRetriveAEDestination", "DCM4CHEE"),
            "17: the server's schema and the schema of dcm4chee-arc 5.35 do not define the attribute "
            f"dcmExternalRetriveAEDestination; did you mean {NAME}, dcmExternalRetrieveAET",
        ),
        (
            load_bundled_schema(),
            setting("objectClass", "dicomDevice", "dcmDevice", "dcmArchiveDevice", "dcmNowhere"),
            "21: the server's schema and the schema of dcm4chee-arc 5.35 do not define the object class dcmNowhere",
        ),
        (
            load_bundled_schema(),
            setting("dicomPort", "104"),
            "65: according to the server's schema, no object class of the entry allows dicomPort",
        ),
        (
            load_bundled_schema(),
            setting("objectClass", "dicomNetworkConnection", dn=STORESCP),
            "65: according to the server's schema, dicomNetworkConnection requires dicomHostname; according to "
            "the server's schema, no "
            "object class of the entry allows dicomDeviceName",
        ),
    ],
)
def test_what_the_server_does_not_know_or_allow_is_refused(server: Schema, change: Change, message: str) -> None:
    assert refusals(Server(server), change)[0].startswith(message)


def test_one_value_where_a_newer_schema_takes_several() -> None:
    def single(known: AttributeType) -> AttributeType:
        return replace(known, single_valued=known.single_valued or known.name == "dcmRetrieveAET")

    older = Schema(tuple(map(single, load_bundled_schema().attributes)), load_bundled_schema().object_classes)
    (message,) = refusals(Server(older), setting("dcmRetrieveAET", "A", "B"))
    assert message == "19: according to the server's schema, dcmRetrieveAET is single-valued"


def test_what_an_older_class_requires_is_asked_for_with_a_new_entry() -> None:
    def requiring(known: ObjectClass) -> ObjectClass:
        return replace(known, must=(*known.must, "dcmJndiName")) if known.name == "dcmQueue" else known

    older = Schema(load_bundled_schema().attributes, tuple(map(requiring, load_bundled_schema().object_classes)))
    queue = Entry.from_values(f"dcmQueueName=Q,{ARCHIVE}", {"objectClass": "dcmQueue", "dcmQueueName": "Q"})
    server = Server(older)
    (problem,) = (server.rules().check_step(step) for step in make_plan(site(), [DesiredChange(Add(queue))]).steps)
    assert problem is not None
    assert problem.message == "according to the server's schema, dcmQueue requires dcmJndiName"
    assert problem.next_step.startswith("load dcm4chee-archive.schema of the archive's release")


def test_a_newer_server_has_the_last_word() -> None:
    future = AttributeType("dcmFromTheFuture", "1.2.3", "DirectoryString")
    classes = tuple(
        replace(each, may=(*each.may, future.name)) if each.name == "dicomDevice" else each
        for each in load_bundled_schema().object_classes
    )
    newer = Schema((*load_bundled_schema().attributes, future), classes)
    assert refusals(Server(newer), setting("dcmFromTheFuture", "x")) == [""]


def test_a_server_that_shows_no_schema_refuses_nothing_beforehand() -> None:
    for hidden in (None, Schema(load_bundled_schema().attributes, ())):
        assert refusals(Server(hidden), setting(NAME, "X"), setting("dcmNoSuch", "x")) == ["", ""]


def test_what_was_wrong_before_is_no_reason() -> None:
    rules = ServerSchemaRules(site(**{NAME: "X"}), Server(without(NAME)).read)
    changes = (setting("dcmFallbackCMoveSCP", "X"), setting("dcmWadoSpoolDirectory", "x"))
    plan = make_plan(site(**{NAME: "X"}), [DesiredChange(each) for each in changes])
    assert [rules.check_step(step) for step in plan.steps] == [None, None]


def test_the_next_step_is_the_schema_to_load() -> None:
    rules = Server(without(NAME, "dicomDescription")).rules()
    plan = make_plan(
        site(),
        [
            DesiredChange(setting(NAME, "X"), location=SourceLocation("a.ldif", 3)),
            DesiredChange(setting("dicomDescription", "x")),
        ],
    )
    with pytest.raises(ChangesDoNotApply) as refused:
        require_accepted(plan, rules)
    first, second = refused.value.problems
    assert (first.subject, second.subject) == (f"a.ldif:3: {ARCHIVE}", ARCHIVE)
    assert first.next_step == (
        "load dcm4chee-archive.schema of the archive's release into the directory server: either run `ldapmodify -x -W "
        "-D cn=admin,cn=config -f ldap/slapd/dcm4chee-archive-modify.ldif`, or replace the file and restart slapd. "
        "Then repeat the dcmcfg command; to let the server decide: --force-server-schema"
    )
    assert second.next_step.startswith("load dicom.schema of the archive's release")


def test_what_is_refused_is_left_out_with_what_builds_on_it() -> None:
    new = Entry.from_values(
        f"cn=new,{STORESCP}", {"objectClass": ("dicomNetworkConnection", "dcmNoSuch"), "dicomHostname": "h"}
    )
    below = replace(setting("dicomPort", "104"), dn=new.dn)
    every = [
        DesiredChange(Add(new), location=SourceLocation("x", 1)),
        DesiredChange(below, location=SourceLocation("x", 2)),
        DesiredChange(setting("dicomInstalled", "FALSE"), location=SourceLocation("x", 3)),
    ]
    plan, misfits = plan_applicable(site(), every, Server(load_bundled_schema()).rules().check_step)
    assert [str(step.location) for step in plan.steps] == ["x:3"]
    assert [str(each.problem).split(": ")[0] for each in misfits] == ["x:1", "x:2"]
    assert misfits[1].problem.message == "this change depends on x:1, which cannot be applied"
    with pytest.raises(DoesNotApply):
        make_plan(site(), every, Server(load_bundled_schema()).rules().check_step)


def test_entries_below_a_refused_content_record_do_not_depend_on_it_if_the_entry_exists(tmp_path: Path) -> None:
    file = tmp_path / "export.ldif"
    text = "\n".join(map(format_entry, site().sorted_entries()))
    file.write_text(text.replace("dicomInstalled: TRUE\n", "dicomInstaled: TRUE\n", 1))
    desired = list(collect_desired_changes([(str(file), read_all([file.read_bytes()], str(file)))]))
    (line,) = [number for number, each in enumerate(file.read_text().split("\n"), 1) if "Instaled" in each]
    rules = ServerSchemaRules(site(), load_bundled_schema, ValueLocator(load_bundled_schema()).find)
    _, (misfit,) = plan_applicable(site(), desired, rules.check_step)
    assert misfit.desired.location is not None
    assert misfit.desired.location.line < line
    assert misfit.problem.subject == f"{file}:{line}: {ARCHIVE}"
    assert "do not define the attribute dicomInstaled" in misfit.problem.message


def test_an_entry_with_the_class_top_is_judged_like_any_other() -> None:
    """Some servers store it, and publish it: 389 Directory Server."""
    top = ObjectClass("top", "2.5.6.0", "abstract", superiors=())
    schema = Schema(load_bundled_schema().attributes, (*load_bundled_schema().object_classes, top))
    tree = site().with_changes([Modify(DN.parse(STORESCP), (Modification(Operation.ADD, "objectClass", (b"top",)),))])
    plan = make_plan(tree, [DesiredChange(setting("dcmFallbackCMoveSCP", "X", dn=STORESCP))])
    (problem,) = map(ServerSchemaRules(tree, Server(schema).read).check_step, plan.steps)
    assert problem is not None
    assert problem.result_code == 65


def test_a_content_rule_requires_and_allows_what_it_names_of_its_own_structural_class() -> None:
    ours = load_bundled_schema()
    device = ours.object_class("dicomDevice")
    assert device is not None
    rule = ObjectClass("deviceRule", device.oid, "auxiliary", (), must=("dicomVendorData",), may=("dicomPort",))
    derived = replace(device, name="special", oid="1.2.3", superiors=("dicomDevice",), must=(), may=())
    server = Server(Schema(ours.attributes, (*ours.object_classes, derived), (rule,)))
    assert refusals(server, setting("dicomPort", "104")) == [""]

    def new(name: str, **more: str) -> Add:
        values = {"objectClass": name, "dicomDeviceName": "new", "dicomInstalled": "TRUE"}
        return Add(Entry.from_values(STORESCP.replace("storescp", "new"), values | more))

    assert refusals(server, new("dicomDevice", dicomPort="104")) == [
        "65: according to the server's schema, deviceRule requires dicomVendorData"
    ]
    assert refusals(server, new("dicomDevice", dicomPort="104", dicomVendorData="x")) == [""]
    assert refusals(server, new("special", dicomPort="104")) == [
        "65: according to the server's schema, no object class of the entry allows dicomPort"
    ]
