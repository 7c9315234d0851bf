"""Changes on a provider that a replica follows: syncprov, and a consumer in refreshAndPersist mode (RFC 4533)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dcmcfg.lab.slapd import Slapd
from tests import running_slapd
from tests.archive.scripted import Scripted
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, DEVICES, NEW, NEW_DEVICE, CliSite, attributes, settle_at, undo_files
from tests.patience import PATIENCE_S
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd

pytestmark = pytest.mark.real

STORESCP = f"dicomDeviceName=storescp,{DEVICES}"
FIRST = f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: the first\n\n"
#: The tree takes a second structural class, which the schema knows and allows: only a server refuses it.
REFUSED = (
    f"dn: {STORESCP}\nchangetype: modify\nadd: objectClass\nobjectClass: dicomNetworkConnection\n-\n"
    "replace: dicomHostname\ndicomHostname: localhost\n\n"
)
SECOND = f"dn: {STORESCP}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: the second\n\n"
DEVICE = f"""\
{NEW_DEVICE}dn: {STORESCP}
changetype: modrdn
newrdn: dicomDeviceName=renamed
deleteoldrdn: 1

dn: dicomDeviceName=renamed,{DEVICES}
changetype: modify
replace: dicomDescription
dicomDescription: after its rename

"""


@dataclass(frozen=True)
class Replicated:
    """A site whose directory has a replica."""

    site: CliSite
    replica: RunningSlapd

    def replica_octets(self) -> dict[str, dict[str, frozenset[bytes]]]:
        return {str(entry.dn): attributes(entry) for entry in self.replica.entries()}

    def in_step(self) -> dict[str, dict[str, frozenset[bytes]]]:
        """The tree that both hold, once the replica has followed; the two trees are told apart if it does not."""
        provider = self.site.octets()
        deadline = time.monotonic() + PATIENCE_S
        while (replica := self.replica_octets()) != provider and time.monotonic() < deadline:
            time.sleep(0.02)
        assert replica == provider
        return provider


@pytest.fixture
def replicated(monkeypatch: pytest.MonkeyPatch, archive: Scripted, tmp_path: Path) -> Iterator[Replicated]:
    provider = running_slapd.provider(tmp_path / "provider")
    consumer = Slapd(
        tmp_path / "consumer",
        port=free_port(),
        root_password=PASSWORD,
        extra_database=f'syncrepl rid=001 provider={provider.url} type=refreshAndPersist retry="1 +"\n'
        f'  searchbase="{provider.suffix}" bindmethod=simple binddn="{provider.root_dn}" credentials={PASSWORD}',
    )
    consumer.prepare()
    with provider, consumer:
        both = Replicated(settle_at(monkeypatch, RunningSlapd(provider), archive), RunningSlapd(consumer))
        deadline = time.monotonic() + PATIENCE_S
        while "0" not in (code := str(consumer_code(both.replica))) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert code == "0", "the consumer got no tree"
        both.in_step()
        yield both


def consumer_code(replica: RunningSlapd) -> int:
    """How a search of the suffix ends: 32 until the consumer has it."""
    return replica.run_client("ldapsearch", "-LLL", "-s", "base", "-b", replica.base_dn, "1.1").returncode


def written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_why_no_transaction_a_failing_one_reaches_the_replica_in_part(
    run: Run, replicated: Replicated, tmp_path: Path
) -> None:
    """The provider has changed nothing, the replica has what stood before the failing member.

    Asked for by our own client, which rests before the end: slapd 2.5.13 now and then dies of ``ldapmodify -E txn``.
    """
    before = replicated.in_step()
    file = written(tmp_path / "t.ldif", NEW_DEVICE + REFUSED.replace(STORESCP, NEW))
    failed = run("apply", file, "--yes", "--transaction")
    assert failed.exit_code == 3, failed.output
    assert replicated.site.octets() == before
    deadline = time.monotonic() + PATIENCE_S
    while replicated.replica_octets() == before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert NEW in replicated.replica_octets(), "it no longer does: rule gone?"


def test_the_replica_follows_an_apply_and_its_undo_step_by_step(
    run: Run, replicated: Replicated, tmp_path: Path
) -> None:
    before = replicated.in_step()
    file = written(tmp_path / "t.ldif", FIRST + DEVICE)
    done = run("apply", file, "--yes", "--force-dangling-reference")  # the AE goes on naming the old connection
    assert done.exit_code == 0, done.stderr
    assert "2 to add, 2 to change, 1 to rename, step by step\nApplied step by step.\n" in done.stdout
    after = replicated.in_step()
    assert after[f"dicomDeviceName=renamed,{DEVICES}"]["dicomdescription"] == {b"after its rename"}
    undo_result = run("apply", str(undo_files()[0]), "--yes")
    assert undo_result.exit_code == 0, undo_result.stderr
    assert "step by step\n" in undo_result.stdout
    assert replicated.in_step() == before


def test_the_replica_holds_the_same_after_an_apply_that_fails_part_way(
    run: Run, replicated: Replicated, tmp_path: Path
) -> None:
    before = replicated.in_step()
    file = written(tmp_path / "t.ldif", FIRST + REFUSED + SECOND)
    failed = run("apply", file, "--yes")
    assert failed.exit_code == 4, failed.output
    assert "1 of 3 steps are applied" in failed.stderr
    assert replicated.in_step()[ARCHIVE_DN]["dicomdescription"] == {b"the first"}
    undo_result = run("undo", "--yes")
    assert undo_result.exit_code == 0, undo_result.stderr
    assert replicated.in_step() == before


def test_a_replica_takes_no_changes_and_says_so(
    run: Run, replicated: Replicated, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = replicated.in_step()
    settle_at(monkeypatch, replicated.replica, replicated.site.archive)
    for text in (FIRST, FIRST + SECOND):
        refused = run("apply", written(tmp_path / "t.ldif", text), "--yes")
        assert refused.exit_code == 3, refused.output
        assert refused.stderr.endswith(
            "no update referral)\n  next: the server is a replica: use the URL of its provider\n"
        )
    assert replicated.in_step() == before


def test_a_transaction_may_be_asked_for_and_the_replica_follows(
    run: Run, replicated: Replicated, tmp_path: Path
) -> None:
    before = replicated.in_step()
    done = run("apply", written(tmp_path / "t.ldif", FIRST + SECOND), "--yes", "--transaction")
    assert done.exit_code == 0, done.stderr
    assert "2 to change, in one transaction\nApplied in one transaction.\n" in done.stdout
    assert replicated.in_step() != before
