"""``dcmcfg upgrade schema``: identities and passwords, servers that cannot be changed, replicas, two runs at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from dcmcfg.directory.ldap import connect
from dcmcfg.files.release_schema import read_release_schema
from dcmcfg.lab.slapd import Slapd
from dcmcfg.nodes.replicas import WrittenState, read_written_state
from dcmcfg.rollout.lock import lock_directory
from dcmcfg.schema.comparable import DefinitionKind
from dcmcfg.settings.folders import get_state_folder
from dcmcfg.upgrade.schema.configured import ServerSchemaEntries
from dcmcfg.upgrade.schema.modifies import plan_schema
from tests.cli.at_terminal import at_terminal
from tests.cli.conftest import Run
from tests.cli.schema_sites import (
    COUNT,
    COUNT_DN,
    DEVICE,
    TARGET,
    Serve,
    config_settings,
    definitions,
    find_schema_folder,
    lacks,
)
from tests.config_slapd import CONFIG_DN, CONFIG_PASSWORD, RunningConfigSlapd
from tests.cutting_proxy import CuttingProxy
from tests.patience import comes_true
from tests.ports import free_port
from tests.running_slapd import PASSWORD
from tests.sampling import LONG, sample
from tests.upgrade.customised import Releases

pytestmark = pytest.mark.real

#: The user of the environment belongs to the URL of the environment, not to that of a profile.
CONFIG = ("--config-user", CONFIG_DN)
DATABASE = "olcDatabase={1}mdb,cn=config"


long_only = pytest.mark.skipif(not LONG, reason="takes seconds: runs with DCMCFG_LONG")


@pytest.fixture
def server(serve: Serve) -> RunningConfigSlapd:
    return serve("5.31.0")


def test_the_password_comes_from_a_file_the_environment_or_a_prompt(
    run: Run, server: RunningConfigSlapd, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = definitions(server.schema())
    file = tmp_path / "password"
    file.write_text(f"{CONFIG_PASSWORD}\n")
    file.chmod(0o600)
    for name in ("DCMCFG_CONFIG_USER", "DCMCFG_CONFIG_PASSWORD"):
        monkeypatch.delenv(name)
    user = ("--config-user", CONFIG_DN)
    by_option = run("upgrade", "schema", "--to", target, "--yes", *user, "--config-password-file", str(file))
    assert by_option.exit_code == 0, by_option.stderr
    assert by_option.stdout.endswith(
        f"To revert it: dcmcfg upgrade schema --undo --config-user {CONFIG_DN} --config-password-file {file}\n"
    )
    missing = run("upgrade", "schema", "--undo", "--yes", *user)
    assert (missing.exit_code, missing.stdout) == (3, "")
    assert f"no password for {CONFIG_DN}\n" in missing.stderr
    assert "--config-password-file FILE, or set DCMCFG_CONFIG_PASSWORD\n" in missing.stderr
    code, shown = at_terminal(
        ["upgrade", "schema", "--undo", *user],
        [(f"Password of {CONFIG_DN} @ {server.url}: ", CONFIG_PASSWORD), ("[y/N]: ", "y")],
    )
    assert code == 0, shown
    assert CONFIG_PASSWORD not in shown
    assert definitions(server.schema()) == schema
    monkeypatch.setenv("DCMCFG_CONFIG_PASSWORD_FILE", str(file))
    assert run("upgrade", "schema", "--to", target, "--yes", *user).exit_code == 0
    monkeypatch.delenv("DCMCFG_CONFIG_PASSWORD_FILE")
    monkeypatch.setenv("DCMCFG_CONFIG_PASSWORD", CONFIG_PASSWORD)
    undone = run("upgrade", "schema", "--undo", "--yes", *user)
    assert undone.exit_code == 0, undone.stderr
    # The removed definitions have no second names, so these lines would be equal.
    assert "  removed: " in undone.stdout
    assert "names that no longer exist: " not in undone.stdout
    assert definitions(server.schema()) == schema


def test_a_declined_or_unanswered_plan_changes_nothing(run: Run, server: RunningConfigSlapd, target: str) -> None:
    schema = definitions(server.schema())
    code, shown = at_terminal(["upgrade", "schema", "--to", target], [("Apply these changes? [y/N]: ", "n")])
    assert code == 1
    assert "9 requests (93 values)" not in shown
    assert "29 definitions added, 8 changed, 0 removed; 9 requests (45 values)" in " ".join(shown.split())
    no_terminal = run("upgrade", "schema", "--to", target)
    assert no_terminal.exit_code == 1
    assert definitions(server.schema()) == schema


def test_over_ldapi_the_account_itself_is_the_administrator(
    run: Run, server: RunningConfigSlapd, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DCMCFG_CONFIG_USER", "DCMCFG_CONFIG_PASSWORD", "DCMCFG_LDAP_URL", "DCMCFG_BIND_PASSWORD"):
        monkeypatch.delenv(name)
    done = run("upgrade", "schema", "--to", target, "--yes", "--ldap-url", server.slapd.ldapi_url)
    assert done.exit_code == 0, done.stderr
    assert lacks(server, target) == []
    back = run(
        "upgrade", "schema", "--undo", "--yes", "--ldap-url", server.slapd.ldapi_url, "--config-user", "EXTERNAL"
    )
    assert back.exit_code == 0, back.stderr


def test_a_wrong_password_and_a_server_that_is_away_change_nothing(
    run: Run, server: RunningConfigSlapd, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = definitions(server.schema())
    monkeypatch.setenv("DCMCFG_CONFIG_PASSWORD", "wrong")
    refused = run("upgrade", "schema", "--to", target, "--yes")
    assert refused.exit_code == 3
    assert "(from DCMCFG_CONFIG_USER) and the password (from DCMCFG_CONFIG_PASSWORD)" in refused.stderr
    assert definitions(server.schema()) == schema
    server.slapd.stop()
    away = run("upgrade", "schema", "--to", target, "--yes", "--json")
    assert away.exit_code == 3
    assert json.loads(away.stdout)["error"]["exit_code"] == 3


def test_without_access_to_the_configuration_the_missing_definitions_and_the_files_are_shown(
    run: Run, server: RunningConfigSlapd, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DCMCFG_CONFIG_USER")
    refused = run("upgrade", "schema", "--to", target, "--yes")
    assert refused.exit_code == 3
    assert f"the server does not show cn=config to {server.bind_dn}\n" in refused.stderr
    assert "  missing: dcmShareTransferCapabilitiesFromAETitle, " in refused.stdout
    for name in ("dicom", "dcm4che", "dcm4chee-archive", "dcm4chee-archive-ui"):
        assert f"  {target}/schema/{name}.schema\n" in refused.stdout


def test_who_may_only_read_the_configuration_gets_the_file(
    run: Run, server: RunningConfigSlapd, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.modify_config(
        "dn: olcDatabase={0}config,cn=config\nchangetype: modify\nreplace: olcAccess\n"
        f'olcAccess: {{0}}to * by dn.exact="{server.bind_dn}" read\n'
    )
    monkeypatch.delenv("DCMCFG_CONFIG_USER")
    schema = definitions(server.schema())
    refused = run("upgrade", "schema", "--to", target, "--yes")
    assert refused.exit_code == 3
    assert "is not allowed to change the schema" in refused.stderr
    assert definitions(server.schema()) == schema
    file = tmp_path / "schema.ldif"
    assert run("upgrade", "schema", "--to", target, "-o", str(file)).exit_code == 0
    assert server.run_config_client("ldapmodify", "-f", str(file)).returncode == 0
    assert lacks(server, target) == []


def test_a_server_with_slapd_conf_is_not_changed(
    run: Run, tmp_path: Path, target: str, fresh_account: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without the second database, cn=config exists but nobody may read it.
    extra = f'database config\nrootdn "{CONFIG_DN}"\nrootpw {CONFIG_PASSWORD}'
    for number, (lines, reported) in enumerate(
        (("", "does not show cn=config"), (extra, "reads its configuration from slapd.conf"))
    ):
        slapd = Slapd(tmp_path / str(number), port=free_port(), root_password=PASSWORD, extra_database=lines)
        slapd.prepare()
        with slapd:
            monkeypatch.setenv("DCMCFG_LDAP_URL", slapd.url)
            monkeypatch.setenv("DCMCFG_BIND_PASSWORD", PASSWORD)
            if lines:
                monkeypatch.setenv("DCMCFG_CONFIG_USER", CONFIG_DN)
                monkeypatch.setenv("DCMCFG_CONFIG_PASSWORD", CONFIG_PASSWORD)
            refused = run("upgrade", "schema", "--to", target, "--yes")
        assert refused.exit_code == 3
        assert reported in refused.stderr, refused.stderr
        line = f"  include {target}/schema/dicom.schema\n" if lines else f"  {target}/schema/dicom.schema\n"
        assert line in refused.stdout


def test_an_account_makes_one_change_at_a_time(run: Run, server: RunningConfigSlapd, target: str) -> None:
    schema = definitions(server.schema())
    with lock_directory(get_state_folder(), server.url):
        refused = run("upgrade", "schema", "--to", target, "--yes")
    assert refused.exit_code == 3
    assert "another change is in progress" in refused.stderr
    assert definitions(server.schema()) == schema
    # Nothing was changed, so there is nothing to revert.
    assert run("upgrade", "schema", "--undo", "--yes").exit_code == 3


@long_only
def test_two_accounts_at_once_leave_a_schema_that_can_be_completed(
    run: Run, server: RunningConfigSlapd, target: str
) -> None:
    command = [sys.executable, "-m", "dcmcfg", "upgrade", "schema", "--to", target, "--yes"]
    # Two accounts have different locks, so only the server can refuse one of them.
    runs = [
        subprocess.Popen(
            command,
            env={**os.environ, "XDG_STATE_HOME": f"{os.environ['XDG_STATE_HOME']}-{number}"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for number in range(2)
    ]
    codes = [each.wait() for each in runs]
    for each in runs:
        assert each.stderr is not None
        each.stderr.close()
    if lacks(server, target):
        assert 0 not in codes
        assert run("upgrade", "schema", "--to", target, "--yes").exit_code == 0
    assert lacks(server, target) == []
    assert server.slapd.can_start() == ""


HOSTILE = {
    "the name of a built-in attribute": (
        "attributetype ( 1.2.40.0.13.1.15.110.3.99999 NAME 'objectClass' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
        "for a second time",
    ),
    "an attribute of OpenLDAP's own schema": (
        "attributetype ( 2.5.4.10 NAME 'o' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
        "part of OpenLDAP's own schema core",
    ),
    "an unknown attribute": (
        "objectclass ( 1.2.40.0.13.1.15.110.4.99999 NAME 'dcmX' SUP top AUXILIARY MAY nowhere )",
        "uses nowhere, which is not defined earlier in the load order",
    ),
    "half a definition": ("attributetype ( 1.2.40.0.13.1.15.110.3.99999 NAME 'dcmX'", "not a schema definition"),
    "an unknown macro": ("attributetype ( dcm:5 NAME 'dcmX' )", "neither numeric nor a defined macro"),
}


@pytest.mark.parametrize("kind", sample(list(HOSTILE), 0.4))
def test_hostile_schema_files_change_nothing(
    run: Run, server: RunningConfigSlapd, target: str, tmp_path: Path, kind: str
) -> None:
    schema = definitions(server.schema())
    text, reported = HOSTILE[kind]
    folder = tmp_path / "release"
    folder.mkdir()
    for file in (Path(target) / "schema").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    with (folder / "dcm4chee-archive.schema").open("a", encoding="utf-8") as appended:
        appended.write(f"\n{text}\n")
    refused = run("upgrade", "schema", "--to", str(folder), "--yes")
    assert refused.exit_code in (2, 3), refused.stdout
    assert reported in refused.stderr
    assert definitions(server.schema()) == schema
    (folder / "dicom.schema").unlink()
    incomplete = run("upgrade", "schema", "--to", str(folder), "--yes")
    assert incomplete.exit_code == 3
    assert "Missing files: dicom.schema\n" in incomplete.stderr


@dataclass(frozen=True)
class Replicated:
    provider: RunningConfigSlapd
    consumer: RunningConfigSlapd

    def follows(self) -> bool:
        return comes_true(
            lambda: sorted(map(str, self.consumer.entries())) == sorted(map(str, self.provider.entries()))
        )

    def stop_replication(self) -> str:
        """Remove the syncrepl of the consumer, which then gets no more changes; return it."""
        found = self.consumer.run_config_client(
            "ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", DATABASE, "-s", "base", "olcSyncrepl"
        )
        self.consumer.modify_config(f"dn: {DATABASE}\nchangetype: modify\ndelete: olcSyncrepl\n")
        return found.stdout.split("olcSyncrepl: ")[1].strip()

    def continue_replication(self, syncrepl: str) -> None:
        self.consumer.modify_config(f"dn: {DATABASE}\nchangetype: modify\nadd: olcSyncrepl\nolcSyncrepl: {syncrepl}\n")


@pytest.fixture
def replicated(run: Run, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Replicated:
    """A provider with a consumer, which a node of the profile ``hospital`` reads."""
    provider = serve("5.23.0", name="provider", data=COUNT, modules=("syncprov",), extra_database="overlay syncprov")
    consumer = serve(
        "5.23.0",
        name="consumer",
        loads=False,
        extra_database=f'syncrepl rid=001 provider={provider.url} type=refreshAndPersist retry="1 +"\n'
        f'  searchbase="{provider.base_dn}" bindmethod=simple binddn="{provider.bind_dn}" credentials={PASSWORD}',
    )
    password = tmp_path / "bind-password"
    password.write_text(f"{PASSWORD}\n")
    password.chmod(0o600)
    for name in ("DCMCFG_LDAP_URL", "DCMCFG_BIND_PASSWORD"):
        monkeypatch.delenv(name)
    values = {
        "ldap_url": provider.url,
        "bind_password_file": str(password),
        "archive_url": "http://127.0.0.1:9/dcm4chee-arc",
        "nodes.a.archive_url": "http://127.0.0.1:9/dcm4chee-arc",
        "nodes.b.archive_url": "http://127.0.0.2:9/dcm4chee-arc",
        "nodes.b.ldap_url": consumer.url,
    }
    for key, value in values.items():
        done = run("config", "set", f"hospital.{key}", value)
        assert done.exit_code == 0, done.stderr
    monkeypatch.setenv("DCMCFG_PROFILE", "hospital")
    both = Replicated(provider, consumer)
    assert both.follows()
    return both


def test_replicas_are_changed_first_and_the_provider_last(run: Run, replicated: Replicated, target: str) -> None:
    schemas = [definitions(each.schema()) for each in (replicated.consumer, replicated.provider)]
    done = run("upgrade", "schema", "--to", target, "--yes", *CONFIG, "--drop-obsolete", "--json")
    assert done.exit_code == 0, done.stderr
    report = json.loads(done.stdout)
    assert [each["ldap_url"] for each in report["servers"]] == [replicated.consumer.url, replicated.provider.url]
    assert (report["applied"], report["data_change"]) == (True, 1)
    assert lacks(replicated.consumer, target) == lacks(replicated.provider, target) == []
    assert replicated.follows()
    back = run("upgrade", "schema", "--undo", "--yes", *CONFIG)
    assert back.exit_code == 0, back.stderr
    # A replica must not lose a definition that its provider still has.
    assert back.stdout.index(replicated.provider.url) < back.stdout.index(replicated.consumer.url)
    assert [definitions(each.schema()) for each in (replicated.consumer, replicated.provider)] == schemas
    assert run("undo", "1", "--yes", "--no-reload").exit_code == 0
    assert replicated.follows()
    assert COUNT_DN in {str(each.dn) for each in replicated.consumer.entries() if "dcmuiCountAET" in each}


def test_a_replica_that_is_away_or_refuses_stops_the_update_before_it_begins(
    run: Run, replicated: Replicated, target: str
) -> None:
    schema = definitions(replicated.provider.schema())
    replicated.consumer.modify_config(
        "dn: olcDatabase={0}config,cn=config\nchangetype: modify\nreplace: olcRootPW\nolcRootPW: another\n"
    )
    refused = run("upgrade", "schema", "--to", target, "--yes", *CONFIG, "--drop-obsolete")
    assert refused.exit_code == 3
    assert replicated.consumer.url in refused.stderr
    assert "nothing was changed on any server" in refused.stderr
    replicated.consumer.slapd.stop()
    away = run("upgrade", "schema", "--to", target, "--yes", *CONFIG, "--drop-obsolete")
    assert away.exit_code == 3
    assert replicated.consumer.url in away.stderr
    assert definitions(replicated.provider.schema()) == schema
    assert COUNT_DN in {str(each.dn) for each in replicated.provider.entries() if "dcmuiCountAET" in each}


@long_only
def test_a_replica_that_is_behind_keeps_its_schema_until_it_follows(
    run: Run, replicated: Replicated, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dcmcfg.cli.session.schema_update._REPLICA_TIMEOUT_S", 0.3)
    schemas = [definitions(each.schema()) for each in (replicated.consumer, replicated.provider)]
    syncrepl = replicated.stop_replication()
    stopped = run("upgrade", "schema", "--to", target, "--yes", *CONFIG, "--drop-obsolete")
    assert stopped.exit_code == 4, stopped.stderr
    assert f"{COUNT_DN}: dcmuiCountAET\n" in stopped.stderr
    assert f"complete: none\n  not complete: {replicated.consumer.url}, {replicated.provider.url}\n" in stopped.stderr
    assert [definitions(each.schema()) for each in (replicated.consumer, replicated.provider)] == schemas
    replicated.continue_replication(syncrepl)
    assert replicated.follows()
    again = run("upgrade", "schema", "--to", target, "--yes", *CONFIG)
    assert again.exit_code == 0, again.stderr
    assert lacks(replicated.consumer, target) == lacks(replicated.provider, target) == []
    back = run("upgrade", "schema", "--undo", "--yes", *CONFIG)
    assert back.exit_code == 0, back.stderr
    # The values were deleted by the first run, and their change is still known.
    assert back.stdout.endswith("dcmcfg undo 1\n")
    assert [definitions(each.schema()) for each in (replicated.consumer, replicated.provider)] == schemas


def test_an_undo_waits_for_a_replica_that_is_behind(
    run: Run, replicated: Replicated, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("upgrade", "schema", "--to", target, "--yes", *CONFIG, "--drop-obsolete").exit_code == 0
    schemas = [definitions(each.schema()) for each in (replicated.consumer, replicated.provider)]
    assert run("set", "dcm4chee-arc", "dcmDeleteStudyInterval=PT1H", "--yes", "--no-reload").exit_code == 0
    used = run("upgrade", "schema", "--undo", "--yes", *CONFIG)
    assert used.exit_code == 3
    assert f"{replicated.provider.url}: entries use attributes or object classes that this change" in used.stderr
    assert "next: revert the changes of these entries first: dcmcfg undo" in used.stderr
    assert replicated.follows()
    syncrepl = replicated.stop_replication()
    assert run("undo", "--yes", "--no-reload").exit_code == 0
    with monkeypatch.context() as patch:
        patch.setattr("dcmcfg.cli.session.schema_undo._REPLICA_TIMEOUT_S", 0.3)
        behind = run("upgrade", "schema", "--undo", "--yes", *CONFIG)
    assert behind.exit_code == 3
    assert (
        f"{replicated.consumer.url}: entries use attributes or object classes that this change removes. The directory "
        "itself has no such entries, so this replica probably does not have the newest changes yet\n"
        f"  {DEVICE}: dcmDeleteStudyInterval\n"
        "  next: wait, and run the command again. To compare the replica with the directory: dcmcfg status --replicas\n"
    ) in behind.stderr
    assert [definitions(each.schema()) for each in (replicated.consumer, replicated.provider)] == schemas

    def begin_to_wait(*arguments: Any) -> WrittenState:
        replicated.continue_replication(syncrepl)
        return read_written_state(*arguments)

    monkeypatch.setattr("dcmcfg.cli.session.schema_undo.read_written_state", begin_to_wait)
    back = run("upgrade", "schema", "--undo", "--yes", *CONFIG)
    assert back.exit_code == 0, back.stderr


def test_a_plan_names_the_schema_of_each_server_as_the_next_step(
    run: Run, replicated: Replicated, target: str, releases: Releases
) -> None:
    updates = ("--updates", str(releases.upstream / "updates"), "--updates", str(releases.more / "updates"))
    source = str(find_schema_folder(releases, "5.23.0"))
    plan = ("upgrade", "plan", "--from", source, "--to", target, *updates)
    refused = run(*plan)
    assert refused.exit_code == 3
    assert "the server's schema does not allow " in refused.stderr
    assert refused.stderr.endswith(
        f"  next: install the schema of the release: dcmcfg upgrade schema --to {target} (if the bind DN of the "
        "site is not the administrator of cn=config: add --config-user DN)\n"
    )
    found = json.loads(run("upgrade", "status", "--to", target, *updates, "--release", source, "--json").stdout)
    assert [each["releases"] for each in found["schemas"]] == [["5.23.0"], ["5.23.0"]]
    assert run("upgrade", "schema", "--to", target, "--yes", *CONFIG, "--drop-obsolete").exit_code == 0
    planned = run(*plan)
    assert planned.exit_code in (0, 1), planned.stderr
    shown = run("upgrade", "status", "--to", target, *updates).stdout
    assert "schema of the directory server: release 5.33.1\n" in shown
    assert f"schema of the replica {replicated.consumer.url}: release 5.33.1\n" in shown
    # The provider has the schema, and the replica not yet.
    _restore_schema(replicated.consumer, source)
    behind = run(*plan)
    assert behind.exit_code == 3
    assert behind.stderr.startswith(f"dcmcfg: {replicated.consumer.url}: the server's schema does not allow ")


def _restore_schema(server: RunningConfigSlapd, source: str) -> None:
    """Give *server* the schema of the release *source*, without dcmcfg's records."""
    live = server.schema()
    for step in plan_schema(live, want_only(live, source)).steps:
        with connect(config_settings(server)) as directory:
            directory.apply(step.change)


