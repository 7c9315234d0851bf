"""Each attribute that names a system has a kind of edge: a new row of the references cannot be forgotten."""

from __future__ import annotations

import pytest

from dcmcfg.dn import DN
from dcmcfg.model.references.attributes import SHAPES
from dcmcfg.model.references.index import Reference
from dcmcfg.model.references.kinds import EntityKind, NameUse
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.topology.edge_kinds import WITHOUT_EDGE, EdgeKind, ObjectFlow, determine_edge_kind

PEERS = (EntityKind.AE, EntityKind.WEB_APP, EntityKind.HL7_APPLICATION)
#: A value of each shape that is no bare name.
VALUES = {"dcmURI": "dicom:AET", "dcmCStoreSCUOfCMoveSCP": "AET=AET", "dcmCoercionParam": "mwl-scp=AET"}


def list_remote_references() -> list[Reference]:
    schema, found = load_bundled_schema(), []
    for lower_name, shape in SHAPES.items():
        known = schema.attribute(lower_name)
        name = known.name if known is not None else lower_name
        value = VALUES.get(name, "AET")
        for each in shape(value):
            reference = Reference(DN(), name, value.encode(), each.kind, each.use, each.text)
            if each.kind in PEERS and each.use is NameUse.REMOTE and not reference.is_ui_reference:
                found.append(reference)
    return found


@pytest.mark.parametrize("reference", list_remote_references(), ids=lambda each: each.attribute)
def test_each_name_of_another_system_makes_an_edge(reference: Reference) -> None:
    kind = determine_edge_kind(reference, is_exporter=True)
    assert (kind is None) == (reference.attribute in WITHOUT_EDGE), (
        f"add {reference.attribute} to _REMOTE_KINDS in topology/edge_kinds.py, or to WITHOUT_EDGE if it makes no edge"
    )


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("dicom:AET", EdgeKind.EXPORT),
        ("movescu:AET", EdgeKind.EXTERNAL_RETRIEVE),
        ("stgcmtscu:AET", EdgeKind.STORAGE_COMMITMENT),
        ("storage:fs2", EdgeKind.STORAGE),
        ("https://example.org", None),
    ],
)
def test_the_scheme_of_a_uri_decides(uri: str, kind: EdgeKind | None) -> None:
    reference = Reference(DN(), "dcmURI", uri.encode(), EntityKind.AE, NameUse.REMOTE, "AET")
    assert determine_edge_kind(reference, is_exporter=True) is kind


def test_the_retrieve_ae_title_is_a_peer_only_for_an_exporter() -> None:
    reference = Reference(DN(), "dcmRetrieveAET", b"AET", EntityKind.AE, NameUse.REMOTE, "AET")
    assert determine_edge_kind(reference, is_exporter=True) is EdgeKind.EXTERNAL_RETRIEVE
    assert determine_edge_kind(reference, is_exporter=False) is None


def test_retrieves_bring_objects_to_the_archive() -> None:
    assert {kind for kind in EdgeKind if kind.object_flow is ObjectFlow.TO_SOURCE} == {
        EdgeKind.EXTERNAL_RETRIEVE,
        EdgeKind.FALLBACK,
        EdgeKind.ALTERNATIVE,
        EdgeKind.PREFETCH,
    }
    assert all(kind.label for kind in EdgeKind)
