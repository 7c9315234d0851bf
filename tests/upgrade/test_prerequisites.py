"""Releases that cannot be upgraded, and contradictions between the site and the releases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.errors import Refused
from dcmcfg.upgrade.options import UpgradeOptions
from dcmcfg.upgrade.preparation import Upgrade, prepare_upgrade
from dcmcfg.upgrade.prerequisites import describe_exchanged_titles, require_upgrade
from tests.trees import ARCHIVE
from tests.upgrade.customised import TARGET, Releases
from tests.upgrade.test_preparation import change


def test_the_same_release_is_refused_with_the_command_for_its_gap(releases: Releases) -> None:
    target = releases.read(TARGET)
    with pytest.raises(Refused, match="not newer") as refusal:
        require_upgrade(target, target, target)
    assert "dcmcfg upgrade gap" in refusal.value.next_step


@pytest.mark.parametrize("option", ["--from", "--installed"])
def test_a_release_before_5_10_is_refused(releases: Releases, option: str) -> None:
    present = releases.read("5.29.0")
    old = replace(present, version=(5, 9, 1))
    pair = (old, present) if option == "--from" else (present, old)
    with pytest.raises(Refused, match=r"5\.9\.1 is too old") as refusal:
        require_upgrade(pair[0], releases.read(TARGET), pair[1])
    assert refusal.value.next_step.endswith(f"specify a later release with {option}")


def test_a_site_cannot_be_installed_with_a_newer_release_than_it_has(releases: Releases) -> None:
    with pytest.raises(Refused, match=r"--installed: release .* is newer"):
        require_upgrade(releases.read("5.29.0"), releases.read(TARGET), releases.read("5.31.0"))


def test_another_release_than_the_named_one_is_a_warning(releases: Releases) -> None:
    site = releases.build("pristine", "5.31.0")
    target, present = releases.read(TARGET), releases.read("5.23.0")
    upgrade = prepare_upgrade(site, present, target, present)
    (warning,) = upgrade.warnings
    assert warning.startswith("the configuration matches release 5.31.0 best, but --from specifies 5.23.0, which is ")
    assert warning.endswith(" releases away. The plan starts from the release that the configuration matches best")
    near = prepare_upgrade(site, releases.read("5.29.0"), target, releases.read("5.29.0"))
    assert near.warnings == (
        "the configuration matches release 5.31.0 best, but --from specifies 5.29.0. The plan starts from the release "
        "that the configuration matches best",
    )
    assert releases.upgrade(site, "5.31.0").warnings == ()
    # Files that ran as shipped have changed the wrong one of two AEs with exchanged titles.
    exchanged = {"DCM4CHEE": "AS_RECEIVED", "AS_RECEIVED": "DCM4CHEE", "WORKLIST": "WORKLIST"}
    assert describe_exchanged_titles(upgrade.status, present, exchanged).startswith(
        "the AEs AS_RECEIVED, DCM4CHEE have"
    )
    assert describe_exchanged_titles(upgrade.status, releases.read("5.31.0"), exchanged) == ""
    assert describe_exchanged_titles(upgrade.status, present, {"DCM4CHEE": "PACS", "AS_RECEIVED": "AS_RECEIVED"}) == ""


def test_a_newer_release_than_that_of_the_configuration_may_lose_changes(releases: Releases) -> None:
    site, target = releases.build("pristine", "5.29.0"), releases.read(TARGET)
    newer, present = releases.read("5.31.0"), releases.read("5.29.0")
    upgrade = prepare_upgrade(site, newer, target, newer)
    assert (upgrade.warnings, upgrade.needs_attention) == (
        (
            "the configuration matches release 5.29.0 best, but --from specifies 5.31.0. The changes of the releases "
            "after 5.29.0 up to 5.31.0 may be missing in the plan. If the configuration does not have these changes "
            "yet, plan again and specify the folder of release 5.29.0 with --from or --installed",
        ),
        True,
    )
    complete = prepare_upgrade(site, newer, target, present)
    assert not complete.needs_attention
    assert len(complete.plan.changes) > len(upgrade.plan.changes)
    assert complete.warnings[0].endswith("The plan starts from the release that the configuration matches best")


def test_a_release_before_all_update_files_is_not_named_as_that_of_the_first_file(releases: Releases) -> None:
    target, newer = releases.read(TARGET), releases.read("5.29.0")
    upgrade = prepare_upgrade(releases.build("pristine", "5.23.0"), newer, target, newer)
    assert upgrade.warnings[0].endswith(
        "plan again and specify the folder of the site's release (5.23.1 or older) with --from or --installed"
    )


def test_software_that_is_newer_than_the_configuration_is_a_warning(releases: Releases) -> None:
    site = change(releases.build("pristine", "5.29.0"), ARCHIVE, dicomSoftwareVersion=["5.31.0"])
    upgrade = releases.upgrade(site, "5.29.0", UpgradeOptions())
    assert upgrade.warnings == (
        "the archive's software is release 5.31.0, but the update files for releases after 5.29.0 have not been "
        "applied to the configuration",
    )


def test_a_damaged_update_file_is_a_warning_with_what_is_lost(releases: Releases) -> None:
    site, source, target = releases.build("pristine", "5.31.0"), releases.read("5.31.0"), releases.read(TARGET)

    def damage(version: str) -> Upgrade:
        name = f"{version}/update-dev-{version}.ldif"
        updates = tuple(
            replace(each, damages=(f"{name}:9: no colon in 'dcmTa'",)) if each.name == name else each
            for each in target.updates
        )
        assert updates != target.updates
        return prepare_upgrade(site, source, replace(target, updates=updates), source)

    damaged = damage("5.32.0")
    assert damaged.needs_attention
    assert damaged.warnings == (
        "update files of release 5.33.1 are damaged, and their changes are missing in the plan: "
        "5.32.0/update-dev-5.32.0.ldif:9: no colon in 'dcmTa'. Get the release again, and plan again",
    )
    # The plan needs no files of earlier versions.
    assert damage("5.30.0").warnings == ()


def test_a_release_without_update_files_of_its_own_is_a_warning(releases: Releases) -> None:
    source, target = releases.read("5.31.0"), releases.read(TARGET)
    updates = tuple(each for each in target.updates if each.version != target.version)
    upgrade = prepare_upgrade(releases.build("pristine", "5.31.0"), source, replace(target, updates=updates), source)
    assert upgrade.warnings == (
        "there are no update files for release 5.33.1; the newest update files are for release 5.33.0. If the "
        "distribution has a folder ldap/5.33.1, specify the folder ldap with --updates",
    )
    assert not upgrade.needs_attention
