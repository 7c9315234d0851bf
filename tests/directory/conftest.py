"""Connections to the test servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dcmcfg.directory.ldap import LdapDirectory, connect
from tests.connecting import server_of
from tests.running_slapd import RunningSlapd


@pytest.fixture
def directory(slapd: RunningSlapd) -> Iterator[LdapDirectory]:
    with connect(server_of(slapd)) as opened:
        yield opened
