"""The configurations that come with the archive: each finding in them, with why it is right."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dcmcfg.changes import Change, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.files.trees import read_ldif_tree
from dcmcfg.lab.tree import list_site_files
from dcmcfg.lint.linter import lint
from dcmcfg.model.references.index import References
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.references.rewriting import rewrite_name
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import load_bundled_schema
from tests.conftest import UPSTREAM_FILES
from tests.lint.breaking import NOW

Summary = tuple[str, str, str]

UPS: tuple[Summary, ...] = (
    # The rules name DCMQRSCP and IANSCP, AEs of the separate sample-config.ldif. A workitem that names no destination
    # of its own fails until that is loaded too: true, and only a warning, since a workitem may name one.
    ("warning", "ups-destination-unknown", "dcmUPSProcessingRuleID=REQUEST_STGCMT"),
    ("warning", "ups-destination-unknown", "dcmUPSProcessingRuleID=SEND_IAN"),
)
EXPECTED = {
    "5.29.0": UPS,
    # Left over in 5.31.0 to 5.32.0; the maintainers removed it in 5.33.0.
    "5.31.0": (*UPS, ("warning", "registry-orphan", "dicomAETitle=NEW_AET_A")),
    "5.33.1": UPS,
}


def stock(upstream: Path, release: str, folder: Path) -> Tree:
    for name in UPSTREAM_FILES:
        shutil.copy(upstream / release / name, folder)
    return read_ldif_tree(folder, load_bundled_schema())


def summaries(tree: Tree) -> tuple[Summary, ...]:
    return tuple((each.severity, each.rule.name, str(each.dn.rdn)) for each in lint(tree, NOW))


@pytest.mark.parametrize("release", EXPECTED)
def test_each_finding_in_the_default_configuration_is_right(upstream: Path, release: str, tmp_path: Path) -> None:
    assert summaries(stock(upstream, release, tmp_path)) == EXPECTED[release]


def test_default_config_alone_says_the_same(upstream: Path) -> None:
    tree = read_ldif_tree(upstream / "5.31.0" / "default-config.ldif", load_bundled_schema())
    assert summaries(tree) == EXPECTED["5.31.0"]


def test_the_labs_own_tree_has_what_it_is_there_to_show(tmp_path: Path) -> None:
    """The lab leaves the external retrieve destination unset: setting it is what the lab is there to try."""
    for file in list_site_files():
        shutil.copy(file, tmp_path)
    tree = read_ldif_tree(tmp_path, load_bundled_schema())
    assert summaries(tree) == (("note", "external-retrieve-unset", "dicomDeviceName=dcm4chee-arc"),)


def test_the_container_image_with_another_ae_title_is_found_out(upstream: Path, tmp_path: Path) -> None:
    """Its script puts AE_TITLE everywhere but in dcmExternalRetrieveAEDestination and in movescu:DCM4CHEE."""
    tree = stock(upstream, "5.33.1", tmp_path)
    missed = ("dcmExternalRetrieveAEDestination", "dcmURI")
    references = [
        each for each in References(tree).find_references(EntityKind.AE, "DCM4CHEE") if each.attribute not in missed
    ]
    changes: list[Change] = [
        Modify(
            each.dn,
            (
                Modification(Operation.DELETE, each.attribute, (each.value,)),
                Modification(
                    Operation.ADD,
                    each.attribute,
                    (rewrite_name(each.attribute, each.value, EntityKind.AE, old="DCM4CHEE", new="HOSPPACS"),),
                ),
            ),
        )
        for each in references
    ]
    names = [
        entry.dn
        for entry in tree.sorted_entries()
        if entry.is_a("dicomUniqueAETitle") or entry.is_a("dicomNetworkAE")
        if entry.text("dicomAETitle") == "DCM4CHEE"
    ]
    changes += [Rename(dn, RDN.of("dicomAETitle", "HOSPPACS")) for dn in names]
    found = [(each.severity, each.rule.name, each.fix_command) for each in lint(tree.with_changes(changes), NOW)]
    assert len(names) == 2
    assert found == [
        ("error", "external-retrieve-unknown", ("set-external-retrieve", "HOSPPACS")),
        ("warning", "ups-destination-unknown", ("ae", "rename", "DCM4CHEE", "HOSPPACS", "--references-only")),
        *[
            ("warning", "ups-destination-unknown", ("ae", "add", f"{title}@HOST:PORT"))
            for title in ("DCMQRSCP", "IANSCP")
        ],
    ]


def test_every_name_in_the_default_configuration_is_known_to_the_map(upstream: Path, tmp_path: Path) -> None:
    """No value anywhere says DCM4CHEE that is neither a reference, nor names an entry, nor is listed here."""
    tree = stock(upstream, "5.33.1", tmp_path)
    references = {(each.dn, each.attribute, each.value) for each in References(tree).all}
    unlisted = {
        (str(entry.dn.rdn), attribute.name, value.decode())
        for entry in tree.sorted_entries()
        for attribute in entry.attributes
        for value in attribute.values
        if b"DCM4CHEE" in value
        and (entry.dn, attribute.name, value) not in references
        and value.decode() not in {part for _, part in entry.dn.rdn.parts}
    }
    explained = {each for each in unlisted if _explained(*each)}
    assert unlisted == explained


def _explained(_rdn: str, attribute: str, value: str) -> bool:
    """Coding scheme designators, service classes, generated issuers and descriptions name no AE."""
    if attribute == "dcmWebServiceClass" or "99DCM4CHEE" in value:
        return True
    return attribute in ("dcmMergeAttribute", "dicomDescription")


def test_the_dns_of_the_default_configuration_are_references(upstream: Path, tmp_path: Path) -> None:
    references = References(stock(upstream, "5.33.1", tmp_path))
    found = [each for each in references.all if each.kind is EntityKind.ENTRY]
    assert len(found) > 20
    assert all(DN.parse(each.name) and references.resolve(each) is not None for each in found)
