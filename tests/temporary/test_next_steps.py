"""What is advised of a destination that is gone by the time it is read."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.edits.temporary_destination import TemporaryDestination
from dcmcfg.edits.temporary_mark import OwnerProcess
from dcmcfg.temporary.next_steps import adapt_next_steps
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.judgement import judge_evidence
from tests.verify.advice import test_count_mismatch, test_destination_refused, test_not_delivered, test_not_performed
from tests.verify.evidence import ALONE, DIRECT, LOCAL_STUDY, UNWITNESSED, stored

NEW = TemporaryDestination(
    "WORKSTATION",
    "192.0.2.1",
    4242,
    OwnerProcess(user="ann", host="desk7", pid=1, started=1, created=datetime(2026, 1, 2, tzinfo=UTC)),
)
CASES = {
    f"{module.__name__}: {name}": case[0]
    for module in (test_destination_refused, test_count_mismatch, test_not_delivered, test_not_performed)
    for name, case in module.CASES.items()
}


def steps(evidence: Evidence) -> tuple[str, ...]:
    """What is advised where this run listens as the destination and has received what *evidence* says."""
    evidence = replace(evidence, received=evidence.received or ())
    return adapt_next_steps(judge_evidence(evidence), evidence, NEW, "ldap://directory").next_steps


@pytest.mark.parametrize("evidence", CASES.values(), ids=CASES)
def test_no_step_is_a_command_for_a_destination_that_is_gone(evidence: Evidence) -> None:
    next_steps = steps(evidence)
    assert next_steps
    assert not [each for each in next_steps if re.search(r"dcmcfg( [^ ;,]+)* ([^ ]*=)?WORKSTATION\b", each)]


@pytest.mark.parametrize("outcome", [MoveOutcome(0xC801), MoveOutcome(0xA801, "Unknown AE: WORKSTATION")])
def test_an_archive_that_does_not_take_it_may_read_another_directory(outcome: MoveOutcome) -> None:
    assert steps(replace(stored(ALONE, LOCAL_STUDY), outcome=outcome, received=())) == (
        "the archive has reloaded its configuration, but refuses WORKSTATION: check that the archive reads its "
        "configuration from ldap://directory",
    )


def test_where_every_step_would_name_it_the_address_is_what_is_left() -> None:
    unfit = MoveOutcome(0xA702, "org.dcm4che3.net.IncompatibleConnectionException: No compatible")
    straight = replace(UNWITNESSED, outcome=unfit, route=DIRECT)
    assert [each.split(":")[0] for each in steps(straight)] == ["nothing was received at 192.0.2.1"]


def test_a_handshake_that_failed_is_a_matter_of_certificates_and_not_of_the_address() -> None:
    untrusted = MoveOutcome(0xA702, "javax.net.ssl.SSLHandshakeException: PKIX path building failed:")
    (step,) = steps(replace(stored(ALONE, LOCAL_STUDY), outcome=untrusted, received=()))
    assert step.startswith("the TLS handshake between DCM4CHEE and dcmcfg failed: DCM4CHEE must trust the certificate")
