"""The commands of an upgrade with the folders and choices of a plan, to copy."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from dcmcfg.errors import MalformedInput
from dcmcfg.upgrade.plan_source import PlanSource, parse_plan_source
from dcmcfg.upgrade.preparation import Upgrade
from dcmcfg.upgrade.report import UpgradeReport

#: A retrieve that proves the upgrade; both names are the user's.
VERIFY_COMMAND = "dcmcfg verify --study STUDY_UID --dest AE_TITLE"

#: What :func:`list_revert_commands` returns.
REVERT_NOTE = (
    "To revert the upgrade later, use the NUMBER that 'dcmcfg upgrade apply' has printed. If dcmcfg has installed the "
    "schema, revert the schema too, with the same --config-user."
)


def format_schema_command(target: Path) -> str:
    """Return the command that installs the schema of the release in *target*."""
    return f"dcmcfg upgrade schema --to {shlex.quote(str(target))}"


def format_apply_command(plan_file: Path, upgrade: Upgrade) -> str:
    """Return the command that applies the plan of *upgrade* in *plan_file*, also if it changes the vendor data."""
    option = " --force-vendor-data" if upgrade.vendor.merged is not None else ""
    return f"dcmcfg upgrade apply {shlex.quote(str(plan_file))}{option}"


def format_plan_command(source: PlanSource, *, output: str = "") -> str:
    """Return the command that plans the upgrade of *source* again, and writes the plan to *output*, if any.

    Answers that name a decision by its number are left out, because another plan may have other numbers. A plan file
    has such an answer only if the place of the decision is ambiguous.
    """
    options = source.options
    answers = [
        (option, each)
        for option, places in (("--take", options.take), ("--keep", options.keep))
        for each in places
        if not each.isdecimal()
    ]
    pairs = [
        *_list_common(source),
        *([("--also", ",".join(options.also))] if options.also else []),
        *([("--gap", ",".join(sorted(options.gap)))] if options.gap else []),
        *answers,
        *([("--vendor", options.vendor)] if options.vendor else []),
        *([("-o", output)] if output else []),
    ]
    return _join("dcmcfg upgrade plan", pairs)


def format_gap_command(source: PlanSource) -> str:
    """Return the command that lists what differs from a new installation after the upgrade of *source*."""
    return _join("dcmcfg upgrade gap", list(_list_common(source)))


def find_check_command(plan_head: bytes) -> str:
    """Return the command that lists what an applied upgrade has left to change.

    *plan_head* has the first octets of its plan. The result is empty for the plan of another change.
    """
    try:
        source = parse_plan_source(plan_head)
    except MalformedInput:
        return ""
    return format_plan_command(source.without_answers()) if source is not None else ""


def list_apply_commands(report: UpgradeReport) -> tuple[str, ...]:
    """Return the commands that apply the plan of *report*, in their order.

    The schema is left out if the server has it already.
    """
    return (
        *(() if report.has_schema else (format_schema_command(report.source.target),)),
        format_apply_command(Path(report.plan_file or "PLAN"), report.upgrade),
        format_gap_command(report.source),
    )


def list_revert_commands() -> tuple[str, ...]:
    """Return the commands that revert an upgrade, in their order; ``upgrade apply`` prints the number of the change."""
    return "dcmcfg undo NUMBER", "dcmcfg upgrade schema --undo"


def _list_common(source: PlanSource) -> Iterator[tuple[str, str]]:
    options = source.options
    if source.source is not None:
        yield "--from", str(source.source)
    yield "--to", str(source.target)
    yield from (("--updates", str(each)) for each in source.updates)
    if source.installed is not None:
        yield "--installed", str(source.installed)
    if options.archive:
        yield "--archive", options.archive
    yield from (("--role", f"{role}={name}") for role, name in options.roles.items())
    yield from (("--without", each) for each in options.without)


def _join(command: str, pairs: list[tuple[str, str]]) -> str:
    return " ".join((command, *(f"{option} {shlex.quote(value)}" for option, value in pairs)))
