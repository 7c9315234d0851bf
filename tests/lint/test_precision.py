"""What looks like a breach and is none, and what is one although it does not look like it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from dcmcfg.changes import Add, Change, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.edits.rename.network_ae import rename_references
from dcmcfg.lint.catalogue import RULES_BY_NAME
from dcmcfg.lint.linter import lint
from dcmcfg.model.references.index import References
from dcmcfg.model.tree import Tree
from tests.lint.breaking import (
    ARCHIVE,
    AS_RECEIVED,
    BASE,
    CT,
    DCM4CHEE,
    DEVICES,
    EXPORTER,
    LONGTERM,
    LONGTERM_DEVICE,
    NOW,
    REFERENCE,
    RULE,
    STORAGE,
    STORESCP,
    STORESCP_DEVICE,
    WORKLIST,
    device,
    more,
    new,
    put,
    valid_tree,
    without_capabilities,
)
from tests.lint.certificates import certificate
from tests.trees import network_ae

TLS = "TLS_RSA_WITH_AES_128_CBC_SHA"


def messages(rule: str, changes: Iterable[Change]) -> list[str]:
    return [each.message for each in lint(valid_tree().with_changes(changes), NOW, [RULES_BY_NAME[rule]])]


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        # An association for another title of the AE is accepted; it is not looked up.
        (
            "external-retrieve-unknown",
            [put(DCM4CHEE, dcmOtherAETitle="PACS"), put(ARCHIVE, dcmExternalRetrieveAEDestination="PACS")],
        ),
        # The AE * accepts any title.
        (
            "external-retrieve-unknown",
            [Add(network_ae(ARCHIVE, "*")), put(ARCHIVE, dcmExternalRetrieveAEDestination="PACS")],
        ),
        ("registry-missing", [Add(network_ae(ARCHIVE, "*"))]),
        ("external-retrieve-caller-refused", [put(DCM4CHEE, dcmAcceptedCallingAETitle=("CT1", "LONGTERM"))]),
        (
            "external-retrieve-cannot-store",
            [put(DCM4CHEE, dcmObjectStorageID=()), put(ARCHIVE, dcmObjectStorageID="fs1")],
        ),
        # Whoever calls need not be in the tree.
        ("remote-ae-unknown", [put(DCM4CHEE, dcmAcceptedCallingAETitle="GONE")]),
        ("remote-ae-unknown", [put(DCM4CHEE, dcmLimitAssociationsInitiatedBy="GONE=2")]),
        # What is only told to others need not be in the tree either.
        ("external-archive-unknown", [put(STORAGE, dcmRetrieveAET="CLUSTER")]),
        ("condition-on-unknown-ae", [more(RULE, "dcmProperty", "SendingApplicationEntityTitle=GONE")]),
        ("condition-on-unknown-ae", [more(RULE, "dcmProperty", "ReceivingApplicationEntityTitle=(DCM4CHEE|GO.*)")]),
        ("condition-on-unknown-ae", [more(RULE, "dcmProperty", "ReceivingApplicationEntityTitle!=GONE")]),
        # The condition lets the external archive out by a pattern, or lets in others only.
        ("export-loop", [put(RULE, dcmProperty="SendingApplicationEntityTitle!=LONG.*|CT1")]),
        ("export-loop", [put(RULE, dcmProperty="SendingApplicationEntityTitle=CT[0-9]+")]),
        # A copy on another storage is asked for instead.
        ("purge-without-copy", [put(STORAGE, dcmExternalRetrieveAET=(), dcmExportStorageID="fs2")]),
        ("purge-without-copy", [put(STORAGE, dcmExternalRetrieveAET=(), dcmStorageDuration="PERMANENT")]),
        ("external-storage-not-cache", [put(STORAGE, dcmExternalRetrieveAET=(), dcmStorageDuration=())]),
        # Both have TLS, by another connection than the first.
        ("tls-mismatch", [put(f"cn=dicom,{LONGTERM_DEVICE}", dicomTLSCipherSuite=TLS)]),
        ("tls-ciphers", [put(f"cn=dicom,{LONGTERM_DEVICE}", dicomTLSCipherSuite=TLS)]),
        # The lab is on one machine.
        ("loopback-address", [put(f"cn=dicom,{ARCHIVE}", dicomHostname="127.0.0.1")]),
        # The archive finds the container by its DN. One name has two spellings.
        ("name-not-in-dn", [more(DEVICES, "cn", "More devices")]),
        ("name-not-in-dn", [put(RULE, cn="export TO longterm")]),
        # Nobody calls it.
        ("ae-not-installed", [put(STORESCP_DEVICE, dicomInstalled="FALSE")]),
        ("peer-without-port", [put(f"cn=dicom,{STORESCP_DEVICE}", dicomPort=())]),
        # Case is no difference in what the archive compares as text.
        ("connection-spelling", [put(STORESCP, **{REFERENCE: f"CN=dicom,dicomdevicename=STORESCP,{DEVICES}"})]),
        # Without any capability everything is sent.
        ("incomplete-scp-capabilities", without_capabilities(STORESCP)),
        ("no-storage-scu", [*without_capabilities(WORKLIST)]),
        (
            "archive-ae-without-capabilities",
            [*without_capabilities(WORKLIST), put(WORKLIST, dcmShareTransferCapabilitiesFromAETitle="AS_RECEIVED")],
        ),
        (
            "no-storage-scu",
            [
                *without_capabilities(DCM4CHEE, "SCU"),
                put(DCM4CHEE, dcmShareTransferCapabilitiesFromAETitle="AS_RECEIVED"),
            ],
        ),
        (
            "fallback-without-destination",
            [
                put(DCM4CHEE, dcmFallbackCMoveSCP="LONGTERM"),
                put(ARCHIVE, dcmFallbackCMoveSCPDestination="DCM4CHEE"),
            ],
        ),
        ("fallback-retries", [put(ARCHIVE, dcmFallbackCMoveSCPRetries="3")]),
    ],
)
def test_this_is_no_breach(rule: str, changes: Iterable[Change]) -> None:
    assert messages(rule, changes) == []


def test_a_peer_of_another_archive_is_not_this_ones_business() -> None:
    other = f"dicomDeviceName=remote,{DEVICES}"
    exporter = new(
        f"dcmExporterID=X,{other}", objectClass="dcmExporter", dcmExporterID="X", dcmURI="dicom:GONE", dcmQueueName="Q"
    )
    assert messages("exporter-destination-unknown", [*device("remote"), exporter]) == []


def test_an_ae_of_a_device_that_is_off_is_told_once_with_all_that_name_it() -> None:
    (message,) = messages("ae-not-installed", [put(LONGTERM, dicomInstalled="FALSE")])
    assert message == (
        "because of this value, dcm4chee-arc does not find the AE LONGTERM, although this AE is used in "
        "dcmCStoreSCUOfCMoveSCP, dcmURI, dcmStgCmtSCP, dcmExternalRetrieveAET"
    )


def test_each_dangling_reference_of_an_ae_without_another_is_left_to_somebody() -> None:
    gone = [f"cn=gone{n},{STORESCP_DEVICE}" for n in (1, 2)]
    found = lint(
        valid_tree().with_changes([put(STORESCP, **{REFERENCE: gone})]), NOW, [RULES_BY_NAME["connection-dangling"]]
    )
    assert [each.fix_changes for each in found] == [(), ()]


def test_a_shared_other_title_is_told_for_both() -> None:
    changes = [put(DCM4CHEE, dcmOtherAETitle="PACS"), put(AS_RECEIVED, dcmOtherAETitle="PACS")]
    assert len(messages("other-title-shadowed", changes)) == 2


def test_a_certificate_that_is_not_valid_yet_is_told() -> None:
    octets = certificate("node1", datetime(2027, 11, 25, tzinfo=UTC), days=300)
    changes = [
        put(STORESCP_DEVICE, objectClass=("dicomDevice", "dcmDevice", "pkiUser")),
        more(STORESCP_DEVICE, "userCertificate;binary", octets),
    ]
    assert messages("certificate-expired", changes) == ["CN=node1 is not valid before 2027-01-29"]
    assert messages("certificate-expires", changes) == []


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (REFERENCE, "nonsense"),
        (REFERENCE, "cn=\\zz"),
        ("dcmOtherAETitle", "\x1b[31m"),
        ("dcmMasqueradeCallingAETitle", "[]"),
        ("dcmAcceptedMoveDestination", "x" * 10_000),
        ("dcmIanDestination", "; rm -rf $HOME"),
    ],
)
def test_hostile_values_are_told_like_any_other(attribute: str, value: str) -> None:
    lint(valid_tree().with_changes([put(DCM4CHEE, **{attribute: value})]), NOW)


@pytest.mark.parametrize("port", ["²", "9" * 5000, "-1", "x", ""])
def test_a_port_that_is_none_is_none(port: str) -> None:
    lint(valid_tree().with_changes([put(f"cn=dicom,{LONGTERM_DEVICE}", dicomPort=port)]), NOW)


def test_a_secret_is_not_told_with_what_is_wrong_with_it() -> None:
    tree = valid_tree().with_changes([put(EXPORTER, dcmURI="dicom:joe:geheim@host")])
    (found,) = lint(tree, NOW, [RULES_BY_NAME["exporter-destination-unknown"]])
    assert "geheim" not in found.message
    assert found.fix_command == ()


def test_a_configuration_without_its_root_is_judged_all_the_same() -> None:
    """As default-config.ldif is, which is loaded below what init-config.ldif makes."""
    tree = valid_tree().with_changes([put(ARCHIVE, dcmExternalRetrieveAEDestination="GONE")])
    devices = tree.subtree(next(iter(tree.children(tree.sorted_entries()[1].dn))).dn)
    found = lint(Tree.from_entries(tree.schema, devices[1:]), NOW)
    assert BASE in str(devices[0].dn)
    assert [each.rule.name for each in found] == ["external-retrieve-unknown"]


def test_what_the_container_image_leaves_to_the_old_title_is_fixed_by_a_rename_of_references() -> None:
    """AE_TITLE renames the archive's AE; a UPS rule's movescu:DCM4CHEE stays."""
    rule = new(
        f"dcmUPSProcessingRuleID=x,{ARCHIVE}",
        objectClass="dcmUPSProcessingRule",
        dcmUPSProcessingRuleID="x",
        dcmURI="movescu:DCM4CHEE",
        dicomAETitle="HOSPPACS",
    )
    renamed = valid_tree().with_changes([Rename(DN.parse(DCM4CHEE), RDN.of("dicomAETitle", "HOSPPACS")), rule])
    command = ("ae", "rename", "DCM4CHEE", "HOSPPACS", "--references-only")
    found = lint(renamed, NOW, [RULES_BY_NAME["ups-destination-unknown"], RULES_BY_NAME["local-ae-unknown"]])
    assert {each.fix_command for each in found} == {command}
    assert (
        "If AE_TITLE sets another title (here HOSPPACS), the container image does not replace DCM4CHEE"
        in found[-1].message
    )
    references = rename_references(References(renamed), "DCM4CHEE", "HOSPPACS")
    fixed = renamed.with_changes(references.edit.changes)
    assert lint(fixed, NOW, [RULES_BY_NAME["ups-destination-unknown"], RULES_BY_NAME["local-ae-unknown"]]) == ()
    capability = new(
        f"cn=CT,{AS_RECEIVED}",
        objectClass="dicomTransferCapability",
        cn="CT",
        dicomSOPClass=CT,
        dicomTransferRole="SCP",
        dicomTransferSyntax="1.2.840.10008.1.2",
    )
    (undecided,) = lint(renamed.with_changes([capability]), NOW, [RULES_BY_NAME["ups-destination-unknown"]])
    assert undecided.fix_command == ("ae", "add", "DCM4CHEE@HOST:PORT"), "two AEs could have been DCM4CHEE"
