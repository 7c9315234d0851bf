"""Of a status that is no success, it is told on which of the three machines to look, and for what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.route.connection_matching import ConnectionMatch
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.judgement import judge_evidence
from tests.verify.advice.cases import DOWN, FOREIGN_ROUTE, REFUSED, REJECTED, failing, first_step, listening
from tests.verify.evidence import (
    ALONE,
    DIRECT,
    GOOD,
    LOCAL_STUDY,
    PURGED,
    UIDS,
    UNWITNESSED,
    VIA_ARCHIVE,
    instances_before_move,
    stored,
    study,
)

STRAIGHT = replace(UNWITNESSED, route=DIRECT)
LOCAL = stored(ALONE, LOCAL_STUDY)
UNSEEN = replace(UNWITNESSED, instances_before=instances_before_move(""))
INCOMPATIBLE = "org.dcm4che3.net.IncompatibleConnectionException: No compatible"
OVER_TLS = ConnectionMatch("WORKSTATION", is_compatible=True, description="both TLSv1.2", tls=True)
PLAIN_LONGTERM = ConnectionMatch("LONGTERM", is_compatible=True, description="both plain")


def unfitting(evidence: Evidence, *fits: ConnectionMatch) -> Evidence:
    """Return *evidence* of an archive that found no connection, where the tree has *fits*."""
    return failing(
        replace(evidence, received=None, route=replace(evidence.route, connection_matches=fits)), 0xA702, INCOMPATIBLE
    )


NOT_FOUND = "org.dcm4che3.conf.api.ConfigurationNotFoundException:"
NOT_INSTALLED = replace(
    VIA_ARCHIVE,
    unresolved_aes=frozenset(
        {("LONGTERM", "LONGTERM is not installed", "dcmcfg set longterm/LONGTERM dicomInstalled=TRUE")}
    ),
)
NO_TRUST = "javax.net.ssl.SSLHandshakeException: PKIX path building failed:"
CASES: dict[str, tuple[Evidence, str]] = {
    "the external archive is down": (
        replace(DOWN, route=replace(VIA_ARCHIVE, ae_addresses=frozenset({("LONGTERM", "127.0.0.1:31998")}))),
        "dcmcfg echo LONGTERM",
    ),
    "the destination of a local study has a host name that is unknown": (
        failing(LOCAL, 0xA702, "java.net.UnknownHostException: nohost"),
        "correct dicomHostname of WORKSTATION",
    ),
    "we are not where the archive looks": (
        failing(listening(LOCAL), 0xA702, REFUSED),
        (
            "dcmcfg was the receiver WORKSTATION. The archive calls WORKSTATION: check that the archive can reach "
            "this machine"
        ),
    ),
    "the external archive rejects": (
        failing(STRAIGHT, 0xA702, REJECTED),
        "because the archive passes on the calling AE title of this run",
    ),
    "the destination rejects": (
        failing(replace(LOCAL, received=None), 0xA702, REJECTED),
        "This AE must accept the calling AE title DCM4CHEE",
    ),
    "no connections that go together": (
        failing(replace(LOCAL, received=None), 0xA702, INCOMPATIBLE),
        "To see the incompatible connections, run dcmcfg route --dest WORKSTATION",
    ),
    "no connections that go together, by the tree": (
        unfitting(
            LOCAL, ConnectionMatch("WORKSTATION", is_compatible=False, description="WORKSTATION offers TLS only")
        ),
        (
            "the connections in LDAP are incompatible: WORKSTATION offers TLS only. Give both AEs a "
            "connection of the same kind"
        ),
    ),
    "connections that go together by the tree, plain": (
        unfitting(LOCAL, ConnectionMatch("WORKSTATION", is_compatible=True, description="both plain")),
        (
            "DCM4CHEE and WORKSTATION have compatible connections (both plain), so most likely, the archive has not "
            "loaded the current configuration: run dcmcfg reload"
        ),
    ),
    "connections that go together by the tree, with TLS": (
        unfitting(LOCAL, OVER_TLS),
        (
            "run dcmcfg reload. If the error remains: check in the log of DCM4CHEE whether the archive could load its "
            "key store"
        ),
    ),
    "no connections that go together, nobody knows where it was, and one is over TLS": (
        unfitting(UNSEEN, PLAIN_LONGTERM, OVER_TLS),
        "DCM4CHEE and WORKSTATION have compatible connections (both TLSv1.2)",
    ),
    "no connections that go together, and it is not the one that was called first": (
        unfitting(
            UNWITNESSED,
            PLAIN_LONGTERM,
            ConnectionMatch("WORKSTATION", is_compatible=False, description="it has no connection"),
        ),
        "the connections in LDAP are incompatible: it has no connection",
    ),
    "no connections that go together, of the external archive that sends straight": (
        unfitting(replace(stored(UNWITNESSED, PURGED, PURGED), route=DIRECT), PLAIN_LONGTERM, OVER_TLS),
        "DCM4CHEE and LONGTERM have compatible connections (both plain)",
    ),
    "no connections that go together, of what is to be sent on over TLS": (
        unfitting(UNWITNESSED, PLAIN_LONGTERM, OVER_TLS),
        "DCM4CHEE and WORKSTATION have compatible connections (both TLSv1.2)",
    ),
    "no connections that go together, and nothing tells which": (
        unfitting(UNWITNESSED, PLAIN_LONGTERM, replace(OVER_TLS, tls=False)),
        "if the study was purged: in LDAP, DCM4CHEE and LONGTERM have compatible connections",
    ),
    "an external archive that is not installed": (
        failing(replace(UNWITNESSED, route=NOT_INSTALLED), 0xA702, f"{NOT_FOUND} AE: LONGTERM no"),
        "LONGTERM is not installed: dcmcfg set longterm/LONGTERM dicomInstalled=TRUE; then run dcmcfg reload",
    ),
    "an external archive that the tree lacks": (
        failing(replace(UNWITNESSED, route=replace(VIA_ARCHIVE, ae_titles=frozenset({"A"}))), 0xA702, NOT_FOUND),
        (
            "the tree has no AE LONGTERM, so the archive cannot open an association to this AE. To create the AE and "
            "reload the archive: dcmcfg ae add LONGTERM@HOST:PORT"
        ),
    ),
    "an external archive that the archive has not loaded": (
        failing(replace(UNWITNESSED, route=replace(VIA_ARCHIVE, ae_titles=frozenset({"LONGTERM"}))), 0xA702, NOT_FOUND),
        "the tree has the AE LONGTERM, but the archive has not loaded this AE",
    ),
    "a comment that says nothing": (
        failing(replace(LOCAL, received=None), 0xA702, "No luck"),
        "the archive could not send the study to WORKSTATION",
    ),
    "cut comment": (
        failing(UNWITNESSED, 0xA702, "org.dcm4che3.conf.api.ConfigurationNotFoundException: Unknown AE"),
        "The Error Comment does not show the title",
    ),
    "while the study is listed as local": (
        failing(replace(UNWITNESSED, instances_before=instances_before_move("ONLINE")), 0xA702, REFUSED),
        "the archive could not send the study to WORKSTATION",
    ),
    "no comment, local": (
        failing(replace(LOCAL, received=None), 0xA702, failed=3),
        (
            "the archive could not send the study to WORKSTATION: to check whether the destination answers, run dcmcfg "
            "echo WORKSTATION"
        ),
    ),
    "no comment, nobody knows where it was": (
        failing(UNSEEN, 0xA702, failed=3),
        "if the study is in the archive's own storage, the archive could not send the study to WORKSTATION",
    ),
    "no comment, the external archive sends straight": (
        failing(STRAIGHT, 0xA702, failed=3),
        (
            "the external archive LONGTERM itself sends the instances to WORKSTATION, at the host and port in the "
            "AE list of the external archive"
        ),
    ),
    "no comment, some failed, and nobody knows whether it came back": (
        failing(UNWITNESSED, 0xA702, failed=3),
        (
            "either the external archive LONGTERM could not send to DCM4CHEE (see the log of the external archive), "
            "or the archive could not forward to WORKSTATION: to check whether the destination answers, run dcmcfg "
            "echo WORKSTATION"
        ),
    ),
    "no comment, some failed, and it is here now": (
        failing(replace(stored(UNWITNESSED, PURGED, LOCAL_STUDY), route=VIA_ARCHIVE), 0xA702, failed=3),
        (
            "LONGTERM into the archive's own storage, but WORKSTATION did not accept the study: to check whether the "
            "destination answers, run dcmcfg echo"
        ),
    ),
    "no comment, some failed, and it is not here yet": (
        failing(stored(UNWITNESSED, PURGED, PURGED), 0xA702, failed=3),
        "DCM4CHEE received no instance. Either the external archive LONGTERM could not read the study",
    ),
    "no comment, nothing came back": (
        failing(UNWITNESSED, 0xA702),
        "The archive used the calling AE title of this run, DCMCFG",
    ),
    "no comment, all failed before anybody was asked": (
        failing(stored(ALONE, PURGED, PURGED), 0xA702, completed=0, failed=3, warning=0),
        (
            "the archive itself omitted the instances, and opened no association to another AE for these "
            "instances. To list the SOP "
            "classes with a missing transfer capability, run dcmcfg route --dest WORKSTATION"
        ),
    ),
    "no comment, all failed at the external archive": (
        failing(replace(stored(ALONE, PURGED, PURGED), route=DIRECT), 0xA702, completed=0, failed=3, warning=0),
        "the external archive LONGTERM itself sends the instances to WORKSTATION",
    ),
    "the external archive aborts": (
        failing(UNWITNESSED, 0xA702, "A-ABORT[source: 0 - service-user, reason: 0]"),
        "LONGTERM aborted the association, or did not answer the association request within dcmAAACTimeout",
    ),
    "the external archive's device does not load": (
        failing(UNWITNESSED, 0xA702, "java.lang.IllegalArgumentException: port out of range:70000"),
        "the archive cannot load the device of LONGTERM from LDAP",
    ),
    "no TLS with the external archive": (
        failing(UNWITNESSED, 0xA702, NO_TRUST),
        "the TLS handshake of DCM4CHEE with LONGTERM failed: each AE must trust the certificate of the other AE",
    ),
    "no TLS with this run": (
        failing(listening(stored(ALONE, LOCAL_STUDY, LOCAL_STUDY)), 0xA702, NO_TRUST),
        "the TLS handshake between DCM4CHEE and dcmcfg failed: DCM4CHEE must trust the certificate of --tls-cert",
    ),
    "the external archive delivered to the archive": (
        failing(replace(GOOD, received=()), 0xA702, failed=3),
        "could not forward the study to WORKSTATION: check that the archive can reach dcmcfg at",
    ),
    "all that came back was forwarded": (
        failing(listening(stored(ALONE, PURGED, study("fs1", "fs1", "")), *UIDS[:2]), 0xB000, completed=2, failed=1),
        (
            "the external archive LONGTERM sent a part of the study to DCM4CHEE, and the archive forwarded this part. "
            "The external archive never sent the rest"
        ),
    ),
    "the external archive delivered a part": (
        failing(listening(GOOD, *UIDS[:1]), 0xA702, completed=1),
        (
            "the external archive LONGTERM sent a part of the study to DCM4CHEE, and the archive forwarded this part. "
            "The external archive never sent the rest"
        ),
    ),
    "told to send elsewhere": (
        failing(replace(UNWITNESSED, route=FOREIGN_ROUTE), 0xA702),
        ("The archive does not get the objects and cannot forward them; dcmcfg set-external-retrieve DCM4CHEE"),
    ),
    "some failed, and we are the destination": (
        failing(replace(listening(GOOD, *UIDS[:2]), route=DIRECT, move_records=None), 0xB000, completed=2, failed=1),
        "accepted every instance that arrived. The log of the external archive LONGTERM",
    ),
    "some failed elsewhere": (
        failing(UNSEEN, 0xB000, completed=2, failed=1),
        (
            "see the log of WORKSTATION for refused instances, and the log of the archive DCM4CHEE for instances that "
            "could not be sent"
        ),
    ),
    "a warning that is not ours": (
        failing(replace(GOOD, route=DIRECT, move_records=None), 0xB000, completed=2, warning=1),
        "dcmcfg received all instances without a warning",
    ),
    "a warning of the destination": (
        failing(UNSEEN, 0xB000, completed=2, warning=1),
        "WORKSTATION stored the instances with a warning",
    ),
    "a warning of the destination, recalled": (
        failing(replace(stored(ALONE, PURGED, LOCAL_STUDY), received=None), 0x0000, warning=3),
        "WORKSTATION stored the instances with a warning",
    ),
    "an answer that is passed on": (
        failing(stored(ALONE, PURGED, PURGED), 0xA701),
        "most likely, the external archive LONGTERM sent this response, and the archive passed the response on",
    ),
    "broken off": (
        failing(STRAIGHT, 0x0110),
        "either the external archive LONGTERM did not accept the archive's request (Study Root)",
    ),
    "no context accepted": (
        failing(STRAIGHT, 0x0110, "org.dcm4che3.net.NoPresentationContextException: No Presentation"),
        (
            "the external archive LONGTERM accepted the association, but not the presentation context for C-MOVE "
            "(Study Root)"
        ),
    ),
    "C000, purged": (failing(STRAIGHT, 0xC000), "most likely, the external archive LONGTERM sent this response"),
    "C000 of whom nothing is known": (failing(UNSEEN, 0xC000), "An Orthanc answers C000 if"),
}


@pytest.mark.parametrize(("evidence", "words"), CASES.values(), ids=CASES)
def test_the_first_next_step_names_the_way_out(evidence: Evidence, words: str) -> None:
    assert words in first_step(evidence)


def test_who_is_down_is_named_with_its_address_where_it_is_known_whom_the_archive_asks() -> None:
    placed = replace(VIA_ARCHIVE, ae_addresses=frozenset({("LONGTERM", "127.0.0.1:31998")}))
    purged = replace(stored(DOWN, PURGED, PURGED), route=placed)
    assert judge_evidence(purged).headline.endswith(
        "nothing listens at the address that the archive has for LONGTERM (127.0.0.1:31998)"
    )
    for availability in ("ONLINE", "NEARLINE"):
        open_ = judge_evidence(replace(DOWN, instances_before=instances_before_move(availability)))
        assert open_.headline.endswith(
            "the external archive (for a purged study) or the destination (for a study in the archive's own storage)"
        )


def test_a_wrong_address_has_the_command_that_changes_it() -> None:
    names = frozenset({("LONGTERM", "longterm/dicom"), ("WORKSTATION", "workstation/dicom")})
    down = replace(stored(DOWN, PURGED, PURGED), route=replace(VIA_ARCHIVE, connection_names=names))
    assert first_step(down).endswith(": dcmcfg connection set longterm/dicom HOST:PORT")
    local = replace(LOCAL, route=replace(LOCAL.route, connection_names=names))
    assert first_step(failing(listening(local), 0xA702, REFUSED)).endswith(
        "connection in LDAP: dcmcfg connection set workstation/dicom HOST:PORT"
    )
    assert first_step(failing(local, 0xA702, "java.net.UnknownHostException: nohost")).endswith(
        ". To correct the name: dcmcfg connection set workstation/dicom HOST"
    )


def test_where_either_may_be_down_both_have_a_next_step() -> None:
    steps = judge_evidence(replace(DOWN, instances_before=instances_before_move("NEARLINE"))).next_steps
    assert [step.partition(". If the echo")[0] for step in steps] == [
        (
            "if the study was purged: check that the AE is running and that this machine can reach the AE: dcmcfg echo "
            "LONGTERM"
        ),
        (
            "if the study is local: check that the AE is running and that this machine can reach the AE: dcmcfg echo "
            "WORKSTATION"
        ),
    ]


def test_a_way_that_does_not_lead_back_is_not_told_as_one_that_does() -> None:
    assert FOREIGN_ROUTE.misrouting is not None
    assert judge_evidence(replace(UNWITNESSED, route=FOREIGN_ROUTE)).route.configured_path == (
        f"external archive → STORESCP, not to WORKSTATION: {FOREIGN_ROUTE.misrouting.reason}"
    )


def test_what_was_cancelled_here_needs_no_step() -> None:
    assert judge_evidence(replace(UNWITNESSED, outcome=MoveOutcome(0xFE00, cancelled=True))).next_steps == ()
