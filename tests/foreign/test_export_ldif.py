"""What other directory servers hold is exported as it is."""

from __future__ import annotations

import pytest

from dcmcfg.entry import Entry
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from tests.cli.conftest import Run
from tests.foreign.apacheds import ApacheDS
from tests.foreign.server389 import Server389
from tests.sampling import LONG

pytestmark = pytest.mark.real


def test_the_export_of_389_directory_server_holds_what_its_own_client_reads(server389: Server389, run: Run) -> None:
    assert _exported(run) == _held(server389)


@pytest.mark.skipif(not LONG, reason="ApacheDS takes half a minute to start: make test-long")
def test_the_export_of_apacheds_holds_what_its_own_client_reads(apacheds: ApacheDS, run: Run) -> None:
    assert _exported(run) == _held(apacheds)


def _exported(run: Run) -> dict[str, dict[str, frozenset[bytes]]]:
    done = run("export-ldif", "--with-secrets")
    assert done.exit_code == 0, done.output
    records = read_all([done.stdout.encode()], "export-ldif")
    return {str(record.entry.dn): _attributes(record.entry) for record in records if isinstance(record, ContentRecord)}


def _held(server: Server389 | ApacheDS) -> dict[str, dict[str, frozenset[bytes]]]:
    return {dn: _attributes(entry) for dn, entry in server.entries().items()}


def _attributes(entry: Entry) -> dict[str, frozenset[bytes]]:
    return {one.name.lower(): frozenset(one.values) for one in entry.attributes}
