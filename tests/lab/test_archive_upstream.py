"""The stand-in's loader on the archive's own default configuration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dcmcfg.directory.ldap import connect
from dcmcfg.directory.server import LdapServerSettings
from dcmcfg.dn import DN
from dcmcfg.lab.archive.lookup import DirectoryConfiguration, DirectoryReader
from tests.running_slapd import RunningSlapd

pytestmark = pytest.mark.real


def test_the_default_configuration_loads(upstream_slapd: RunningSlapd) -> None:
    base = DN.parse(upstream_slapd.base_dn)
    server = LdapServerSettings(upstream_slapd.url, base, upstream_slapd.bind_dn, upstream_slapd.password)

    @contextmanager
    def opened() -> Iterator[DirectoryReader]:
        with connect(server) as directory:
            yield directory

    configuration = DirectoryConfiguration(opened, base)
    device = configuration.load_device("dcm4chee-arc")
    ae = device.find_ae("DCM4CHEE")
    assert ae is not None
    assert ae.external_retrieve_destination == "DCM4CHEE"
    assert ae.send_pending_interval_s == 5
    assert device.ae_cache_stale_timeout_s == 300
    assert sum(each.role == "SCP" for each in ae.capabilities) > 200
    storescp = configuration.find_ae("STORESCP")
    assert storescp is not None
    assert [each.port for each in storescp.connections] == [11117]
