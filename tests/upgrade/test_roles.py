"""The parts of a site that play the roles of the default configuration: found by content, or asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dcmcfg.changes import Modify, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.upgrade.configuration_view import ConfigurationView
from dcmcfg.upgrade.options import UpgradeOptions
from dcmcfg.upgrade.preparation import OpenQuestion, prepare_upgrade
from dcmcfg.upgrade.roles import RoleAnswers, Roles, find_roles, name_new_web_apps
from dcmcfg.upgrade.trees import UpgradeTree
from tests.sampling import sample
from tests.trees import DEVICES, network_ae
from tests.upgrade.customised import SCHEMA, SOURCES, TARGET, TREES, Releases
from tests.upgrade.test_preparation import add

VERSION = "5.31.0"
MAIN = "DCM4CHEE"
Edit = Callable[[Any], None]


def rename(old: str, new: str, *, with_web_apps: bool = True) -> Edit:
    return lambda site: site.rename_ae(old, new, apps=with_web_apps)


def exchange(one: str, other: str) -> tuple[Edit, ...]:
    return rename(one, "TEMPORARY"), rename(other, one), rename("TEMPORARY", other)


def clone(old: str, new: str) -> Edit:
    return lambda site: site.clone_ae(old, new)


def remove(title: str) -> Edit:
    return lambda site: site.remove_ae(title)


def trim(title: str, count: int = 10) -> Edit:
    def edit(site: Any) -> None:
        for each in site.capabilities(title)[count:]:
            site.drop(each.dn)

    return edit


def move_references(releases: Releases, old: str, new: str) -> Edit:
    names = set(releases.generator.AE_VALUES) - {"dicomaetitle"}

    def edit(site: Any) -> None:
        site.rewritten(lambda dn: dn, lambda _, name, text: new if name in names and text == old else text)

    return edit


def find(releases: Releases, *edits: Edit, answers: dict[str, str] | None = None) -> Roles:
    tree = releases.customise(VERSION, *edits)
    return find_roles(
        _default(releases), ConfigurationView(UpgradeTree(SCHEMA, tree.entries)), RoleAnswers(titles=answers or {})
    )


def _default(releases: Releases, version: str = VERSION) -> ConfigurationView:
    return ConfigurationView(UpgradeTree.from_entries(SCHEMA, releases.read(version).entries))


def list_renamed(roles: Roles) -> dict[str, str]:
    return {role: title for role, title in roles.titles.items() if role != title}


def list_questions(roles: Roles) -> set[str]:
    return {each.role for each in roles.questions}


@pytest.mark.parametrize(("tree", "source"), sample([(tree, source) for tree in TREES for source in SOURCES], 0.25))
def test_customised_trees_need_no_answer_with_any_default(releases: Releases, tree: str, source: str) -> None:
    site = ConfigurationView(UpgradeTree(SCHEMA, releases.build(tree, source).entries))
    for version in (source, TARGET):
        roles = find_roles(_default(releases, version), site)
        assert roles.questions == ()
        assert list_renamed(roles) == ({MAIN: "HOSPITAL_PACS"} if tree == "renamed" else {})
        assert roles.device == ("pacs-archive" if tree == "renamed" else "dcm4chee-arc")


@pytest.mark.parametrize("other", ["AS_RECEIVED", "IOCM_REGULAR_USE"])
def test_exchanged_titles_of_different_aes_are_recognised(releases: Releases, other: str) -> None:
    roles = find(releases, *exchange(MAIN, other))
    assert list_renamed(roles) == {MAIN: other, other: MAIN}
    assert roles.questions == ()
    # Paths of web applications contain the titles.
    exchanged = {name for name in roles.web_apps if name.partition("-")[0] in (MAIN, other)}
    assert len(exchanged) == 4
    assert all(roles.web_apps[name].partition("-")[0] != name.partition("-")[0] for name in exchanged)


def test_exchanged_titles_of_similar_aes_are_asked_for(releases: Releases) -> None:
    edits = exchange("IOCM_QUALITY", "IOCM_EXPIRED")
    roles = find(releases, *edits)
    assert list_questions(roles) == {"IOCM_QUALITY", "IOCM_EXPIRED"}
    assert all(each.candidates[0][0] != each.role for each in roles.questions)

    answered = find(releases, *edits, answers={"IOCM_QUALITY": "IOCM_EXPIRED"})
    assert answered.questions == ()
    assert list_renamed(answered) == {"IOCM_QUALITY": "IOCM_EXPIRED", "IOCM_EXPIRED": "IOCM_QUALITY"}


def test_all_titles_can_be_renamed(releases: Releases) -> None:
    names = {title: f"H{number}" for number, title in enumerate(_default(releases).profiles)}
    roles = find(releases, *(rename(old, new) for old, new in names.items()))
    assert {role: roles.titles[role] for role in names} == names
    assert roles.questions == ()


def test_a_renamed_ae_keeps_its_role_when_its_web_applications_keep_their_names(releases: Releases) -> None:
    roles = find(releases, rename(MAIN, "PACS", with_web_apps=False))
    assert list_renamed(roles) == {MAIN: "PACS"}
    assert roles.web_apps[f"{MAIN}-WADO"] == f"{MAIN}-WADO"


def test_a_clone_with_the_old_title_of_a_renamed_ae_is_a_question(releases: Releases) -> None:
    edits = (rename(MAIN, "PACS"), clone("PACS", MAIN))
    assert list_questions(find(releases, *edits)) == {MAIN}

    answered = find(releases, *edits, answers={MAIN: "PACS"})
    assert answered.questions == ()
    assert list_renamed(answered) == {MAIN: "PACS"}


def test_a_removed_main_ae_is_a_question(releases: Releases) -> None:
    roles = find(releases, remove(MAIN))
    assert list_questions(roles) == {MAIN}

    answered = find(releases, remove(MAIN), answers={MAIN: "-"})
    assert answered.questions == ()
    assert MAIN in answered.removed
    assert MAIN not in answered.titles


@pytest.mark.parametrize("clones", [("TELERAD",), ("TELERAD", "RESEARCH")])
def test_a_clone_does_not_replace_a_removed_ae_unasked(releases: Releases, clones: tuple[str, ...]) -> None:
    assert list_questions(find(releases, *(clone(MAIN, each) for each in clones), remove(MAIN))) == {MAIN}


def test_a_role_that_nothing_refers_to_can_be_removed(releases: Releases) -> None:
    roles = find(releases, remove("AS_RECEIVED"), clone(MAIN, "TELERAD"))
    assert roles.questions == ()
    assert roles.removed == ("AS_RECEIVED",)


def test_references_to_a_clone_do_not_make_it_the_main_ae(releases: Releases) -> None:
    same_title = find(releases, clone(MAIN, "TELERAD"), move_references(releases, MAIN, "TELERAD"))
    assert list_renamed(same_title) == {}

    renamed = find(
        releases, rename(MAIN, "PACS"), clone("PACS", "TELERAD"), move_references(releases, "PACS", "TELERAD")
    )
    assert list_questions(renamed) == {MAIN}


def test_an_ae_with_few_capabilities_left_keeps_its_role(releases: Releases) -> None:
    assert find(releases, trim(MAIN)).titles[MAIN] == MAIN
    assert find(releases, rename(MAIN, "PACS"), trim("PACS")).titles[MAIN] == "PACS"
    assert find(releases, clone(MAIN, "FULL"), trim(MAIN)).titles[MAIN] == MAIN
    beside_clone = find(releases, rename(MAIN, "PACS"), clone("PACS", "FULL"), trim("PACS"))
    assert list_questions(beside_clone) == {MAIN}


@pytest.mark.parametrize("name", ["dcm4chee-arc", "storescp"])
def test_a_renamed_device_is_found(releases: Releases, name: str) -> None:
    roles = find(releases, lambda site: site.rename_device(name, "renamed"))
    assert roles.devices[name] == "renamed"
    assert roles.removed == ()


def test_several_archives_are_refused_until_one_is_named(releases: Releases) -> None:
    entry = Entry.from_values(
        f"dicomDeviceName=second,{DEVICES}",
        {"objectClass": ("dicomDevice", "dcmArchiveDevice"), "dicomDeviceName": "second"},
    )
    tree = UpgradeTree(SCHEMA, releases.customise(VERSION).entries)
    tree.put(entry)
    with pytest.raises(Refused, match="dcm4chee-arc, second"):
        ConfigurationView(tree)
    assert ConfigurationView(tree, "DCM4CHEE-arc").device_name == "dcm4chee-arc"
    with pytest.raises(Refused):
        ConfigurationView(tree, "third")


def test_a_tree_without_archive_or_with_two_roots_is_refused(releases: Releases) -> None:
    tree = UpgradeTree(SCHEMA, releases.customise(VERSION).entries)
    archive = ConfigurationView(tree).device
    without = tree.copy()
    del without.entries[without.key(archive.dn)]
    with pytest.raises(Refused, match="the tree has no device of an archive"):
        ConfigurationView(without)
    root = next(each for each in tree.entries.values() if each.is_a("dicomConfigurationRoot"))
    tree.put(root.with_dn(DN.parse("cn=DICOM Configuration,dc=other")))
    with pytest.raises(Refused, match="2 DICOM configuration roots"):
        ConfigurationView(tree)


def test_an_answer_must_name_an_ae_of_the_archive(releases: Releases) -> None:
    with pytest.raises(Refused, match="no AE NONE"):
        find(releases, answers={MAIN: "NONE"})


def test_two_roles_cannot_have_the_same_ae(releases: Releases) -> None:
    with pytest.raises(Refused, match="AS_RECEIVED"):
        find(releases, answers={MAIN: "AS_RECEIVED", "AS_RECEIVED": "AS_RECEIVED"})


def test_no_plan_is_made_while_a_question_is_open(releases: Releases) -> None:
    site = releases.customise(VERSION, rename(MAIN, "PACS"), clone("PACS", MAIN))
    with pytest.raises(OpenQuestion) as refusal:
        releases.upgrade(site, VERSION)
    assert refusal.value.exit_code == 2
    assert "--role DCM4CHEE=PACS" in refusal.value.next_step

    upgrade = releases.upgrade(site, VERSION, UpgradeOptions(roles={MAIN: "PACS"}))
    assert upgrade.decisions == ()


def test_a_rename_with_dcmcfg_answers_the_question(releases: Releases) -> None:
    site = releases.customise(VERSION, rename(MAIN, "PACS"), clone("PACS", MAIN))
    device = f"dicomDeviceName=dcm4chee-arc,{DEVICES}"
    steps = ((MAIN, "TEMPORARY"), ("TEMPORARY", "PACS"))
    renames = [Rename(DN.parse(f"dicomAETitle={old},{device}"), RDN.of("dicomAETitle", new)) for old, new in steps]
    present, target = releases.read(VERSION), releases.read(TARGET)
    upgrade = prepare_upgrade(site, present, target, present, renames=renames)
    assert upgrade.roles.titles[MAIN] == "PACS"
    # An AE of another device, and one that is no longer there, prove nothing.
    other = [Rename(DN.parse(f"dicomAETitle={MAIN},dicomDeviceName=ris,{DEVICES}"), RDN.of("dicomAETitle", "PACS"))]
    gone = [Rename(DN.parse(f"dicomAETitle={MAIN},{device}"), RDN.of("dicomAETitle", "GONE"))]
    for each in (other, gone):
        with pytest.raises(OpenQuestion):
            prepare_upgrade(site, present, target, present, renames=each)


def test_a_role_of_an_earlier_upgrade_answers_a_question_if_it_is_possible(releases: Releases) -> None:
    site = releases.customise(VERSION, rename(MAIN, "PACS"), clone("PACS", MAIN))
    present, target = releases.read(VERSION), releases.read(TARGET)
    earlier = {MAIN: "PACS", "UNKNOWN": "PACS", "AS_RECEIVED": "PACS"}
    upgrade = prepare_upgrade(site, present, target, present, earlier_roles=earlier)
    assert upgrade.roles.titles[MAIN] == "PACS"
    assert upgrade.options.roles == {MAIN: "PACS"}
    with pytest.raises(OpenQuestion):
        prepare_upgrade(site, present, target, present, earlier_roles={MAIN: "GONE"})


def test_an_answer_for_an_unknown_role_is_refused(releases: Releases) -> None:
    with pytest.raises(Refused, match="no AE, device or web application DCM4CHE"):
        releases.upgrade(releases.customise(VERSION), VERSION, UpgradeOptions(roles={"DCM4CHE": MAIN}))


def test_a_new_role_gets_the_title_that_the_user_chose(releases: Releases) -> None:
    upgrade = releases.upgrade(releases.customise("5.23.0"), "5.23.0", UpgradeOptions(roles={"WORKLIST": "MWL_ARC"}))
    titles = {each.text("dicomAETitle") for each in upgrade.plan.after.entries.values() if each.is_a("dicomNetworkAE")}
    assert "MWL_ARC" in titles
    assert "WORKLIST" not in titles
    apps = {each.text("dcmWebAppName") for each in upgrade.plan.after.entries.values()}
    assert ("MWL_ARC" in apps, "WORKLIST" in apps) == (True, False)


def test_a_new_role_can_be_declined(releases: Releases) -> None:
    upgrade = releases.upgrade(releases.customise("5.23.0"), "5.23.0", UpgradeOptions(roles={"WORKLIST": "-"}))
    assert not any("WORKLIST" in each.texts("dicomAETitle") for each in upgrade.plan.after.entries.values())


@pytest.mark.parametrize(
    ("old_apps", "expected"),
    [
        ({"A": "B", "A-WADO": "B-WADO"}, {"A": "B", "A-WADO": "B-WADO", "A-NEW": "B-NEW"}),
        ({"A": "A", "A-WADO": "A-WADO"}, {"A": "A", "A-WADO": "A-WADO"}),
        ({}, {"A": "B", "A-WADO": "B-WADO", "A-NEW": "B-NEW"}),
    ],
)
def test_new_web_applications_are_named_like_the_old_ones(old_apps: dict[str, str], expected: dict[str, str]) -> None:
    roles = Roles(base_dn=DN.parse("dc=org"), device="arc", devices={}, titles={"A": "B"}, web_apps=old_apps)
    assert name_new_web_apps(roles, ["A", "A-WADO", "A-NEW", "AB"]).web_apps == expected


def test_the_name_of_a_removed_web_application_can_belong_to_another_one() -> None:
    roles = Roles(
        base_dn=DN.parse("dc=org"),
        device="arc",
        devices={},
        titles={},
        web_apps={"A": "B"},
        displaced_web_apps=("B",),
    )
    mapping = roles.make_mapping(UpgradeTree(SCHEMA), DN.parse("dc=org"))
    names = {str(mapping.map_dn(DN.parse(f"dcmWebAppName={name},dc=org"))) for name in ("A", "B")}
    assert len(names) == 2
    assert "dcmWebAppName=B,dc=org" in names


def test_an_answer_can_name_a_device_or_a_web_application(releases: Releases) -> None:
    site = releases.customise(VERSION, lambda site: site.rename_device("storescp", "viewer"))
    upgrade = releases.upgrade(site, VERSION, UpgradeOptions(roles={"storescp": "viewer"}))
    assert upgrade.roles.devices["storescp"] == "viewer"
    removed = releases.upgrade(site, VERSION, UpgradeOptions(roles={"storescp": "-"}))
    assert "storescp" in removed.roles.removed
    assert not any("viewer" in str(each.dn) for each in removed.plan.changes)
    web_app = releases.upgrade(site, VERSION, UpgradeOptions(roles={"webapp:DCM4CHEE": "DCM4CHEE-WADO"}))
    assert web_app.roles.web_apps["DCM4CHEE"] == "DCM4CHEE-WADO"
    archive = releases.upgrade(site, VERSION, UpgradeOptions(roles={"dcm4chee-arc": "dcm4chee-arc"}))
    assert archive.roles.device == "dcm4chee-arc"


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"storescp": "none"}, "no device none"),
        ({"webapp:DCM4CHEE": "none"}, "no web application none"),
        ({"dcm4chee-arc": "none"}, "--archive none: this is not the device of an archive"),
        ({"device:DCM4CHEE": "-"}, "no AE, device or web application device:DCM4CHEE"),
        ({"other:DCM4CHEE": "-"}, "no AE, device or web application other:DCM4CHEE"),
        ({"DCM4CHEE": "DCM4CHEE", "AS_RECEIVED": "DCM4CHEE"}, "--role DCM4CHEE=DCM4CHEE and --role AS_RECEIVED="),
        ({"WORKLIST": "WORKLIST", "ae:WORKLIST": "-"}, "--role specifies WORKLIST twice"),
    ],
)
def test_an_answer_that_names_no_part_of_the_site_is_refused(
    releases: Releases, answers: dict[str, str], message: str
) -> None:
    with pytest.raises(Refused, match=message):
        releases.upgrade(releases.customise(VERSION), VERSION, UpgradeOptions(roles=answers))


def test_an_unknown_device_to_leave_out_is_refused(releases: Releases) -> None:
    with pytest.raises(Refused, match="no device storescpp"):
        releases.upgrade(releases.customise(VERSION), VERSION, UpgradeOptions(without=("storescpp",)))


def test_an_ae_of_the_site_with_the_title_of_a_removed_one_stays_as_it_is(releases: Releases) -> None:
    own = clone("AS_RECEIVED", "IOCM_QUALITY")
    site = releases.customise("5.29.0", remove("IOCM_QUALITY"), own)
    upgrade = releases.upgrade(site, "5.29.0", UpgradeOptions(roles={"IOCM_QUALITY": "-"}))
    assert not any("dicomAETitle=IOCM_QUALITY" in str(each.dn) for each in upgrade.plan.changes)
    assert not any(
        "\ue000" in value
        for each in upgrade.plan.after.entries.values()
        for attribute in each.attributes
        for value in each.texts(attribute.name)
    )


def test_an_ae_with_the_title_of_a_removed_one_is_a_question(releases: Releases) -> None:
    edits = (remove("IOCM_QUALITY"), rename("IOCM_WRONG_MWL", "IOCM_QUALITY"))
    (question,) = find(releases, *edits).questions
    assert (question.role, [title for title, _ in question.candidates]) == ("IOCM_QUALITY", ["IOCM_QUALITY"])
    assert "is more similar to IOCM_WRONG_MWL than to " in question.reason

    answered = find(releases, *edits, answers={"IOCM_QUALITY": "-"})
    assert (list_renamed(answered), answered.questions) == ({"IOCM_WRONG_MWL": "IOCM_QUALITY"}, ())
    assert find(releases, remove("IOCM_QUALITY")).questions == ()


def test_the_next_step_for_an_unknown_role_lists_all_kinds_of_parts(releases: Releases) -> None:
    with pytest.raises(Refused) as refusal:
        releases.upgrade(releases.customise(VERSION), VERSION, UpgradeOptions(roles={"NONE": "-"}))
    for expected in ("AEs of the default configuration: AS_RECEIVED, ", "devices of", "web applications of"):
        assert expected in refusal.value.next_step


def test_a_declined_web_application_stays_as_it_is(releases: Releases) -> None:
    site = releases.customise(VERSION)
    plain = releases.upgrade(site, VERSION)
    name = next(
        str(each.dn.rdn).partition("=")[2]
        for each in plain.plan.changes
        if isinstance(each, Modify) and str(each.dn).startswith("dcmWebAppName=")
    )
    upgrade = releases.upgrade(site, VERSION, UpgradeOptions(roles={f"webapp:{name}": "-"}))
    assert f"webapp:{name}" in upgrade.roles.removed
    assert not any(str(each.dn).startswith(f"dcmWebAppName={name},") for each in upgrade.plan.changes)
    assert not any("\ue000" in str(each) for each in upgrade.plan.after.entries)


def test_the_title_of_another_device_for_a_new_ae_is_a_decision_with_the_role(releases: Releases) -> None:
    site = add(
        releases.customise("5.23.0"),
        Entry.from_values(f"dicomDeviceName=ct,{DEVICES}", {"objectClass": "dicomDevice", "dicomDeviceName": "ct"}),
        network_ae(f"dicomDeviceName=ct,{DEVICES}", "CT1"),
    )
    upgrade = releases.upgrade(site, "5.23.0", UpgradeOptions(roles={"WORKLIST": "CT1"}))
    assert [each.reason for each in upgrade.decisions] == [
        "the site uses the AE title CT1 for another AE. To give the new AE another title: --role WORKLIST=TITLE"
    ]
