"""Renaming AEs: what is refused, what is kept of the old title, and what is said of those who are not in the tree."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from dcmcfg.changes import Change
from dcmcfg.dn import DN
from dcmcfg.edits.removal import remove_network_ae
from dcmcfg.edits.rename.network_ae import KeepOptions, rename_ae, rename_references
from dcmcfg.edits.rename.renaming import Renaming
from dcmcfg.entry import Entry
from dcmcfg.errors import AmbiguousName, DcmcfgError, MalformedInput, NotFound, Refused
from dcmcfg.lint.linter import lint
from dcmcfg.model.capabilities import get_sop_class_role
from dcmcfg.model.devices import Configuration
from dcmcfg.model.references.index import References
from dcmcfg.model.tree import Tree
from tests.lint.breaking import (
    ARCHIVE,
    DCM4CHEE,
    DEVICES,
    EXPORTER,
    LONGTERM,
    LONGTERM_DEVICE,
    NOW,
    REGISTRY,
    ROOT,
    RULE,
    STORAGE,
    STORESCP,
    UI,
    WEB_APP,
    ae_of,
    device,
    more,
    new,
    put,
    valid_tree,
)
from tests.trees import octets

NONE = KeepOptions()


def rename(
    old: str, title: str, keeping: KeepOptions = NONE, *, earlier: Iterable[Change] = ()
) -> tuple[Renaming, Tree]:
    tree = valid_tree().with_changes(earlier)
    renaming = rename_ae(References(tree), old, title, keeping)
    return renaming, tree.with_changes(renaming.edit.changes)


def entry(tree: Tree, dn: str) -> Entry:
    found = tree.get(DN.parse(dn))
    assert found is not None, dn
    return found


def test_the_external_archive_is_renamed_everywhere_it_is_named() -> None:
    renaming, after = rename(
        "LONGTERM", "TAPE", earlier=[more(f"dcmuiAetListName=reading,{UI}", "dcmuiAets", "LONGTERM")]
    )
    assert entry(after, EXPORTER).text("dcmURI") == "dicom:TAPE"
    assert entry(after, EXPORTER).text("dcmStgCmtSCP") == "TAPE"
    assert entry(after, ARCHIVE).texts("dcmCStoreSCUOfCMoveSCP") == ("TAPE=TAPE",)
    assert entry(after, STORAGE).texts("dcmExternalRetrieveAET") == ("TAPE",)
    assert "SendingApplicationEntityTitle!=TAPE" in entry(after, RULE).texts("dcmProperty")
    assert "TAPE" in entry(after, f"dcmuiAetListName=reading,{UI}").texts("dcmuiAets")
    assert entry(after, f"dicomAETitle=TAPE,{LONGTERM_DEVICE}").text("dicomAETitle") == "TAPE"
    assert DN.parse(f"dicomAETitle=TAPE,{REGISTRY}") in after
    assert DN.parse(f"dicomAETitle=LONGTERM,{REGISTRY}") not in after
    assert lint(after, NOW) == ()
    # The exporter of the same name is another thing, and so are the rule's name and its description.
    assert entry(after, RULE).text("dcmExporterID") == "LONGTERM"
    assert ("dcmExporterID", "the name of an exporter") in {
        (each.attribute, each.reason) for each in renaming.leftovers.items
    }
    assert ("dcmExporterID", "refers to the exporter LONGTERM") in {
        (each.attribute, each.reason) for each in renaming.leftovers.items
    }


def test_without_an_alias_it_is_said_what_becomes_of_studies_that_are_archived_there() -> None:
    renaming, _ = rename("LONGTERM", "TAPE")
    warnings = " ".join(renaming.edit.warnings)
    assert "for studies on the remote system, the archive's database contains the title LONGTERM" in warnings
    assert "To keep an AE LONGTERM for these studies: --keep-alias" in warnings


def test_a_system_that_cannot_be_an_archive_has_no_warning_about_archived_studies() -> None:
    told = "if studies were archived on the remote system, the archive's database contains the title STORESCP"

    def warns(*earlier: Change, old: str = "STORESCP") -> bool:
        return told in " ".join(rename(old, "OTHERSCP", earlier=earlier)[0].edit.warnings)

    assert not warns(), "it accepts C-STORE only, and nothing is exported to it"
    assert warns(put(DCM4CHEE, dcmFallbackCMoveSCP="STORESCP"))
    assert warns(put(STORESCP, dcmShareTransferCapabilitiesFromAETitle="NOBODY")), "its capabilities are unknown"
    no_capabilities = [*device("second"), *ae_of(f"dicomDeviceName=second,{DEVICES}", "STORESCP")[:1]]
    assert warns(*no_capabilities, old="second/STORESCP")


def test_an_alias_keeps_what_the_database_and_returning_objects_need() -> None:
    renaming, after = rename(
        "LONGTERM", "TAPE", KeepOptions(alias=True), earlier=[put(DCM4CHEE, dcmAcceptedCallingAETitle="LONGTERM")]
    )
    old, alias = (entry(after, f"dicomAETitle={title},{LONGTERM_DEVICE}") for title in ("TAPE", "LONGTERM"))
    assert alias.texts("dicomNetworkConnectionReference") == old.texts("dicomNetworkConnectionReference")
    assert {DN.parse(f"dicomAETitle={title},{REGISTRY}") in after for title in ("TAPE", "LONGTERM")} == {True}
    abilities = [
        {get_sop_class_role(each) for each in after.children(found.dn) if each.is_a("dicomTransferCapability")}
        for found in (old, alias)
    ]
    assert abilities[0] == abilities[1]
    assert len(abilities[0]) > 100
    # A purge may look for either; what comes back from either is accepted, forwarded, and not exported again.
    assert entry(after, STORAGE).texts("dcmExternalRetrieveAET") == ("LONGTERM", "TAPE")
    assert entry(after, DCM4CHEE).texts("dcmAcceptedCallingAETitle") == ("LONGTERM", "TAPE")
    assert entry(after, ARCHIVE).texts("dcmCStoreSCUOfCMoveSCP") == ("LONGTERM=LONGTERM", "TAPE=TAPE")
    assert "SendingApplicationEntityTitle!=LONGTERM|TAPE" in entry(after, RULE).texts("dcmProperty")
    # New studies go to the new title only.
    assert entry(after, EXPORTER).text("dcmURI") == "dicom:TAPE"
    assert entry(after, EXPORTER).text("dcmStgCmtSCP") == "TAPE"
    assert not any(each.severity == "error" for each in lint(after, NOW))
    assert "The archive ignores objects with another calling AE title, but still responds with success" in " ".join(
        renaming.edit.warnings
    )


def test_the_archives_ae_takes_its_web_applications_with_it() -> None:
    renaming, after = rename("DCM4CHEE", "HOSPPACS")
    app = entry(after, f"dcmWebAppName=HOSPPACS,{ARCHIVE}")
    assert app.text("dcmWebServicePath") == "/dcm4chee-arc/aets/HOSPPACS/rs"
    assert app.text("dicomAETitle") == "HOSPPACS"
    assert DN.parse(f"dcmWebAppName=HOSPPACS-WADO,{ARCHIVE}") in after
    assert DN.parse(f"dcmWebAppName=HOSPPACS,cn=Unique Web Application Names Registry,{ROOT}") in after
    assert lint(after, NOW) == ()
    warnings = " ".join(renaming.edit.warnings)
    assert (
        "the archive will reject associations to DCM4CHEE. Configure HOSPPACS in all systems that call DCM4CHEE"
        in warnings
    )
    assert "studies that the archive fetches from LONGTERM will be sent to HOSPPACS" in warnings


def test_web_applications_keep_their_names_when_asked_or_when_the_new_ones_are_taken() -> None:
    _, after = rename("DCM4CHEE", "HOSPPACS", KeepOptions(web_apps=True))
    assert entry(after, WEB_APP).text("dcmWebServicePath") == "/dcm4chee-arc/aets/HOSPPACS/rs"
    renaming, after = rename(
        "DCM4CHEE", "AS", earlier=[put(WEB_APP, dicomDescription="x"), *_web_app("AS", "WORKLIST")]
    )
    assert DN.parse(WEB_APP) in after
    assert DN.parse(f"dcmWebAppName=AS-WADO,{ARCHIVE}") in after
    assert "the web application DCM4CHEE keeps its name: the name AS is already used by another web application." in (
        renaming.edit.warnings
    )


def _web_app(name: str, title: str) -> list[Change]:
    values = {"dcmWebAppName": name, "dcmWebServiceClass": "QIDO_RS", "dcmWebServicePath": "/x", "dicomAETitle": title}
    return [new(f"dcmWebAppName={name},{ARCHIVE}", objectClass="dcmWebApp", **values)]


def test_the_old_title_can_stay_as_another_title_and_goes_when_renamed_back() -> None:
    received = more(RULE, "dcmProperty", "ReceivingApplicationEntityTitle=DCM4CHEE")
    renaming, after = rename("DCM4CHEE", "HOSPPACS", KeepOptions(other_title=True), earlier=[received])
    assert entry(after, f"dicomAETitle=HOSPPACS,{ARCHIVE}").texts("dcmOtherAETitle") == ("DCM4CHEE",)
    # Who calls the archive by its old title has objects received under that.
    assert "ReceivingApplicationEntityTitle=DCM4CHEE|HOSPPACS" in entry(after, RULE).texts("dcmProperty")
    assert "DCM4CHEE no longer works as a Move Destination (A801)" in " ".join(renaming.edit.warnings)
    reasons = {each.attribute: each.reason for each in renaming.leftovers.items}
    assert reasons["dcmOtherAETitle"] == "an additional title of an AE"
    back = rename_ae(References(after), "HOSPPACS", "DCM4CHEE", NONE)
    assert octets(after.with_changes(back.edit.changes)) == octets(valid_tree().with_changes([received]))


def test_of_two_devices_with_the_title_one_is_named_and_keeps_the_registration_of_the_other() -> None:
    twice = [*device("second"), *ae_of(f"dicomDeviceName=second,{DEVICES}", "STORESCP")[:1]]
    with pytest.raises(AmbiguousName, match="AE:STORESCP matches second/STORESCP and storescp/STORESCP"):
        rename("STORESCP", "SCP2", earlier=twice)
    renaming, after = rename("second/STORESCP", "SCP2", earlier=twice)
    assert DN.parse(f"dicomAETitle=SCP2,dicomDeviceName=second,{DEVICES}") in after
    assert DN.parse(STORESCP) in after
    assert {DN.parse(f"dicomAETitle={title},{REGISTRY}") in after for title in ("SCP2", "STORESCP")} == {True}
    # second comes first, so what names STORESCP has meant that one.
    assert any("References to this AE are changed: " in each for each in renaming.edit.warnings)
    renaming, after = rename("storescp/STORESCP", "SCP2", earlier=twice)
    assert renaming.references == ()
    assert any("References to the other AE stay as they are: " in w for w in renaming.edit.warnings)


@pytest.mark.parametrize(
    ("old", "title", "earlier", "error", "message"),
    [
        ("LONGTRM", "TAPE", [], NotFound, "no AE has the title LONGTRM — did you mean longterm/LONGTERM?"),
        ("longterm", "TAPE", [], NotFound, "no AE has the title longterm — AE titles are case-sensitive"),
        ("storescp/LONGTERM", "TAPE", [], NotFound, "the device storescp has no AE LONGTERM"),
        ("longterm/LONGTERM", "STORESCP", [], Refused, "the name STORESCP is already used by another AE"),
        ("LONGTERM", "PACS", [put(DCM4CHEE, dcmOtherAETitle="PACS")], Refused, "another AE already has the title PACS"),
        (
            "LONGTERM",
            "NEW_AET_A",
            [_[1] for _ in [ae_of(ARCHIVE, "NEW_AET_A")]],
            Refused,
            "is in the registry of unique",
        ),
        ("LONGTERM", "A" * 17, [], MalformedInput, "the title has 17 characters"),
        ("LONGTERM", " TAPE", [], MalformedInput, "starts or ends with a space"),
        ("LONGTERM", "TÄPE", [], MalformedInput, "a non-ASCII character"),
        ("LONGTERM", "TA\x07PE", [], MalformedInput, "control character"),
        ("LONGTERM", "A,B", [], Refused, "the AE name A,B contains one of"),
        ("LONGTERM", "A;B", [], Refused, "the AE name A;B contains one of"),
        ("LONGTERM", "#AB", [], Refused, "the AE name #AB contains one of"),
        ("LONGTERM", "A(B)", [], Refused, "the title A(B) contains one of"),
        ("LONGTERM", "*", [], Refused, "matches every AE title"),
        ("LONGTERM", "${env.X}", [], Refused, "as the start of a system property"),
        ("LONGTERM", "TAPE=1", [], Refused, "TAPE=1 cannot be used in dcmCStoreSCUOfCMoveSCP"),
    ],
)
def test_what_is_refused(old: str, title: str, earlier: list[Change], error: type[DcmcfgError], message: str) -> None:
    with pytest.raises(error) as refused:
        rename(old, title, earlier=earlier)
    assert message in str(refused.value)


def test_what_cannot_be_kept_is_refused_with_what_can() -> None:
    with pytest.raises(Refused, match="--keep-as-other-title"):
        rename("DCM4CHEE", "HOSPPACS", KeepOptions(alias=True))
    with pytest.raises(Refused, match="--keep-alias"):
        rename("LONGTERM", "TAPE", KeepOptions(other_title=True))


def test_the_same_title_is_nothing_to_do_and_another_case_is_another_title() -> None:
    assert rename("LONGTERM", "LONGTERM")[0].edit.changes == ()
    renaming, after = rename("LONGTERM", "Longterm")
    assert entry(after, EXPORTER).text("dcmURI") == "dicom:Longterm"
    assert len(renaming.edit.changes) > 5


def test_a_name_that_is_named_already_is_told_as_that() -> None:
    renaming, _ = rename("LONGTERM", "TAPE", earlier=[more(STORAGE, "dcmExternalRetrieveAET", "TAPE")])
    assert any(each.startswith("some references already contain TAPE") for each in renaming.edit.warnings)
    assert any(
        "dcmExternalRetrieveAET already contains TAPE, so dcmcfg only removes LONGTERM. If you later rename TAPE back, "
        "dcmExternalRetrieveAET will contain only LONGTERM." in each
        for each in renaming.edit.warnings
    )


def test_a_title_of_another_device_means_that_ae_where_the_archive_has_none_of_it() -> None:
    _, after = rename("STORESCP", "SCP2", earlier=[put(ARCHIVE, dcmExternalRetrieveAEDestination="STORESCP")])
    assert entry(after, ARCHIVE).text("dcmExternalRetrieveAEDestination") == "SCP2"


def test_a_rename_by_hand_is_finished_by_the_references_alone() -> None:
    by_hand = valid_tree().with_changes([put(EXPORTER, dcmURI="dicom:OLDTAPE", dcmStgCmtSCP="OLDTAPE")])
    with pytest.raises(
        NotFound,
        match=r"2 values refer to OLDTAPE, and LONGTERM exists. To change these references to "
        r"LONGTERM: --references-only",
    ):
        rename_ae(References(by_hand), "OLDTAPE", "LONGTERM", NONE)
    renaming = rename_references(References(by_hand), "OLDTAPE", "LONGTERM")
    assert octets(by_hand.with_changes(renaming.edit.changes)) == octets(valid_tree())
    with pytest.raises(Refused, match="the AE LONGTERM still exists"):
        rename_references(References(by_hand), "LONGTERM", "STORESCP")
    with pytest.raises(NotFound, match="there is no AE TAPE"):
        rename_references(References(by_hand), "OLDTAPE", "TAPE")
    with pytest.raises(NotFound, match="there are no dangling references to the AE NOBODY"):
        rename_references(References(by_hand), "NOBODY", "LONGTERM")


def test_patterns_that_no_name_is_told_apart_in_are_left_first_and_told() -> None:
    earlier = [
        more(RULE, "dcmProperty", "ReceivingApplicationEntityTitle=(LONGTERM(1|2)?)"),
        more(RULE, "dcmProperty", "ReceivingApplicationEntityTitle=LONG.*"),
    ]
    renaming, after = rename("LONGTERM", "TAPE", earlier=earlier)
    leftovers = [(each.value, each.reason) for each in renaming.leftovers.items[:2]]
    assert leftovers == [
        (
            b"ReceivingApplicationEntityTitle=(LONGTERM(1|2)?)",
            "a pattern: dcmcfg does not recognise names in patterns, so check whether the pattern must match TAPE",
        ),
        (b"ReceivingApplicationEntityTitle=LONG.*", "a pattern that matches LONGTERM but not TAPE"),
    ]
    assert DN.parse(LONGTERM) not in after


def test_renaming_back_to_a_kept_alias_is_refused_with_both_ways_back() -> None:
    _, after = rename("LONGTERM", "TAPE", KeepOptions(alias=True))
    with pytest.raises(Refused) as refused:
        rename_ae(References(after), "TAPE", "LONGTERM", NONE)
    assert str(refused.value) == (
        f"dicomAETitle=LONGTERM,{LONGTERM_DEVICE}: the device already has an AE LONGTERM with the same "
        "connections as TAPE; LONGTERM is probably an alias from an earlier rename with --keep-alias — to revert "
        "that rename: "
        "dcmcfg undo N (to see the number N: dcmcfg history); to remove the alias: dcmcfg ae remove longterm/LONGTERM"
    )
    (alias,) = (ae for ae in Configuration(after).network_aes() if ae.title == "LONGTERM")
    removed = after.with_changes(remove_network_ae(alias, keep_connection=False).changes)
    back = removed.with_changes(rename_ae(References(removed), "TAPE", "LONGTERM", NONE).edit.changes)
    assert octets(back) == octets(valid_tree())