def want_only(live: ServerSchemaEntries, source: str) -> ServerSchemaEntries:
    """Return *live* with exactly the definitions of the release *source* in the entries of the archive."""
    files = {each.name: each.definitions for each in read_release_schema(Path(source)).files}
    entries = []
    for entry in live:
        wanted = entry
        for kind in DefinitionKind:
            if entry.name in files:
                wanted = wanted.with_definitions(kind, [each for each in files[entry.name] if each.kind is kind])
        entries.append(wanted)
    return replace(live, entries=tuple(entries))


@pytest.mark.parametrize("closing", [False, True], ids=["reachable", "away"])
def test_a_modify_whose_response_is_lost_is_read_from_the_server(
    run: Run, server: RunningConfigSlapd, target: str, monkeypatch: pytest.MonkeyPatch, closing: bool
) -> None:
    with CuttingProxy(server.slapd.port, after=b"olcAttributeTypes", closing=closing) as proxy:
        monkeypatch.setenv("DCMCFG_LDAP_URL", proxy.url)
        done = run("upgrade", "schema", "--to", target, "--yes")
        assert proxy.has_cut
        if closing:
            assert done.exit_code == 4
            assert "modifications, perhaps one more\n" in done.stderr
        else:
            assert done.exit_code == 0, done.stderr
            assert lacks(server, target) == []
    if closing:
        # The record belongs to the URL of the proxy.
        assert server.slapd.can_start() == ""
        monkeypatch.setenv("DCMCFG_LDAP_URL", server.url)
        done = run("upgrade", "schema", "--to", target, "--yes")
        assert done.exit_code == 0, done.stderr
        assert lacks(server, target) == []


