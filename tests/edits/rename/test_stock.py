"""Renames on the configuration that comes with the archive: everything that is left of the old name, and why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmcfg.changes import Change, Modification, Modify, Operation, Rename
from dcmcfg.dn import RDN
from dcmcfg.edits.rename.network_ae import KeepOptions, rename_ae, rename_references
from dcmcfg.edits.rename.part import rename_device
from dcmcfg.edits.rename.renaming import Renaming
from dcmcfg.files.trees import read_ldif_tree
from dcmcfg.lint.linter import lint
from dcmcfg.model.references.index import References
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.references.rewriting import rewrite_name
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import load_bundled_schema
from tests.conftest import UPSTREAM_FILES
from tests.lint.breaking import NOW, put

#: Templates of the stock web pages, which are in a folder of the web application's name.
TEMPLATES = (
    "dcmWadoCDA2HtmlTemplateURI",
    "dcmAudit2XmlFhirTemplateURI",
    "hl7PatientUpdateTemplateURI",
    "dcmWadoSR2HtmlTemplateURI",
    "hl7PSUStudyTemplateURI",
    "hl7OutgoingPatientUpdateTemplateURI",
    "dcmAudit2JsonFhirTemplateURI",
    "hl7ImportReportTemplateURI",
    "hl7ScheduleProcedureTemplateURI",
    "dcmWadoSR2TextTemplateURI",
    "dcmUnzipVendorDataToURI",
    "hl7PSUMppsTemplateURI",
)
UPS_RULES = ("DICOM_EXPORT", "DICOM_RETRIEVE", "REQUEST_STGCMT", "SEND_IAN")
#: With each its web application for WADO, but for the worklist.
WEB_APPS = (
    "AS_RECEIVED",
    "DCM4CHEE",
    "IOCM_EXPIRED",
    "IOCM_PAT_SAFETY",
    "IOCM_QUALITY",
    "IOCM_REGULAR_USE",
    "IOCM_WRONG_MWL",
)


@pytest.fixture
def stock(upstream: Path, tmp_path: Path) -> Tree:
    for name in UPSTREAM_FILES:
        shutil.copy(upstream / "5.33.1" / name, tmp_path)
    return read_ldif_tree(tmp_path, load_bundled_schema())


def leftovers(renaming: Renaming) -> list[tuple[str, str, str]]:
    return sorted((str(each.dn.rdn), each.attribute, each.reason) for each in renaming.leftovers.items)


def test_of_the_archives_ae_only_a_template_of_issuers_is_left(stock: Tree) -> None:
    renaming = rename_ae(References(stock), "DCM4CHEE", "HOSPPACS", KeepOptions())
    assert leftovers(renaming) == [
        ("cn=SupplementIssuerOfPatientID", "dcmMergeAttribute", "a template"),
        ("cn=SupplementIssuerOfPatientIDOnMPPS", "dcmMergeAttribute", "a template"),
        ("cn=SupplementIssuerOfPatientIDOnMPPS", "dcmMergeAttribute", "a template"),
    ]
    # A coding scheme, and service classes of the archive.
    assert renaming.leftovers.longer_words == {"99DCM4CHEE": 13, "DCM4CHEE_ARC_AET": 8, "DCM4CHEE_ARC": 1}
    assert len(renaming.references) == 17
    assert holding(stock.with_changes(renaming.edit.changes), "DCM4CHEE") == 3 + 22


def test_of_the_archives_device_paths_codes_and_its_web_application_are_left(stock: Tree) -> None:
    renaming = rename_device(References(stock), "dcm4chee-arc", "hosp-arc")
    path = "a path or address"
    assert leftovers(renaming) == sorted(
        [
            *(("dicomDeviceName=hosp-arc", name, path) for name in TEMPLATES),
            ("dicomDeviceName=hosp-arc", "dicomManufacturerModelName", "free text"),
            *((f"dcmUPSProcessingRuleID={rule}", "dcmUPSPerformedStationNameCode", "a code") for rule in UPS_RULES),
            *((f"dcmWebAppName={name}", "dcmWebServicePath", path) for name in web_apps()),
            ("dcmWebAppName=dcm4chee-arc", "dcmWebServicePath", path),
            ("dcmWebAppName=dcm4chee-arc", "dcmWebAppName", "the name of a web application"),
            ("dcmWebAppName=dcm4chee-arc", "dcmWebAppName", "the name of a registered web application"),
        ]
    )
    assert renaming.leftovers.longer_words == {}
    assert {each.attribute for each in renaming.references} == {"dicomNetworkConnectionReference"}
    assert holding(stock.with_changes(renaming.edit.changes), "dcm4chee-arc") == len(renaming.leftovers.items)


def web_apps() -> Iterator[str]:
    yield from WEB_APPS
    yield from (f"{name}-WADO" for name in WEB_APPS)
    yield "WORKLIST"


def holding(tree: Tree, text: str) -> int:
    """How many values of *tree* have *text* in them, wherever."""
    return sum(text.encode() in value for e in tree.sorted_entries() for a in e.attributes for value in a.values)


def container_image(stock: Tree) -> Tree:
    """What the container image makes of AE_TITLE=HOSPPACS: two references are left to DCM4CHEE."""
    missed = ("dcmExternalRetrieveAEDestination", "dcmURI")
    changes: list[Change] = []
    for each in References(stock).find_references(EntityKind.AE, "DCM4CHEE"):
        if each.attribute not in missed:
            value = rewrite_name(each.attribute, each.value, EntityKind.AE, old="DCM4CHEE", new="HOSPPACS")
            instead = (Modification(Operation.DELETE, each.attribute, (each.value,)),)
            changes.append(Modify(each.dn, (*instead, Modification(Operation.ADD, each.attribute, (value,)))))
    for entry in stock.sorted_entries():
        kind, name = entry.dn.rdn.parts[0]
        if kind == "dicomAETitle" and name == "DCM4CHEE":
            changes.append(Rename(entry.dn, RDN.of(kind, "HOSPPACS")))
    return stock.with_changes(changes)


def test_what_the_container_image_misses_is_mended_by_the_references_alone(stock: Tree) -> None:
    tree = container_image(stock)
    assert rule_names(tree) == [
        "external-retrieve-unknown",
        "ups-destination-unknown",
        "ups-destination-unknown",
        "ups-destination-unknown",
    ]
    renaming = rename_references(References(tree), "DCM4CHEE", "HOSPPACS")
    assert sorted(each.attribute for each in renaming.references) == ["dcmExternalRetrieveAEDestination", "dcmURI"]
    # DCMQRSCP and IANSCP come with the separate sample configuration.
    assert rule_names(tree.with_changes(renaming.edit.changes)) == [
        "ups-destination-unknown",
        "ups-destination-unknown",
    ]


def test_what_the_container_image_misses_is_mended_by_a_rename_back_too(stock: Tree) -> None:
    tree = container_image(stock)
    renaming = rename_ae(References(tree), "HOSPPACS", "DCM4CHEE", KeepOptions())
    assert rule_names(tree.with_changes(renaming.edit.changes)) == [
        "ups-destination-unknown",
        "ups-destination-unknown",
    ]
    assert [each for each in renaming.edit.warnings if each.startswith("some references already contain DCM4CHEE")]


def test_what_the_container_image_misses_is_mended_by_setting_it(stock: Tree) -> None:
    tree = container_image(stock)
    archive = next(entry for entry in tree.sorted_entries() if entry.is_a("dcmArchiveDevice"))
    assert (
        rule_names(tree.with_changes([put(str(archive.dn), dcmExternalRetrieveAEDestination="HOSPPACS")]))
        == ["ups-destination-unknown"] * 3
    )


def rule_names(tree: Tree) -> list[str]:
    return sorted(each.rule.name for each in lint(tree, NOW))
