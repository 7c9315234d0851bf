"""Entries that somebody has written after the plan are found, with their attributes and who wrote them."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Change
from dcmcfg.directory.ldap import connect
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN
from dcmcfg.nodes.second_look import Overwrite, Writer, find_overwrites, identify_writer
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from tests.connecting import server_of
from tests.lint.breaking import ARCHIVE, DCM4CHEE, EXPORTER, delete, new, put
from tests.running_slapd import RunningSlapd

ADMIN = "cn=admin,dc=dcm4che,dc=org"
OWN, OTHER = "cn=dcmcfg,dc=dcm4che,dc=org", "cn=someone,dc=dcm4che,dc=org"
METRICS = f"dcmMetricsName=new,{ARCHIVE}"


def apply(slapd: RunningSlapd, *changes: Change) -> Plan:
    """Apply *changes* with dcmcfg's own connection; return their plan."""
    with connect(server_of(slapd)) as directory:
        plan = make_plan(read_tree(directory), [DesiredChange(each) for each in changes])
        for change in plan.changes:
            directory.apply(change)
    return plan


def look(slapd: RunningSlapd, plan: Plan, *, own_dn: str = ADMIN, archive_dn: str = "") -> tuple[Overwrite, ...]:
    with connect(server_of(slapd)) as directory:
        return find_overwrites(directory, plan, own_dn=own_dn, archive_dn=archive_dn)


@pytest.mark.real
def test_what_nobody_has_written_since_is_as_planned(slapd: RunningSlapd) -> None:
    plan = apply(
        slapd,
        put(DCM4CHEE, dicomDescription="x"),
        new(METRICS, objectClass="dcmMetrics", dcmMetricsName="new"),
        delete(EXPORTER),
    )
    assert look(slapd, plan) == ()


@pytest.mark.real
def test_an_attribute_of_the_plan_that_was_overwritten_is_lost(slapd: RunningSlapd) -> None:
    plan = apply(slapd, put(DCM4CHEE, dicomDescription="x"))
    apply(slapd, put(DCM4CHEE, dicomDescription="theirs", dcmAcceptedMoveDestination="STORESCP"))
    (found,) = look(slapd, plan)
    assert found.dn == DN.parse(DCM4CHEE)
    assert sorted(found.attributes) == ["dcmAcceptedMoveDestination", "dicomDescription"]
    assert found.planned == ("dicomDescription",)
    assert found.loses_change
    assert found.modifier == ADMIN
    assert found.modified_at.endswith("Z")
    assert found.writer is Writer.POSSIBLY_ARCHIVE


@pytest.mark.real
def test_another_attribute_of_the_entry_loses_nothing(slapd: RunningSlapd) -> None:
    plan = apply(slapd, put(DCM4CHEE, dicomDescription="x"))
    apply(slapd, put(DCM4CHEE, dcmAcceptedMoveDestination="STORESCP"))
    (found,) = look(slapd, plan)
    assert (found.attributes, found.planned) == (("dcmAcceptedMoveDestination",), ())
    assert not found.loses_change


@pytest.mark.real
def test_an_entry_of_another_part_of_the_tree_is_not_looked_at(slapd: RunningSlapd) -> None:
    plan = apply(slapd, put(DCM4CHEE, dicomDescription="x"))
    apply(slapd, put(EXPORTER, dicomDescription="x"))
    assert look(slapd, plan) == ()


@pytest.mark.real
def test_an_entry_that_was_deleted_or_added_again_is_found(slapd: RunningSlapd) -> None:
    plan = apply(slapd, new(METRICS, objectClass="dcmMetrics", dcmMetricsName="new"), delete(EXPORTER))
    apply(
        slapd,
        delete(METRICS),
        new(EXPORTER, objectClass="dcmExporter", dcmExporterID="LONGTERM", dcmURI="dicom:X", dcmQueueName="Export"),
    )
    found = look(slapd, plan)
    assert {str(each.dn): (each.attributes, each.modifier, each.loses_change) for each in found} == {
        METRICS: ((), "", True),
        EXPORTER: ((), ADMIN, True),
    }


@pytest.mark.real
def test_a_write_of_the_account_of_the_archive_is_by_the_archive(slapd: RunningSlapd) -> None:
    plan = apply(slapd, put(DCM4CHEE, dicomDescription="x"))
    apply(slapd, put(DCM4CHEE, dicomDescription="theirs"))
    (found,) = look(slapd, plan, own_dn=OWN, archive_dn=ADMIN.upper())
    assert found.writer is Writer.ARCHIVE


@pytest.mark.parametrize(
    ("modifier", "own_dn", "archive_dn", "expected"),
    [
        (ADMIN, OWN, ADMIN, Writer.ARCHIVE),
        ("CN=Admin, dc=DCM4CHE,dc=org", OWN, ADMIN, Writer.ARCHIVE),
        (OWN, OWN, ADMIN, Writer.OTHER),
        (OTHER, OWN, ADMIN, Writer.OTHER),
        # Without a bind DN of its own, the archive cannot be told from dcmcfg.
        (ADMIN, ADMIN, ADMIN, Writer.POSSIBLY_ARCHIVE),
        (ADMIN, ADMIN, "", Writer.POSSIBLY_ARCHIVE),
        (OTHER, ADMIN, "", Writer.OTHER),
        (OTHER, ADMIN, ADMIN, Writer.OTHER),
        (OTHER, "", "", Writer.POSSIBLY_ARCHIVE),
        ("", ADMIN, "", Writer.POSSIBLY_ARCHIVE),
        ("", OWN, ADMIN, Writer.POSSIBLY_ARCHIVE),
        ("no DN", ADMIN, "", Writer.OTHER),
    ],
)
def test_only_a_bind_dn_of_its_own_identifies_the_archive(
    modifier: str, own_dn: str, archive_dn: str, expected: Writer
) -> None:
    assert identify_writer(modifier, own_dn=own_dn, archive_dn=archive_dn) is expected
