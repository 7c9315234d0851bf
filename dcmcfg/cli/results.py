"""``dcmcfg results``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from dcmcfg.bulk.store_catalog import STORE_FOLDER, StoreInfo, find_stores, select_by_name, select_older_than
from dcmcfg.cli.options.display_options import wide_option
from dcmcfg.cli.options.help_page import CommandGroup
from dcmcfg.cli.options.output_options import json_option, output_option
from dcmcfg.cli.options.quantities import Quantity
from dcmcfg.cli.options.unique_options import UniqueOptionsCommand
from dcmcfg.cli.printing import print_message, print_output
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.terminal import confirm
from dcmcfg.errors import DcmcfgError, NegativeResult
from dcmcfg.render.bulk_stores import print_results, results_json
from dcmcfg.render.terminal.console import make_stderr_console, make_stdout_console
from dcmcfg.settings.folders import get_state_subfolder

_SOME_REMAIN = 1
_MAX_DAYS = 36_500


@click.group(
    "results",
    cls=CommandGroup,
    short_help="List and delete the stored results of verify.",
)
def results_group() -> None:
    """List and delete the stored results of verify.

    If 'dcmcfg verify' verifies many studies, it stores the results in a file in the state folder of this account. Each
    of these files is a result store. Files of 'dcmcfg verify --results' are not listed here.
    """


def _get_folder() -> Path:
    return get_state_subfolder(STORE_FOLDER)


@results_group.command("list", cls=UniqueOptionsCommand)
@wide_option
@json_option
@output_option
def list_command(*, as_json: bool) -> None:
    """List the result stores. The result store that was used last comes first.

    For each result store, the list shows the time of the last use, the archive, the destination, the numbers of
    finished and pending studies, the size, and the source of the studies.
    """
    stores = find_stores(_get_folder())
    if as_json:
        print_json(results_json(stores, _get_folder()))
    else:
        print_results(make_stdout_console(), stores, _get_folder())


@results_group.command("clear", cls=UniqueOptionsCommand)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--older-than-days",
    type=Quantity(min=0, max=_MAX_DAYS),
    metavar="N",
    help="Delete result stores that were last used more than N days ago.",
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
@wide_option
@json_option
def clear_command(*, names: tuple[str, ...], older_than_days: float | None, yes: bool, as_json: bool) -> int:
    """Delete result stores by name or by age.

    You can shorten the name of a result store. After the deletion, the next run verifies the studies again. dcmcfg does
    not delete a result store that is in use.

    Exit codes: 0 deleted, 1 declined, or a result store was not deleted.
    """
    if bool(names) == (older_than_days is not None):
        raise click.UsageError("Specify --older-than-days N, or a NAME from the list of 'dcmcfg results list'")
    stores = find_stores(_get_folder())
    if older_than_days is None:
        selected = select_by_name(stores, names)
    else:
        selected = select_older_than(stores, timedelta(days=older_than_days), datetime.now(UTC))
    if selected and not yes:
        print_results(make_stderr_console(), selected, _get_folder())
        if not confirm("Delete these results?"):
            raise NegativeResult("declined; nothing was deleted")
    deleted = [each.name for each in selected if _delete_store(each)]
    if as_json:
        print_json({"deleted": deleted})
    else:
        print_output(f"Deleted: {', '.join(deleted)}" if deleted else "Nothing was deleted.")
    return 0 if len(deleted) == len(selected) else _SOME_REMAIN


def _delete_store(store: StoreInfo) -> bool:
    try:
        store.remove()
    except DcmcfgError as error:
        print_message(f"Not deleted: {store.name}: {error.message}")
        return False
    return True
