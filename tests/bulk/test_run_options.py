"""What a store of answers is known by: everything that an answer depends on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.bulk.run_options import ReceiverKind, collect_run_parameters
from dcmcfg.dicom.retrieval import InformationModel, Patient, QueryRetrieveLevel
from dcmcfg.dn import DN
from dcmcfg.model.devices import Configuration
from dcmcfg.settings import Settings
from dcmcfg.verify.addresses import find_addresses
from dcmcfg.verify.evidence import VerificationRequest
from dcmcfg.verify.selection import RetrieveSelection
from tests.lint.breaking import valid_tree

SITE = Settings(
    ldap_url="ldap://here:389",
    base_dn=DN.parse("dc=dcm4che,dc=org"),
    bind_dn="cn=admin",
    device="dcm4chee-arc",
    archive_url="http://here/dcm4chee-arc",
)
ADDRESSES = find_addresses(Configuration(valid_tree()), "dcm4chee-arc", "STORESCP")
QUESTION = VerificationRequest("", ADDRESSES.archive, "STORESCP", "DCMCFG")


def facts(
    question: VerificationRequest = QUESTION, by: ReceiverKind = ReceiverKind.DCMCFG, *, keeps: bool = False
) -> dict[str, str]:
    return dict(collect_run_parameters(question, ADDRESSES, SITE, by, keeps_files=keeps).values)


def test_the_facts_are_those_that_a_person_would_name() -> None:
    assert facts() == {
        "archive": str(ADDRESSES.archive),
        "destination": "STORESCP",
        "calling": "DCMCFG",
        "received": "by us (--receive)",
        "level": "study",
        "model": QUESTION.model.value,
        "directory": "ldap://here:389/dc=dcm4che,dc=org",
        "device": "dcm4chee-arc",
        "dcmExternalRetrieveAEDestination": "DCM4CHEE",
    }


def test_a_temporary_destination_is_the_same_whatever_its_title() -> None:
    found = facts(replace(QUESTION, destination_ae_title="TMP_1"), ReceiverKind.TEMPORARY_DESTINATION)
    assert (found["destination"], found["received"]) == ("a temporary one", "by us")
    assert found == facts(replace(QUESTION, destination_ae_title="TMP_2"), ReceiverKind.TEMPORARY_DESTINATION)


@pytest.mark.parametrize(
    ("question", "more"),
    [
        (
            replace(QUESTION, selection=RetrieveSelection(QueryRetrieveLevel.SERIES, ("1.3", "1.2"))),
            {"level": "series", "series": "1.2, 1.3"},
        ),
        (
            replace(QUESTION, selection=RetrieveSelection(QueryRetrieveLevel.IMAGE, (), ("1.4",))),
            {"level": "image", "instances": "1.4"},
        ),
        (
            replace(QUESTION, model=InformationModel.PATIENT, patient=Patient("4711", "HOSP")),
            {"model": InformationModel.PATIENT.value, "patient": "4711 HOSP"},
        ),
        (replace(QUESTION, expected_count=3), {"expected": "3"}),
    ],
)
def test_what_asks_for_a_part_or_in_another_way_is_a_fact_too(
    question: VerificationRequest, more: dict[str, str]
) -> None:
    assert facts(question) == facts() | more


def test_kept_files_are_a_fact() -> None:
    assert facts(keeps=True) == facts() | {"files": "kept and read back"}