def test_an_older_release_does_not_replace_a_schema_that_entries_use(
    run: Run, serve: Serve, releases: Releases, target: str
) -> None:
    server = serve(TARGET)
    schema = definitions(server.schema())
    refused = run("upgrade", "schema", "--to", str(find_schema_folder(releases, "5.29.0")), "--yes")
    assert refused.exit_code == 3, refused.stdout
    problem = "the schema of release 5.29.0 is older than the server's schema, and does not allow all entries"
    assert f"{problem} of the directory\n" in refused.stderr
    assert definitions(server.schema()) == schema


@long_only
def test_the_replicas_stay_complete_if_the_provider_fails(
    run: Run, replicated: Replicated, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CuttingProxy(replicated.provider.slapd.port, after=b"olcAttributeTypes", closing=True) as proxy:
        run("config", "set", "hospital.ldap_url", proxy.url)
        stopped = run("upgrade", "schema", "--to", target, "--yes", "--drop-obsolete", *CONFIG)
        assert proxy.has_cut
    assert stopped.exit_code == 4, stopped.stderr
    assert f"complete: {replicated.consumer.url}\n  not complete: {proxy.url}\n" in stopped.stderr
    assert lacks(replicated.consumer, target) == []
    assert lacks(replicated.provider, target)
    assert replicated.provider.slapd.can_start() == ""
    run("config", "set", "hospital.ldap_url", replicated.provider.url)
    again = run("upgrade", "schema", "--to", target, "--yes", *CONFIG)
    assert again.exit_code == 0, again.stderr
    assert lacks(replicated.provider, target) == []


def test_a_missing_schema_entry_is_added(run: Run, serve: Serve, target: str) -> None:
    server = serve("5.31.0", without=("dcm4chee-archive-ui",), loads=False)
    assert server.schema().find("dcm4chee-archive-ui") is None
    done = run("upgrade", "schema", "--to", target, "--yes")
    assert done.exit_code == 0, done.stderr
    assert lacks(server, target) == []
    server.slapd.stop()
    server.slapd.start()
    assert lacks(server, target) == []
    assert run("upgrade", "schema", "--undo", "--yes").exit_code == 0
    added = server.schema().find("dcm4chee-archive-ui")
    assert added is not None
    assert (added.attribute_types, added.object_classes) == ((), ())
    assert server.slapd.can_start() == ""


def test_entries_that_the_new_schema_no_longer_allows_are_a_warning(
    run: Run, server: RunningConfigSlapd, target: str, tmp_path: Path
) -> None:
    folder = tmp_path / "release"
    folder.mkdir()
    for file in (Path(target) / "schema").iterdir():
        text = file.read_text("utf-8")
        if file.name == "dicom.schema":
            assert "dicomPrimaryDeviceType $" in text
            text = text.replace("dicomPrimaryDeviceType $", "")
        (folder / file.name).write_text(text, "utf-8")
    done = run("upgrade", "schema", "--to", str(folder), "--yes")
    assert done.exit_code == 0, done.stderr
    assert done.stderr.startswith("warning: dicomDeviceName=")
    assert "dicomPrimaryDeviceType" in done.stderr
