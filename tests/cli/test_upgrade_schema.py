"""``dcmcfg upgrade schema`` on real servers with cn=config: the data stay, and the server can start at any time."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from dcmcfg.directory.ldap import connect
from dcmcfg.files.release_schema import read_release_schema
from dcmcfg.schema_update.server import read_schema_entries
from dcmcfg.upgrade.schema.modifies import SchemaStep, plan_schema
from dcmcfg.upgrade.schema.wanted import want_release
from tests.cli.conftest import Run
from tests.cli.schema_sites import (
    COUNT,
    COUNT_DN,
    DEVICE,
    HOSPITAL_SCHEMA,
    TARGET,
    Serve,
    config_settings,
    definitions,
    find_schema_folder,
    lacks,
    restart,
)
from tests.cli.sites import attributes
from tests.config_slapd import AT_1, AT_4, CONFIG_DN, CONFIG_PASSWORD, RunningConfigSlapd
from tests.forked import forking
from tests.killing_proxy import KillingProxy
from tests.rollout.programs import Program
from tests.sampling import LONG, sample
from tests.upgrade.customised import Releases

pytestmark = pytest.mark.real

#: An attribute of the archive device that 5.31.0 does not have.
NEW_ATTRIBUTE = "dcmRelationalMismatchPolicy"
UI_SCHEMA = "cn={7}dcm4chee-archive-ui,cn=schema,cn=config"
SERVERS = [(version, before) for version in ("5.14.1", "5.23.0", "5.29.0", "5.31.0") for before in (AT_4, AT_1)]


@pytest.mark.parametrize(("version", "before"), SERVERS if LONG else [SERVERS[0], SERVERS[3]])
def test_the_target_is_complete_the_data_stay_and_undo_restores_the_schema(
    run: Run, serve: Serve, target: str, version: str, before: Sequence[str]
) -> None:
    server = serve(version, before=before)
    data, schema = server.octets(), definitions(server.schema())
    assert lacks(server, target)
    done = run("upgrade", "schema", "--to", target, "--yes")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.endswith(
        "Applied. The schema of release 5.33.1 is complete on 1 server.\nTo revert it: dcmcfg upgrade schema --undo\n"
    )
    assert lacks(server, target) == []
    assert server.octets() == data
    restart(server)
    assert lacks(server, target) == []
    assert server.octets() == data
    again = run("upgrade", "schema", "--to", target, "--yes")
    assert again.exit_code == 0
    assert again.stdout.endswith("No changes: the schema of release 5.33.1 is complete.\n")
    undone = run("upgrade", "schema", "--undo", "--yes")
    assert undone.exit_code == 0, undone.stderr
    assert definitions(server.schema()) == schema
    restart(server)
    assert definitions(server.schema()) == schema
    assert server.octets() == data


def test_official_files_fail_where_the_computed_changes_do_not(serve: Serve, releases: Releases) -> None:
    server = serve("5.14.1")
    folder = releases.more / TARGET / "slapd"
    results = {
        name: server.run_config_client("ldapmodify", "-f", str(folder / f"{name}-modify.ldif")).returncode
        for name in ("dicom", "dcm4che", "dcm4chee-archive", "dcm4chee-archive-ui")
    }
    assert results["dcm4che"] == 80
    assert results["dcm4chee-archive"] != 0


def test_the_computed_file_does_the_same_with_ldapmodify(run: Run, serve: Serve, target: str, tmp_path: Path) -> None:
    server = serve("5.14.1", before=AT_1)
    file = tmp_path / "schema.ldif"
    written = run("upgrade", "schema", "--to", target, "-o", str(file))
    assert written.exit_code == 0, written.stderr
    assert written.stdout.endswith(f"Written, and not applied: {file}\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert lacks(server, target)
    done = server.run_config_client("ldapmodify", "-f", str(file))
    assert done.returncode == 0, done.stderr
    assert lacks(server, target) == []
    again = run("upgrade", "schema", "--to", target, "-o", str(file))
    assert (again.exit_code, "the file exists" in again.stderr) == (3, True)


def test_definitions_of_the_site_stay_and_come_back_in_their_places(run: Run, serve: Serve, target: str) -> None:
    server = serve("5.23.0", extra_schema=HOSPITAL_SCHEMA)
    own = server.schema().find("hospital")
    assert own is not None
    done = run("upgrade", "schema", "--to", target, "--yes", "--json")
    assert done.exit_code == 0, done.stderr
    # dcmMergeAttribute has changed, so the class that names it was deleted and added again.
    assert "dcmMergeAttribute" in {each["name"] for each in json.loads(done.stdout)["servers"][0]["changed"]}
    assert server.schema().find("hospital") == own
    kept = server.schema().find("dcm4chee-archive-ui")
    assert kept is not None
    # 5.33.1 has no such attribute, and nothing else has its name or OID.
    assert "dcmuielasticsearchurlkeycloakserver" in {name for each in kept.attribute_types for name in each.names}
    restart(server)
    assert lacks(server, target) == []


def test_values_of_a_removed_attribute_stop_the_update_unless_they_are_deleted_first(
    run: Run, serve: Serve, target: str
) -> None:
    server = serve("5.23.0", data=COUNT)
    data, schema = server.octets(), definitions(server.schema())
    refused = run("upgrade", "schema", "--to", target, "--yes")
    assert refused.exit_code == 3, refused.stdout
    assert f"{COUNT_DN}: dcmuiCountAET\n" in refused.stderr
    assert "--drop-obsolete" in refused.stderr
    assert (server.octets(), definitions(server.schema())) == (data, schema)
    done = run("upgrade", "schema", "--to", target, "--yes", "--drop-obsolete")
    assert done.exit_code == 0, done.stderr
    assert "Deleted the values (change 1).\n" in done.stdout
    assert lacks(server, target) == []
    changed = [new for old, new in zip(data, server.octets(), strict=True) if old != new]
    assert [each.partition("\n")[0] for each in changed] == [f"dn: {COUNT_DN}"]
    assert "dcmuiCount" not in changed[0]
    too_early = run("undo", "--yes", "--no-reload")
    assert too_early.exit_code == 3, too_early.stdout
    back = run("upgrade", "schema", "--undo", "--yes")
    assert back.exit_code == 0, back.stderr
    assert back.stdout.endswith("To restore the deleted values: dcmcfg undo 1\n")
    assert definitions(server.schema()) == schema
    assert run("undo", "--yes", "--no-reload").exit_code == 0
    assert "dcmuiCountAET: DCM4CHEE\n" in next(each for each in server.octets() if each.startswith(f"dn: {COUNT_DN}\n"))


def test_undo_is_refused_while_entries_need_the_new_schema(run: Run, serve: Serve, target: str) -> None:
    server = serve("5.31.0")
    schema = definitions(server.schema())
    assert run("upgrade", "schema", "--to", target, "--yes").exit_code == 0
    upgraded = definitions(server.schema())
    changed = run("set", DEVICE, f"{NEW_ATTRIBUTE}=REJECT", "--yes", "--no-reload")
    assert changed.exit_code == 0, changed.stderr
    refused = run("upgrade", "schema", "--undo", "--yes")
    assert refused.exit_code == 3, refused.stdout
    assert f"{DEVICE}: {NEW_ATTRIBUTE}\n" in refused.stderr
    assert "dcmcfg undo" in refused.stderr
    assert definitions(server.schema()) == upgraded
    assert run("undo", "--yes", "--no-reload").exit_code == 0
    assert run("upgrade", "schema", "--undo", "--yes").exit_code == 0
    assert definitions(server.schema()) == schema
    nothing_left = run("upgrade", "schema", "--undo", "--yes")
    assert nothing_left.exit_code == 3
    assert "is already reverted: nothing is left to revert" in nothing_left.stderr


def test_undo_is_refused_while_the_former_schema_does_not_allow_an_entry(
    run: Run, serve: Serve, target: str, tmp_path: Path
) -> None:
    server = serve("5.23.0")
    assert run("upgrade", "schema", "--to", target, "--yes").exit_code == 0
    upgraded = definitions(server.schema())
    # 5.23.0 has the attribute, but not in the object class of a queue.
    queue = f"dcmQueueName=Export1,{DEVICE}"
    file = tmp_path / "change.ldif"
    file.write_text(f"dn: {queue}\nchangetype: modify\nadd: dicomInstalled\ndicomInstalled: TRUE\n")
    assert server.run_client("ldapmodify", "-f", str(file)).returncode == 0
    refused = run("upgrade", "schema", "--undo", "--yes")
    assert refused.exit_code == 3, refused.stdout
    assert f"the former schema does not allow these entries\n  {queue}: " in refused.stderr
    assert definitions(server.schema()) == upgraded


@pytest.mark.skipif(not LONG, reason="takes seconds: runs with DCMCFG_LONG")
@pytest.mark.parametrize("version", ["5.23.0", "5.29.0"])
def test_the_configuration_follows_the_schema_and_both_are_reverted_in_the_opposite_order(
    run: Run, serve: Serve, target: str, version: str, releases: Releases, tmp_path: Path
) -> None:
    server = serve(version, loads=False)
    server.slapd.stop()
    server.slapd.load_files([releases.build_file("hospital", version)])
    server.slapd.start()

    def read_entries() -> dict[str, dict[str, frozenset[bytes]]]:
        return {str(each.dn): attributes(each) for each in server.entries()}

    before, schema = read_entries(), definitions(server.schema())
    updates = ("--updates", str(releases.upstream / "updates"), "--updates", str(releases.more / "updates"))
    source, plan = str(find_schema_folder(releases, version)), tmp_path / "plan.ldif"
    options = ("upgrade", "plan", "--from", source, "--to", target, *updates, "--gap", "all", "-o", str(plan))
    assert run(*options).exit_code == 3
    without_server = tmp_path / "without-server.ldif"
    tree = str(releases.build_file("hospital", version))
    assert run(*options[:-1], str(without_server), "--tree", tree).exit_code in (0, 1)
    refused = run("upgrade", "apply", str(without_server), "--yes", "--no-reload")
    assert refused.exit_code == 3
    assert refused.stderr.endswith(
        f"  next: install the schema of the release: dcmcfg upgrade schema --to {target} (if the bind DN of the "
        "site is not the administrator of cn=config: add --config-user DN)\n"
    )
    assert "--force-server-schema" not in refused.stderr
    assert run("upgrade", "schema", "--to", target, "--yes").exit_code == 0
    planned = run(*options)
    assert planned.exit_code in (0, 1), planned.stderr
    applied = run("apply", str(plan), "--yes", "--no-reload")
    assert applied.exit_code == 0, applied.stderr
    too_early = run("upgrade", "schema", "--undo", "--yes")
    assert too_early.exit_code == 3
    assert "revert the changes of these entries first: dcmcfg undo" in too_early.stderr
    undone = run("undo", "--yes", "--no-reload")
    assert undone.exit_code == 0, undone.stderr
    assert read_entries() == before
    back = run("upgrade", "schema", "--undo", "--yes")
    assert back.exit_code == 0, back.stderr
    assert (definitions(server.schema()), read_entries()) == (schema, before)
    twice = run("upgrade", "schema", "--undo", "--yes")
    assert (twice.exit_code, twice.stdout) == (3, "")
    assert "the last update of the schema (release 5.33.1) is already reverted: nothing is left to revert" in (
        twice.stderr
    )


#: A value of the server's own configuration that names a definition which 5.33.1 no longer has, or has changed.
CONFIGURATIONS = {
    "index": ("", "index dcmuiCountAET eq", "olcDbIndex uses dcmuiCountAET\n"),
    "index of a definition that comes again": (
        "",
        "index dcmMergeAttribute eq",
        "olcDbIndex uses dcmMergeAttribute (defined again at the end)\n",
    ),
    "access": ("", "access to attrs=dcmuiCountAET by * read", "olcAccess uses dcmuiCountAET\n"),
    "filter of an access rule": (
        "",
        "access to filter=(objectClass=dcmuiDashboardConfig) by * read",
        "olcAccess uses dcmuiDashboardConfig (defined again at the end)\n",
    ),
    "limits": (
        "",
        'limits group/dcmuiDashboardConfig/dcmuiCountAET="cn=x,dc=dcm4che,dc=org" size=9',
        "olcLimits uses dcmuiDashboardConfig, dcmuiCountAET\n",
    ),
    "overlay": (
        "unique",
        "overlay unique\nunique_uri ldap:///?dcmuiCountAET?sub",
        "olcUniqueURI uses dcmuiCountAET\n",
    ),
}


@pytest.mark.parametrize("kind", sample(list(CONFIGURATIONS), 0.4))
def test_a_definition_that_the_configuration_of_the_server_uses_is_not_removed(
    run: Run, serve: Serve, target: str, kind: str
) -> None:
    module, line, reported = CONFIGURATIONS[kind]
    server = serve("5.23.0", extra_database=line, modules=(module,) if module else ())
    schema = definitions(server.schema())
    refused = run("upgrade", "schema", "--to", target, "--yes", "--drop-obsolete")
    assert refused.exit_code == 3, refused.stdout
    assert reported in refused.stderr
    assert definitions(server.schema()) == schema


def compute_steps(server: RunningConfigSlapd, target: str) -> Sequence[SchemaStep]:
    with connect(config_settings(server)) as directory:
        live = read_schema_entries(directory)
    return plan_schema(live, want_release(live, read_release_schema(Path(target)))).steps


def test_the_server_can_start_after_each_modify(serve: Serve, target: str) -> None:
    for version, before in SERVERS if LONG else [("5.14.1", AT_1)]:
        server = serve(version, before=before, name=f"{version}-{len(before)}")
        data = server.octets()
        steps = compute_steps(server, target)
        assert len(steps) > 8
        for step in steps:
            with connect(config_settings(server)) as directory:
                directory.apply(step.change)
                assert read_schema_entries(directory).is_same(step.after)
            assert server.slapd.can_start() == ""
            if LONG:
                restart(server)
                # Until an attribute is defined again, a restarted slapd shows its name in capitals.
                assert [each.lower() for each in server.octets()] == [each.lower() for each in data]
        assert lacks(server, target) == []
        restart(server)
        assert server.octets() == data


def test_without_the_check_the_server_could_not_start(serve: Serve) -> None:
    server = serve("5.23.0", extra_database="index dcmuiCountAET eq")
    assert server.slapd.can_start() == ""
    for kind, names in (("olcObjectClasses", b"dcmuicountaet"), ("olcAttributeTypes", b"'dcmuicountaet'")):
        found = server.run_config_client("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", UI_SCHEMA, kind).stdout
        values = [each for each in found.splitlines() if names in each.lower().encode()]
        server.modify_config(f"dn: {UI_SCHEMA}\nchangetype: modify\ndelete: {kind}\n" + "\n".join(values) + "\n")
    assert "dcmuiCountAET" in server.slapd.can_start()


@dataclass
class Killable(Program):
    """The program as one account runs it again and again, killed at one of its modify requests."""

    def run(self, *arguments: str) -> tuple[int, str]:
        assert self.server.stdin
        assert self.server.stdout
        self.server.stdin.write(json.dumps([*arguments, "--yes"]) + "\n")
        self.server.stdin.flush()
        self.proxy.victim_is(json.loads(self.server.stdout.readline()))
        code, output = json.loads(self.server.stdout.readline())
        return code, output

    def is_killed(self, number: int, *arguments: str, answered: bool) -> bool:
        self.proxy.kill_at(number, answered=answered)
        code, output = self.run("upgrade", "schema", *arguments)
        assert self.proxy.has_killed or code == 0, output
        return self.proxy.has_killed

    def succeeds(self, *arguments: str) -> None:
        self.proxy.let_live()
        code, output = self.run("upgrade", "schema", *arguments)
        assert code == 0, output


@pytest.mark.parametrize("version", ["5.14.1", "5.23.0"] if LONG else ["5.23.0"])
def test_killed_at_a_modify_it_can_be_finished_and_reverted(
    serve: Serve, target: str, version: str, tmp_path: Path
) -> None:
    server = serve(version, extra_schema=HOSPITAL_SCHEMA if version == "5.23.0" else "")
    data, schema = server.octets(), definitions(server.schema())
    settings = {
        "BIND_PASSWORD": server.password,
        "CONFIG_USER": CONFIG_DN,
        "CONFIG_PASSWORD": CONFIG_PASSWORD,
    }
    steps = compute_steps(server, target)
    # Before the first modify, the permission is tested with one request for each schema entry.
    tests = len({each.change.dn for each in steps})
    kills = [(tests + number, answered) for number in range(1, len(steps) + 1) for answered in (False, True)]
    upgraded: object = None
    with KillingProxy(server.slapd.port) as proxy:
        environment = dict(os.environ)
        with forking(tmp_path / "state", environment, LDAP_URL=proxy.url, **settings) as forks:
            program = Killable(forks, proxy, tmp_path / "state")
            for number, answered in sample(kills, 0.1):
                assert program.is_killed(number, "--to", target, answered=answered)
                assert server.slapd.can_start() == ""
                assert server.octets() == data
                if number % 2:
                    program.succeeds("--to", target)
                    assert lacks(server, target) == []
                    upgraded = upgraded or definitions(server.schema())
                    assert definitions(server.schema()) == upgraded
                program.succeeds("--undo")
                assert definitions(server.schema()) == schema
            program.succeeds("--to", target)
            for number, answered in sample(kills, 0.05):
                assert program.is_killed(number, "--undo", answered=answered)
                assert server.slapd.can_start() == ""
                program.succeeds(*(["--undo"] if number % 2 else ["--to", target]))
                if number % 2:
                    assert definitions(server.schema()) == schema
                    program.succeeds("--to", target)
                assert lacks(server, target) == []
    assert server.octets() == data
