"""Whether the server holds what was planned: of a rename, also below the entry and in its spelling."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dcmcfg.changes import Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.directory.ldap import connect
from dcmcfg.directory.server import LdapServerSettings
from dcmcfg.dn import DN, RDN
from dcmcfg.rollout.reconciliation import find_first_difference
from tests.connecting import server_of
from tests.rollout.conftest import Site
from tests.running_slapd import RunningSlapd

pytestmark = pytest.mark.real

DEVICES = DN.parse("cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org")
STORESCP = DEVICES.child("dicomDeviceName", "storescp")
OTHER = DEVICES.child("dicomDeviceName", "other")
CONNECTION = OTHER.child("cn", "dicom")
TITLE = OTHER.child("dicomAETitle", "STORESCP")


@pytest.fixture
def site(slapd: RunningSlapd, site_of: Callable[[LdapServerSettings], Site]) -> Site:
    return site_of(server_of(slapd))


@pytest.mark.parametrize(
    ("meanwhile", "found"),
    [
        ((), None),
        ((Delete(CONNECTION),), CONNECTION),
        ((Rename(TITLE, RDN.of("dicomAETitle", "MOVED")),), TITLE),
        ((Modify(CONNECTION, (Modification(Operation.REPLACE, "dicomPort", (b"104",)),)),), CONNECTION),
        ((Rename(OTHER, RDN.of("dicomDeviceName", "OTHER")),), OTHER),
    ],
)
def test_entries_below_a_renamed_entry_are_read_back_too(
    site: Site, meanwhile: tuple[Change, ...], found: DN | None
) -> None:
    plan = site.plan([Rename(STORESCP, OTHER.rdn)])
    site.roll_out(plan)
    with connect(site.server) as directory:
        for change in meanwhile:
            directory.apply(change)
        assert find_first_difference(directory, plan) == found
