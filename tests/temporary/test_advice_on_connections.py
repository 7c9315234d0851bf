"""Where the archive finds no connection to a temporary destination, the tree tells whether that is so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.edits.temporary_destination import ConnectionSecurity, TemporaryDestination
from dcmcfg.edits.temporary_mark import OwnerProcess
from dcmcfg.route.connection_matching import ConnectionMatch
from dcmcfg.temporary.next_steps import adapt_next_steps
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.judgement import judge_evidence
from tests.verify.evidence import LOCAL_STUDY, UNWITNESSED, instances_before_move, stored

INCOMPATIBLE = "org.dcm4che3.net.IncompatibleConnectionException: No compatible"
TITLE = "DCMCFG_123456789"
SECURED = ConnectionSecurity(("TLS_RSA_WITH_AES_128_CBC_SHA",), ("TLSv1.2",))
PLAIN_LONGTERM = ConnectionMatch("LONGTERM", is_compatible=True, description="both plain")
OVER_TLS = ConnectionMatch(TITLE, is_compatible=True, description="both TLSv1.2", tls=True)
UNSEEN = replace(UNWITNESSED, instances_before=instances_before_move(""))
LOCAL = stored(UNWITNESSED, LOCAL_STUDY)


def steps(evidence: Evidence, *fits: ConnectionMatch, line: ConnectionSecurity = SECURED) -> tuple[str, ...]:
    """Return what is advised where the archive found no connection that fits, and the tree has *fits*."""
    maker = OwnerProcess(user="somebody", host="here", pid=1, started=1, created=datetime(2026, 1, 2, tzinfo=UTC))
    new = TemporaryDestination(TITLE, "10.0.0.1", 11112, maker, security=line)
    question = replace(evidence.request, destination_ae_title=TITLE)
    route = replace(evidence.route, connection_matches=(*fits, PLAIN_LONGTERM))
    outcome = MoveOutcome(0xA702, INCOMPATIBLE)
    evidence = replace(evidence, request=question, route=route, outcome=outcome, received=())
    return adapt_next_steps(judge_evidence(evidence), evidence, new, "ldap://directory").next_steps


@pytest.mark.parametrize("evidence", [LOCAL, UNSEEN, UNWITNESSED], ids=["local", "nobody knows where it was", "purged"])
def test_a_connection_with_tls_that_fits_by_the_tree_leaves_the_key_stores(evidence: Evidence) -> None:
    (step,) = steps(evidence, OVER_TLS)
    assert step.startswith(
        f"according to the tree, a connection of DCM4CHEE is compatible with {TITLE} (both TLSv1.2), and the "
        "archive has"
    )
    assert "check in the log of DCM4CHEE whether the archive could load its key store and trust store for TLS" in step


def test_a_plain_connection_that_fits_by_the_tree_leaves_another_directory() -> None:
    (step,) = steps(
        LOCAL, ConnectionMatch(TITLE, is_compatible=True, description="both plain"), line=ConnectionSecurity()
    )
    assert step.endswith(
        "(both plain), and the archive has reloaded: check that the archive reads its configuration from "
        "ldap://directory"
    )


def test_what_does_not_fit_by_the_tree_is_told_as_that() -> None:
    (step,) = steps(
        UNSEEN, ConnectionMatch(TITLE, is_compatible=False, description="DCM4CHEE has no installed connection")
    )
    assert step.startswith(
        f"according to the tree, DCM4CHEE cannot open an association to {TITLE}: DCM4CHEE has no installed connection"
    )
