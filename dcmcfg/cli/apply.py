"""``dcmcfg apply``."""

from __future__ import annotations

import functools
from pathlib import Path

import click

from dcmcfg.cli.options.change_options import Choices, changing_options
from dcmcfg.cli.options.examples import examples
from dcmcfg.cli.options.file_urls import file_urls_options
from dcmcfg.cli.options.map_base import map_base_option, old_base, to_site
from dcmcfg.cli.options.site_command import RiskOption, SiteCommand, site_options
from dcmcfg.cli.printing import say
from dcmcfg.cli.session.change import carry_out, server_rules
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.rejects import Rejects, rejects_path
from dcmcfg.directory.tree_reader import read_tree, read_tree_to_fill
from dcmcfg.dn import DN
from dcmcfg.files.ldif import file_doubts, read_files
from dcmcfg.garbage_collection import collector_paused
from dcmcfg.plan import content_records
from dcmcfg.plan.access_lists import narrowings
from dcmcfg.plan.desired_state import surplus, wanted_of
from dcmcfg.plan.rebasing import Files, rebased_files
from dcmcfg.render.history import taken_up
from dcmcfg.rollout.history import History
from dcmcfg.rollout.past_renames import past_renames
from dcmcfg.rollout.preconditions import planned_telling_who, telling_who
from dcmcfg.rollout.selection import to_resume
from dcmcfg.rollout.unfinished import overwritten, plan_left, settle
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import state_folder

_REJECTED = 1


@click.command(
    "apply",
    cls=SiteCommand,
    epilog=examples(
        ("Show what a file would change, and stop", "dcmcfg apply --dry-run change.ldif"),
        ("Show it, and write it as a plan for others to review", "dcmcfg apply --dry-run --out plan.ldif change.ldif"),
        ("Carry out exactly what was reviewed", "dcmcfg apply plan.ldif"),
        ("What does not fit goes to a file, to be mended", "dcmcfg apply --continue change.ldif"),
    ),
)
@click.argument("files", nargs=-1, metavar="FILE...", type=click.Path(path_type=Path, allow_dash=True))
@site_options
@click.option("--resume", is_flag=True, help="Finish the roll-out that was interrupted; without FILE.")
@click.option("--prune", is_flag=True, help="Delete the entries at and below --under that no FILE names.")
@click.option("--under", metavar="DN", help="Where --prune deletes.")
@click.option("--continue", "go_on", is_flag=True, help="Leave out the records that do not fit; exit code 1 then.")
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="NEW",
    help="Where --continue writes what it leaves out; the first FILE's name with .rejects.ldif by default.",
)
@click.option("--mixed", is_flag=True, help="Accept entries and change records in one FILE, as ldapadd does.")
@map_base_option
@file_urls_options
@changing_options
@click.option(
    "--force-overwrite",
    cls=RiskOption,
    is_flag=True,
    help="Overwrite what somebody has changed since, with the undo file of a roll-out.",
)
def apply_command(
    settings: Settings,
    choices: Choices,
    *,
    files: tuple[Path, ...],
    resume: bool,
    prune: bool,
    under: str | None,
    go_on: bool,
    rejects: Path | None,
    mixed: bool,
    map_base: str | None,
    file_urls: Path | bool,
    force_overwrite: bool,
) -> int:
    """Carry out LDIF files, undo files included.

    A FILE holds change records, or entries as they are wanted: one that is not there is added, one that differs is
    changed, none is deleted without --prune; '-' is standard input. Both kinds in one FILE need --mixed, since a change
    that lost its 'changetype:' line is an entry. What the tree holds already is listed and passed over. A file with
    assertion controls (a plan, an undo) fits exactly as it is written, or is refused as a whole.
    The undo file of a roll-out of this account is refused as well where it would overwrite what somebody has changed
    since then.
    Nothing is written unless every record of every file fits, or --continue.
    """
    if bool(files) == resume:
        raise click.UsageError("--resume takes no FILE" if resume else "name a FILE, or say --resume")
    if prune != (under is not None):
        raise click.UsageError("--prune and --under DN go together")
    if rejects is not None and not go_on:
        raise click.UsageError("--rejects goes with --continue")
    if resume:
        if prune or go_on or choices.strict or map_base is not None:
            others = "--prune, --continue, --map-base or --strict"
            raise click.UsageError(f"--resume carries out the plan as it was, without {others}")
        _resume(settings, choices)
        return 0
    subtree = DN.parse(under) if under is not None else None
    records = read_files(files, file_urls=file_urls, mixed=mixed)
    left_out = rejects_path(files, rejects, suffix=".ldif", option="--continue") if go_on else None
    base = old_base(map_base, records) if map_base is not None else None
    return _apply(
        settings, choices, files, records, under=subtree, left_out=left_out, old_base=base, overwrite=force_overwrite
    )


def _apply(
    settings: Settings,
    choices: Choices,
    files: tuple[Path, ...],
    records: Files,
    *,
    under: DN | None,
    left_out: Path | None,
    old_base: DN | None,
    overwrite: bool,
) -> int:
    """Carry out the *records* of *files*, pruned *under* that DN; what does not fit goes to *left_out*, if any.

    With *overwrite*, an undo file may overwrite what came since. Records for *old_base* are carried out below the
    site's own base.
    """
    with collector_paused(), open_directory(settings) as directory:
        tree = read_tree_to_fill(directory)
        notes = to_site(directory, tree, old_base) if old_base is not None else None
        if notes is not None:
            records = rebased_files(records, notes, tree)
        wanted = tuple(wanted_of(records))
        deletes = surplus(tree, under, wanted) if under is not None else ()
        rules = server_rules(directory, tree)
        every = (*wanted, *deletes)
        history = History(state_folder())
        past = functools.partial(past_renames, history, settings.ldap_url)
        go_on = left_out is not None
        plan, misfits = planned_telling_who(directory, tree, every, rules.refusal, go_on=go_on, past=past)
        rejects = Rejects.of_records(left_out, misfits) if left_out is not None else None
        kept = notes.lines() if notes else ()
        warnings = (*file_doubts(records, settings.ldap_url), *content_records.notes(records), *kept, *narrowings(plan))
        owner = None if old_base is not None else history.owner_of(files, settings.ldap_url)
        if owner is not None:
            with telling_who(directory):
                warnings = (*warnings, *overwritten(history.numbered(owner), plan, accepted=overwrite))
        # An undo of which records were left out has not taken all of it back.
        undoes = None if misfits else owner
        carry_out(
            settings, directory, plan, choices, warnings, undoes=undoes, under=under, rejects=rejects, rules=rules
        )
    return _REJECTED if misfits and not choices.dry_run else 0


def _resume(settings: Settings, choices: Choices) -> None:
    with open_directory(settings) as directory:
        interrupted = settle(state_folder(), directory)
        record = to_resume(History(state_folder()), settings.ldap_url, interrupted)
        with telling_who(directory):
            plan = plan_left(record, read_tree(directory))
        say(taken_up(record), on_stderr=choices.stdout_taken)
        carry_out(settings, directory, plan, choices, resuming=record)
