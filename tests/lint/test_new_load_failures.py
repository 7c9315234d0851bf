"""What a plan makes unloadable: judged is the tree after all of its steps, against the tree before it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.lab.large_tree import generate_large_tree
from dcmcfg.lint.new_load_failures import find_new_load_failures
from dcmcfg.lint.plan_risks import PlanRisks, assess_plan_risks
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.plan.risk_checks import NewFinding
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.findings import SourceLocation
from tests.lint.breaking import put
from tests.trees import ARCHIVE, BASE, DEVICES, STORESCP, connection, network_ae, site, site_entries, tree

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REFERENCE = "dicomNetworkConnectionReference"
INTERVAL = "dcmSendPendingCMoveInterval"
CONNECTION = f"cn=dicom,{ARCHIVE}"
NEW = f"dicomDeviceName=new,{DEVICES}"
FIX = "Correct the value. `dcmcfg explain"


def plan_of(*changes: Change, before: Tree | None = None) -> Plan:
    """The plan of *changes*, of which the first stands on line 1 of ``x.ldif``, the second on line 2 and so on."""
    desired = [DesiredChange(change, location=SourceLocation("x.ldif", line)) for line, change in enumerate(changes, 1)]
    return make_plan(before or site(), desired)


def new(*changes: Change, before: Tree | None = None) -> list[NewFinding]:
    return list(find_new_load_failures(plan_of(*changes, before=before), NOW))


def summaries(*changes: Change, before: Tree | None = None) -> list[tuple[str, str, str, int | None]]:
    """Rule, entry, attribute and line of each."""
    return [
        (
            each.finding.rule.name,
            str(each.finding.dn.rdn),
            each.finding.attribute,
            each.finding.location.line if each.finding.location else None,
        )
        for each in new(*changes, before=before)
    ]


def risks(*changes: Change, before: Tree | None = None) -> PlanRisks:
    return assess_plan_risks(plan_of(*changes, before=before), NOW, device="dcm4chee-arc")


@pytest.mark.parametrize("location", [SourceLocation("aes.json", 12, ae_number=2), SourceLocation("a:b.csv", 3), None])
def test_the_location_is_that_of_a_row_too(location: SourceLocation | None) -> None:
    plan = make_plan(site(), [DesiredChange(setting(CONNECTION, "dicomPort", "70000"), location=location)])
    assert [each.finding.location for each in find_new_load_failures(plan, NOW)] == [location]


def setting(dn: str, name: str, *values: str) -> Modify:
    return Modify(DN.parse(dn), (Modification(Operation.REPLACE, name, tuple(map(str.encode, values))),))


def test_a_value_that_the_archive_cannot_read_is_new_and_placed() -> None:
    (found,) = new(setting(ARCHIVE, "dicomDescription", "x"), setting(ARCHIVE, INTERVAL, "5s"))
    assert found.finding.impact == "unloadable"
    assert str(found) == (
        f"x.ldif:2: {ARCHIVE}: {INTERVAL} '5s': {found.finding.message}. "
        f"Fix: {FIX} {INTERVAL}` shows the expected format."
    )


def test_the_tree_after_all_steps_decides() -> None:
    assert summaries(setting(ARCHIVE, INTERVAL, "5s"), setting(ARCHIVE, INTERVAL, "PT5S")) == []
    assert summaries(setting(ARCHIVE, INTERVAL, "PT5S"), setting(ARCHIVE, INTERVAL, "5s")) == [
        ("format", str(DN.parse(ARCHIVE).rdn), INTERVAL, 2)
    ]


def test_what_was_so_before_is_not_new() -> None:
    before = site(**{INTERVAL: "5s"})
    assert summaries(setting(ARCHIVE, "dicomDescription", "x"), before=before) == []
    assert summaries(setting(ARCHIVE, INTERVAL, "6s"), before=before) != []
    assert summaries(setting(ARCHIVE, INTERVAL), before=before) == []


def test_a_finding_moves_with_its_entry() -> None:
    before = site(**{INTERVAL: "5s"}).with_changes([setting(f"cn=dicom,{STORESCP}", "dicomPort", "70000")])
    renamed = Rename(DN.parse(STORESCP), RDN.of("dicomDeviceName", "new"))
    again = setting(f"dicomAETitle=STORESCP,{NEW}", REFERENCE, f"cn=dicom,{NEW}")
    assert summaries(renamed, again, setting(f"cn=dicom,{NEW}", "dcmBindAddress", "10.0.0.1"), before=before) == []


def test_one_that_is_mended_does_not_pay_for_an_equal_one_elsewhere() -> None:
    port = f"cn=dicom,{STORESCP}"
    before = site().with_changes([setting(port, "dicomPort", "70000")])
    mended = setting(port, "dicomPort", "104")
    assert summaries(mended, Add(connection(STORESCP, "70000", name="two")), before=before) == [
        ("port", "cn=two", "dicomPort", 2)
    ]
    correction = Rename(DN.parse(port), RDN.of("cn", "two"))
    reference = setting(f"dicomAETitle=STORESCP,{STORESCP}", REFERENCE, f"cn=two,{STORESCP}")
    assert summaries(correction, reference, Add(connection(STORESCP, "70000")), before=before) == [
        ("port", "cn=dicom", "dicomPort", 3)
    ]


def test_a_remote_device_counts_too() -> None:
    assert summaries(setting(f"cn=dicom,{STORESCP}", "dicomPort", "0")) == [("port", "cn=dicom", "dicomPort", 1)]


def test_what_stands_outside_all_devices_is_not_loaded() -> None:
    title = "A" * 17
    name = f"dicomAETitle={title},cn=DICOM Configuration,{BASE}"
    assert summaries(Add(Entry.from_values(name, {"objectClass": "dicomUniqueAETitle", "dicomAETitle": title}))) == []


@pytest.mark.parametrize(
    "change",
    [Delete(DN.parse(CONNECTION)), Rename(DN.parse(CONNECTION), RDN.of("cn", "other"))],
    ids=["deleted", "renamed"],
)
def test_a_connection_that_goes_leaves_references_that_are_placed_at_its_record(change: Change) -> None:
    assert sorted(summaries(setting(ARCHIVE, "dicomDescription", "x"), change)) == [
        ("required-reference", f"dicomAETitle={title}", REFERENCE, 2) for title in ("AS_RECEIVED", "DCM4CHEE")
    ]


def test_references_that_a_renamed_device_leaves_behind_are_new() -> None:
    found = summaries(Rename(DN.parse(STORESCP), RDN.of("dicomDeviceName", "new")))
    assert found == [("required-reference", "dicomAETitle=STORESCP", REFERENCE, 1)]


def test_a_device_that_moves_away_from_its_connection_does_not_load() -> None:
    """A new device takes its name, so that the reference leads to an entry, of another device."""
    again = [entry for entry in site_entries() if str(entry.dn) in (STORESCP, f"cn=dicom,{STORESCP}")]
    renamed = Rename(DN.parse(STORESCP), RDN.of("dicomDeviceName", "new"))
    assert summaries(renamed, *map(Add, again)) == [("required-reference", "dicomAETitle=STORESCP", REFERENCE, 3)]


def test_references_that_dangled_before_are_not_new_under_another_name() -> None:
    before = tree(*site_entries(), network_ae(STORESCP, "OLD", references=("none",)))
    renamed = Rename(DN.parse(STORESCP), RDN.of("dicomDeviceName", "new"))
    follows = [
        setting(f"dicomAETitle=STORESCP,{NEW}", REFERENCE, f"cn=dicom,{NEW}"),
        setting(f"dicomAETitle=OLD,{NEW}", REFERENCE, f"cn=none,{NEW}"),
    ]
    assert summaries(renamed, *follows, before=before) == []
    assert summaries(renamed, follows[0], before=before) == []


def test_a_connection_of_another_device_or_protocol_does_not_load() -> None:
    ae = f"dicomAETitle=STORESCP,{STORESCP}"
    assert summaries(setting(ae, REFERENCE, CONNECTION)) == [
        ("required-reference", "dicomAETitle=STORESCP", REFERENCE, 1)
    ]
    extended = setting(f"cn=dicom,{STORESCP}", "objectClass", "dicomNetworkConnection", "dcmNetworkConnection")
    assert summaries(setting(f"cn=dicom,{STORESCP}", "dcmProtocol", "HL7"), before=site().with_changes([extended])) == [
        ("protocol", "dicomAETitle=STORESCP", REFERENCE, 1)
    ]


def test_a_second_connection_on_the_port_stops_the_next_start() -> None:
    (found,) = new(Add(connection(ARCHIVE, name="new")))
    assert (found.finding.rule.name, found.finding.impact) == ("port-taken", "stops-next-start")
    assert str(found) == (
        f"x.ldif:1: cn=new,{ARCHIVE}: dicomPort '11112': the connection dicom also has port 11112 (addresses: "
        "localhost); port 11113 is unused in the configuration. Fix: On one of the two connections, set another port, "
        "set another dcmBindAddress, or set dicomInstalled to FALSE."
    )


def test_the_entry_that_the_plan_writes_is_named_and_the_cause_placed() -> None:
    two = connection(ARCHIVE, "11113", name="two", dicomInstalled="FALSE")
    before = tree(*site_entries(), two)
    correction = setting(CONNECTION, "dicomPort", "11113")
    installed = setting(f"cn=two,{ARCHIVE}", "dicomInstalled")
    assert summaries(correction, before=before) == []
    assert summaries(installed, correction, before=before) == [("port-taken", "cn=two", "dicomPort", 2)]
    off = before.with_changes([setting(ARCHIVE, "dicomInstalled", "FALSE"), installed, correction])
    assert summaries(setting(ARCHIVE, "dicomInstalled", "TRUE"), before=off) == [
        ("port-taken", "cn=two", "dicomPort", 1),
    ]


def test_ports_that_met_before_are_not_new_whatever_else_changes() -> None:
    before = tree(*site_entries(), connection(ARCHIVE, name="a"), connection(ARCHIVE, name="z"))
    assert summaries(setting(CONNECTION, "dcmBindAddress", "0.0.0.0"), before=before) == []
    assert summaries(setting(ARCHIVE, "dicomDescription", "x"), before=before) == []
    assert summaries(Add(connection(ARCHIVE, name="b")), before=before) == [("port-taken", "cn=b", "dicomPort", 1)]
    renamed = Rename(DN.parse(ARCHIVE), RDN.of("dicomDeviceName", "new"))
    after = {rule for rule, *_ in summaries(renamed, before=before)}
    assert after == {"required-reference"}


def test_two_that_change_their_ports_with_each_other_are_none() -> None:
    before = tree(*site_entries(), connection(ARCHIVE, "2762", name="two"))
    swap = (setting(CONNECTION, "dicomPort", "2762"), setting(f"cn=two,{ARCHIVE}", "dicomPort", "11112"))
    assert summaries(*swap, before=before) == []


def test_a_port_that_may_be_taken_is_a_warning_and_no_risk() -> None:
    found = risks(Add(connection(ARCHIVE, name="new", dicomHostname="pacs")))
    assert found.risks == ()
    (warning,) = found.warnings
    assert warning.startswith(
        f"x.ldif:1: cn=new,{ARCHIVE}: dicomPort '11112': the connection dicom also has port 11112"
    )
    assert warning.endswith("(rule: port-possibly-taken)")


def test_a_warning_that_becomes_an_error_is_new() -> None:
    before = tree(*site_entries(), connection(ARCHIVE, name="two", dicomHostname="pacs"))
    assert summaries(setting(f"cn=two,{ARCHIVE}", "dicomHostname", "localhost"), before=before) == [
        ("port-taken", "cn=two", "dicomPort", 1)
    ]
    assert summaries(setting(f"cn=two,{ARCHIVE}", "dicomHostname", "pacs2"), before=before) == []


def test_a_reference_is_one_risk_and_not_two() -> None:
    (risk,) = risks(Delete(DN.parse(CONNECTION))).risks
    assert (risk.name, risk.description) == ("unloadable", "the archive cannot load 2 settings")
    assert risk.is_accepted({"dangling-reference"})
    both = risks(Delete(DN.parse(CONNECTION)), setting(ARCHIVE, INTERVAL, "5s")).risks
    assert [(each.name, each.is_accepted({"dangling-reference"})) for each in both] == [("unloadable", False)]


def test_another_reference_that_dangles_stays_the_risk_of_that_name() -> None:
    classes = ("dicomDevice", "dcmDevice", "dcmArchiveDevice")
    related = setting(ARCHIVE, "dicomRelatedDeviceReference", f"dicomDeviceName=gone,{DEVICES}")
    assert [each.name for each in risks(setting(ARCHIVE, "objectClass", *classes), related).risks] == [
        "dangling-reference"
    ]


def test_of_a_secret_neither_value_nor_message_is_told() -> None:
    rule = Entry.from_values(
        f"cn=rule,{ARCHIVE}",
        {"objectClass": "dcmExportRule", "cn": "rule", "dcmEntity": "Series", "dcmExporterID": "X"},
    )
    secret = rule.with_values("dcmProperty", (b"password=geheim(",))
    (found,) = new(Add(secret))
    assert "geheim" not in str(found)
    assert "dcmProperty (secret): " in str(found)


def test_a_password_with_a_blank_in_a_url_is_not_told() -> None:
    exporter = Entry.from_values(
        f"dcmExporterID=x,{ARCHIVE}",
        {"objectClass": ("dcmExporter",), "dcmExporterID": ("x",), "dcmURI": ("https://joe:my secret pw@host/x",)},
    )
    found = [str(each) for each in new(Add(exporter)) if each.finding.attribute == "dcmURI"]
    assert found
    assert "secret pw" not in "".join(found)
    assert all("dcmURI (secret): " in each for each in found)


def test_settings_of_both_kinds_are_counted_together() -> None:
    (risk,) = risks(Add(connection(ARCHIVE, name="more")), setting(ARCHIVE, INTERVAL, "5s")).risks
    assert {each.finding.impact for each in risk.findings} == {"unloadable", "stops-next-start"}
    assert risk.description == (
        f"the archive cannot load {len(risk.findings)} settings, or cannot start again with these settings"
    )


def test_equal_fixes_are_told_once() -> None:
    (risk,) = risks(Delete(DN.parse(CONNECTION))).risks
    assert [" Fix: " in line for line in risk.details] == [False, True]


def test_of_many_findings_the_first_are_shown_and_all_are_counted() -> None:
    (risk,) = risks(*(Add(connection(ARCHIVE, name=f"c{n}")) for n in range(300))).risks
    assert risk.description == "because of 300 settings, the archive cannot start again"
    assert len(risk.findings) == 300
    assert (len(risk.details), risk.details[-1]) == (41, "… and 260 more")
    ports = {each.finding.message.rpartition("; port ")[2].split()[0] for each in risk.findings}
    assert ports == {str(11113 + n) for n in range(300)}


def test_a_large_tree_and_a_large_plan_are_judged() -> None:
    """No size is too large: the rules that only warn stop at 200 steps and 5,000 entries."""
    archive = [entry for entry in site_entries() if str(entry.dn).endswith(ARCHIVE)]
    before = Tree.from_entries(load_bundled_schema(), [*generate_large_tree(6_000), *archive])
    assert summaries(Add(connection(ARCHIVE, name="new")), before=before) == [("port-taken", "cn=new", "dicomPort", 1)]
    devices = [entry.dn for entry in before.sorted_entries() if entry.is_a("dicomDevice")]
    many: list[Change] = [setting(str(dn), "dicomDescription", "x") for dn in devices]
    wrong = next(entry.dn for entry in before.sorted_entries() if entry.is_a("dicomNetworkConnection"))
    assert len(many) > 200
    assert summaries(*many, setting(str(wrong), "dicomPort", "70000"), before=before) == [
        ("port", str(wrong.rdn), "dicomPort", len(many) + 1)
    ]


def test_an_empty_plan_makes_nothing_unloadable() -> None:
    assert new(setting(ARCHIVE, "dicomInstalled", "TRUE")) == []


def refused_names(*changes: Change, before: Tree | None = None) -> list[tuple[str, str]]:
    """The risks by name, each with the rules of its findings."""
    found = risks(*changes, before=before).risks
    return [(risk.name, ", ".join(each.finding.rule.name for each in risk.findings)) for risk in found]


ERD = "dcmExternalRetrieveAEDestination"
DCM4CHEE = f"dicomAETitle=DCM4CHEE,{ARCHIVE}"


@pytest.mark.parametrize(
    ("title", "rule"),
    [("NOBODY", "unknown"), ("STORESCP", "elsewhere"), ("AS_RECEIVED", "cannot-store")],
)
def test_an_ae_that_cannot_play_its_role_is_a_risk_of_the_plan_that_names_it(title: str, rule: str) -> None:
    expected = [("unusable-reference", f"external-retrieve-{rule}")]
    assert refused_names(put(ARCHIVE, **{ERD: title})) == expected
    assert refused_names(put(f"dicomAETitle=AS_RECEIVED,{ARCHIVE}", **{ERD: title})) == expected
    assert refused_names(put(ARCHIVE, dicomDescription="x"), before=site(**{ERD: title})) == []
    (found,) = new(put(ARCHIVE, **{ERD: title}))
    assert found.finding.location == SourceLocation("x.ldif", 1)


def test_an_ae_that_is_switched_off_is_no_reason_to_refuse() -> None:
    named = site(**{ERD: "DCM4CHEE"})
    assert refused_names(put(DCM4CHEE, dicomInstalled="FALSE"), before=named) == []
    assert refused_names(put(ARCHIVE, dicomDescription="x", **{ERD: "DCM4CHEE"}), before=named) == []
    assert refused_names(put(DCM4CHEE, dicomInstalled="FALSE"), put(ARCHIVE, **{ERD: "DCM4CHEE"})) == [
        ("unusable-reference", "external-retrieve-cannot-store")
    ]


def test_an_ae_that_goes_while_it_is_named_is_refused() -> None:
    named = site(**{ERD: "DCM4CHEE"})
    below = [Delete(entry.dn) for entry in named.children(DN.parse(DCM4CHEE))]
    assert refused_names(*below, Delete(DN.parse(DCM4CHEE)), before=named) == [
        ("unusable-reference", "external-retrieve-unknown")
    ]
