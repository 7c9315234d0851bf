"""Servers that do no transactions, or do them by halves: what is asked for is kept or refused, and never dropped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.foreign.apacheds import ApacheDS
from tests.foreign.server389 import Server389
from tests.forked import forking
from tests.killing_proxy import KillingProxy
from tests.rollout.programs import KILLED, Program
from tests.sampling import LONG

pytestmark = pytest.mark.real

ARCHIVE = "dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
BY_READING = (
    "Preconditions: dcmcfg reads each entry before the change, because the server does not support assertion controls\n"
)
BINDS_AGAIN = (
    "warning: the reload closes a port of the archive and opens the port again (cn=dicom). If the port stays closed "
    "('Address already in use'), dcmcfg repeats the reload once\n"
)
#: What --transaction is refused with where it cannot be kept.
NEXT = "  next: repeat the command without --transaction; dcmcfg then chooses a way that this server supports\n"


def described(path: Path) -> str:
    """Two changes that assert what they replace."""
    connection = f"dn: cn=dicom,{ARCHIVE}\nchangetype: modify\nreplace: dicomPort\ndicomPort: 104\n\n"
    path.write_text(
        f"dn: {ARCHIVE}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: x\n\n{connection}"
    )
    return str(path)


def added(path: Path, count: int) -> str:
    """Additions, which assert nothing, each below the one before, so that each is answered before the next is sent."""
    records, dn = "", ARCHIVE
    for number in range(count):
        dn = f"cn=new {number},{dn}"
        records += f"dn: {dn}\nchangetype: add\nobjectClass: dicomNetworkConnection\ncn: new {number}\n"
        records += "dicomHostname: localhost\n\n"
    path.write_text(records)
    return str(path)


def refused(run: Run, server: Server389 | ApacheDS, file: str, reason: str, *, warning: str = "") -> None:
    before = server.entries()
    result = run("apply", file, "--yes", "--transaction")
    assert (result.exit_code, result.stderr) == (
        3,
        f"{warning}dcmcfg: {server.url}: {reason}; nothing was changed\n{NEXT}",
    )
    assert server.entries() == before


def test_389_directory_server_does_no_transactions(run: Run, server389: Server389, tmp_path: Path) -> None:
    file = described(tmp_path / "two.ldif")
    refused(run, server389, file, "the server does not support transactions (RFC 5805)", warning=BINDS_AGAIN)
    done = run("apply", file, "--yes")
    assert (done.exit_code, done.stderr) == (0, BINDS_AGAIN)
    assert (
        f"\n2 to change, step by step\n{BY_READING}Applied step by step.\nTo revert it: dcmcfg undo 1\n"
    ) in done.stdout
    assert run("undo", "--yes").exit_code == 0


@pytest.mark.skipif(not LONG, reason="ApacheDS takes half a minute to start: make test-long")
def test_apacheds_cannot_check_in_a_transaction_and_does_not_roll_back_a_killed_one(
    run: Run, apacheds: ApacheDS, tmp_path: Path
) -> None:
    file = described(tmp_path / "two.ldif")
    reason = "the server does not support assertions (RFC 4528), so a transaction cannot check the plan's assertions"
    refused(run, apacheds, file, reason)
    done = run("apply", file, "--yes")
    assert (done.exit_code, done.stderr) == (0, "")
    assert (
        f"\n2 to change, step by step\n{BY_READING}Applied step by step.\nTo revert it: dcmcfg undo 1\n"
    ) in done.stdout
    undone = run("undo", "--yes")
    assert (undone.exit_code, undone.stdout.count(BY_READING)) == (0, 1)
    _killed_in_a_transaction(apacheds, tmp_path)


def _killed_in_a_transaction(server: ApacheDS, tmp_path: Path) -> None:
    """The next change of somebody else makes the first additions stay; then resume and undo know them."""
    before, file = server.entries(), added(tmp_path / "adds.ldif", 4)
    with KillingProxy(server.port) as proxy:
        settings = {"LDAP_URL": proxy.url, "BIND_DN": server.bind_dn, "BIND_PASSWORD": server.password}
        with forking(tmp_path / "killed", dict(os.environ), **settings) as forked:
            program = Program(forked, proxy, tmp_path / "killed")
            for ways in ((("apply", "--resume"), ("undo",)), (("undo",),)):
                proxy.kill_at(3, answered=True)
                code, output = program.run("apply", file, "--transaction")
                assert code == KILLED, output
                server.add(
                    f"dn: cn=other,{ARCHIVE}\nobjectClass: dicomNetworkConnection\ncn: other\ndicomHostname: h\n"
                )
                server.run_client("ldapdelete", f"cn=other,{ARCHIVE}")
                proxy.let_live()
                code, output = program.run("set", "dcm4chee-arc", "dicomDescription=other")
                assert (code, "is unfinished: 3 of 4 steps are applied" in output) == (3, True), output
                for way in ways:
                    code, output = program.run(*way)
                    assert code == 0, output
                assert server.entries() == before
