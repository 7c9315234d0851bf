"""Sites on which some records of earlier upgrades failed: the upgrade repairs them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from dcmcfg.errors import DoesNotApply
from dcmcfg.lab.slapd import Slapd
from dcmcfg.model.tree import Tree, TreeDraft
from dcmcfg.upgrade.preparation import prepare_upgrade
from dcmcfg.upgrade.release import UpdateFile, parse_version
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd
from tests.sampling import sample
from tests.upgrade.customised import ALL, NONE, SCHEMA, TARGET, Releases, compare

CASES = [
    (tree, installed, reached, stops)
    for tree in ("renamed", "trimmed", "hospital")
    for installed, reached in (("5.23.0", "5.29.0"), ("5.23.0", "5.31.0"), ("5.29.0", "5.31.0"))
    for stops in (False, True)
]


def apply_as_shipped(tree: Tree, files: tuple[UpdateFile, ...], *, stops: bool) -> tuple[Tree, int]:
    """Return *tree* after the records that apply, and the number of others; with *stops*, a file ends at the first."""
    draft, failed = TreeDraft(tree), 0
    for file in files:
        for record in file.records:
            try:
                draft.apply(record.change)
            except DoesNotApply:
                failed += 1
                if stops:
                    break
    return draft.build_tree(), failed


@pytest.mark.parametrize(("tree", "installed", "reached", "stops"), sample(CASES, 2 / len(CASES)))
def test_failed_records_of_earlier_upgrades_are_made_up_for(
    releases: Releases, tree: str, installed: str, reached: str, stops: bool
) -> None:
    target = releases.read(TARGET)
    files = target.list_updates(parse_version(installed), parse_version(reached))
    site, failed = apply_as_shipped(releases.build(tree, installed), files, stops=stops)
    assert failed

    upgrade = prepare_upgrade(site, releases.read(reached), target, releases.read(installed), options=ALL)

    oracle = releases.build(tree, TARGET, clones_like=installed)
    result = site.with_changes(upgrade.plan.changes)
    assert compare(result, oracle) == NONE
    assert upgrade.decisions == ()
    again = prepare_upgrade(result, releases.read(reached), target, releases.read(installed), options=ALL)
    assert again.plan.steps == ()
    assert again.official_entries == frozenset()


def run_official_files(slapd: RunningSlapd, releases: Releases, files: Sequence[UpdateFile], *, stops: bool) -> int:
    """Apply *files* as shipped with OpenLDAP's ldapmodify, and return how many ended with an error."""
    failed = 0
    for file in files:
        paths = (root / "updates" / file.name for root in (releases.upstream, releases.more))
        path = next(each for each in paths if each.exists())
        text = path.read_text("utf-8").replace("< file:vendor-data.zip", ": UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==")
        copy = slapd.slapd.folder / "update.ldif"
        copy.write_text(text, "utf-8")
        options = ("-f", str(copy)) if stops else ("-c", "-f", str(copy))
        failed += slapd.run_client("ldapmodify", *options).returncode != 0
    return failed


@pytest.mark.real
@pytest.mark.parametrize(("tree", "installed", "reached", "stops"), sample(CASES, 1 / len(CASES)))
def test_failures_of_ldapmodify_are_made_up_for(
    releases: Releases, tmp_path: Path, *, tree: str, installed: str, reached: str, stops: bool
) -> None:
    suffix = "dc=hospital,dc=example,dc=org" if tree == "renamed" else "dc=dcm4che,dc=org"
    root = f"cn=admin,{suffix}"
    server = Slapd(tmp_path / "slapd", port=free_port(), root_password=PASSWORD, suffix=suffix, root_dn=root)
    server.prepare()
    server.load_files([releases.build_file(tree, installed)])
    target = releases.read(TARGET)
    with server:
        slapd = RunningSlapd(server, suffix, root)
        files = target.list_updates(parse_version(installed), parse_version(reached))
        assert run_official_files(slapd, releases, files, stops=stops)
        site = Tree.from_entries(SCHEMA, slapd.entries())

    upgrade = prepare_upgrade(site, releases.read(reached), target, releases.read(installed), options=ALL)

    oracle = releases.build(tree, TARGET, clones_like=installed)
    assert compare(site.with_changes(upgrade.plan.changes), oracle) == NONE
    assert upgrade.decisions == ()
