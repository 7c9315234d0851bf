"""Upgrades of all customised trees on real servers: both stages reach their oracles, and undo leads back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dcmcfg.lab.config_slapd import CONFIG_DN, ConfigSlapd
from dcmcfg.lab.ports import choose_ports
from dcmcfg.lab.release_site import read_release_site
from dcmcfg.model.tree import Tree
from tests.archive.scripted import Scripted
from tests.cli.conftest import Run
from tests.cli.sites import CliSite, settle_at
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd
from tests.sampling import LONG
from tests.upgrade.customised import NONE, SCHEMA, SOURCES, TARGET, TREES, Releases, compare

pytestmark = pytest.mark.real
CONFIG_PASSWORD = "config-secret"
#: A short run has the tree with most parts of its own.
SHORT = [("hospital", "5.31.0")]
CASES = [(tree, source) for tree in TREES for source in SOURCES] if LONG else SHORT


@contextmanager
def serve(folder: Path, releases: Releases, tree: str, source: str) -> Iterator[RunningSlapd]:
    """A server with the schema of *source*, and the customised *tree* of it, which may have a base DN of its own."""
    base = str(next(iter(releases.build(tree, source).entries.values())).dn)
    root_dn = f"cn=admin,{base}"
    site = read_release_site(releases.find_folder(source), choose_ports())
    slapd = ConfigSlapd(
        folder,
        schema_files=site.schema_files,
        config_password=CONFIG_PASSWORD,
        port=free_port(),
        root_password=PASSWORD,
        suffix=base,
        root_dn=root_dn,
    )
    slapd.prepare()
    slapd.load_files([releases.build_file(tree, source)])
    with slapd:
        yield RunningSlapd(slapd, base, root_dn)


def upgrade_options(releases: Releases, source: str, *more: str) -> tuple[str, ...]:
    folders = ("--from", str(releases.find_folder(source)), "--to", str(releases.find_folder(TARGET)))
    updates = (str(each / "updates") for each in (releases.upstream, releases.more))
    return (*folders, *(word for each in updates for word in ("--updates", each)), *more)


def read_tree(site: CliSite) -> Tree:
    return Tree.from_entries(SCHEMA, site.slapd.entries())


@pytest.mark.parametrize(("tree", "source"), CASES)
def test_both_stages_reach_their_oracles_and_undo_leads_back_to_the_site(
    run: Run,
    archive: Scripted,
    releases: Releases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    tree: str,
    source: str,
) -> None:
    with serve(tmp_path / "slapd", releases, tree, source) as slapd:
        site = settle_at(monkeypatch, slapd, archive)
        monkeypatch.setenv("DCMCFG_BASE_DN", slapd.base_dn)
        monkeypatch.setenv("DCMCFG_BIND_DN", slapd.bind_dn)
        before = site.octets()
        password_file = tmp_path / "config-password"
        password_file.write_text(CONFIG_PASSWORD)
        password_file.chmod(0o600)
        identity = ("--config-user", CONFIG_DN, "--config-password-file", str(password_file))
        updated = run("upgrade", "schema", "--to", str(releases.find_folder(TARGET)), *identity, "--yes")
        assert updated.exit_code == 0, updated.output
        assert site.octets() == before

        stages = (
            ((), releases.build_official(tree, source)),
            (
                ("--gap", "all"),
                releases.build(tree, TARGET, clones_like=source),
            ),
        )
        for number, (gap, oracle) in enumerate(stages):
            options, plan = upgrade_options(releases, source, *gap), str(tmp_path / f"plan-{number}.ldif")
            planned = run("upgrade", "plan", *options, "-o", plan)
            assert planned.exit_code == 0, planned.output
            # The command plans again: with something left to change, its exit code is 1.
            applied = run("upgrade", "apply", plan, "--yes", "--no-reload")
            assert applied.exit_code == 0, applied.output
            assert compare(read_tree(site), oracle) == NONE
        again = json.loads(run("upgrade", "plan", *upgrade_options(releases, source, "--gap", "all"), "--json").stdout)
        assert (again["changes"], again["decisions"], again["gap"]) == ([], [], [])

        for _ in stages:
            undone = run("undo", "--yes", "--no-reload")
            assert undone.exit_code == 0, undone.output
        assert site.octets() == before
