"""The commands that an upgrade prints have the folders and choices of the plan, quoted for a shell."""

from __future__ import annotations

import shlex
from pathlib import Path

from dcmcfg.dn import DN
from dcmcfg.render.upgrade_commands import (
    find_check_command,
    format_gap_command,
    format_plan_command,
    format_schema_command,
)
from dcmcfg.upgrade.options import UpgradeOptions
from dcmcfg.upgrade.plan_source import PlanSource
from dcmcfg.upgrade.roles import Roles

SOURCE = PlanSource(
    source=Path("/old; release"),
    target=Path("/new"),
    installed=Path("/first"),
    updates=(Path("/a b"), Path("/c")),
    options=UpgradeOptions(
        archive="pacs",
        roles={"DCM4CHEE": "$(PACS)", "AS_RECEIVED": "-"},
        without=("storescp",),
        also=("A", "B"),
        gap=frozenset({"values", "additions"}),
        take=("1", "cn=x y"),
        keep=("2",),
        vendor="site",
    ),
)
COMMON = (
    *("--from", "/old; release", "--to", "/new", "--updates", "/a b", "--updates", "/c", "--installed", "/first"),
    *("--archive", "pacs", "--role", "DCM4CHEE=$(PACS)", "--role", "AS_RECEIVED=-", "--without", "storescp"),
)


def test_the_command_that_plans_again_has_all_choices_but_answers_by_number() -> None:
    command = format_plan_command(SOURCE, output="new.ldif")
    assert shlex.split(command) == [
        *("dcmcfg", "upgrade", "plan", *COMMON, "--also", "A,B", "--gap", "additions,values"),
        *("--take", "cn=x y", "--vendor", "site", "-o", "new.ldif"),
    ]


def test_the_commands_of_the_gap_and_the_schema_have_the_options_that_they_know() -> None:
    assert shlex.split(format_gap_command(SOURCE)) == ["dcmcfg", "upgrade", "gap", *COMMON]
    assert shlex.split(format_schema_command(Path("/a b"))) == ["dcmcfg", "upgrade", "schema", "--to", "/a b"]


def test_the_check_of_an_applied_upgrade_plans_again_without_answers() -> None:
    roles = Roles(base_dn=DN.parse("dc=org"), device="pacs", devices={}, titles={}, web_apps={})
    head = "\n".join(f"# {each}" for each in SOURCE.format_comments(roles)).encode()
    assert shlex.split(find_check_command(head)) == [
        *("dcmcfg", "upgrade", "plan", *COMMON, "--also", "A,B", "--gap", "additions,values", "--vendor", "site"),
    ]
    assert find_check_command(b"version: 1\n# dcmcfg plan for a site\n") == ""
    assert find_check_command(b"# dcmcfg upgrade: {damaged}\n") == ""
