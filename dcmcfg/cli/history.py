"""``dcmcfg history``."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from dcmcfg.cli import invocation
from dcmcfg.cli.options.arguments import ChangeName
from dcmcfg.cli.options.display_options import wide_option
from dcmcfg.cli.options.output_options import HTML, JSON, MARKDOWN, REPORT_FORMS, TEXT, format_option, output_option
from dcmcfg.cli.options.site_command import SiteCommand, unresolved_site_options
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.session.report_output import print_formatted_report
from dcmcfg.cli.session.shared_history import open_shared_history
from dcmcfg.render.history import history_json, print_history, print_rollout, rollout_json
from dcmcfg.render.history_report import build_history_report, build_rollout_report, build_shared_record_report
from dcmcfg.render.shared_history import print_shared_record, shared_record_json
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.rollout.change_reference import ChangeReference
from dcmcfg.rollout.history import History
from dcmcfg.rollout.record import RolloutRecord
from dcmcfg.rollout.shared_history import SharedHistory
from dcmcfg.rollout.shared_record import SharedRecord
from dcmcfg.rollout.site_history import SiteHistory
from dcmcfg.settings.folders import get_state_folder


@click.command("history", cls=SiteCommand)
@click.argument("number", required=False, type=ChangeName(), metavar="[N]")
@unresolved_site_options
@click.option("--mark-resolved", is_flag=True, help="Mark the interrupted change N as corrected by hand.")
@wide_option
@format_option(TEXT, JSON, MARKDOWN, HTML)
@output_option
def history_command(*, number: int | ChangeReference | None, mark_resolved: bool, form: str) -> None:
    """List the changes that were applied.

    With N, show change N in detail, without secrets. To revert this change, run 'dcmcfg undo N'. The command contacts
    no server.

    If the site has a shared history (history_dir), the list also shows the changes by other accounts. The name of such
    a change is ACCOUNT-N. Only the account that made a change can revert it.

    The result "applied" means that the directory has the whole change. With N, the line "Reload" shows whether the
    archive reloaded after the change. The line is missing if the result of the reload was not recorded.
    """
    if number is None and mark_resolved:
        raise click.UsageError("--mark-resolved requires N")
    shared = open_shared_history()
    site_history = SiteHistory(History(get_state_folder()), shared)
    if number is None:
        _print_network_note(shared)
        _print_list(site_history, form)
        return
    found = site_history.select(number)
    if not isinstance(found, RolloutRecord):
        if mark_resolved:
            raise site_history.make_private_error(found)
        _print_shared(site_history, found, form)
        return
    if mark_resolved:
        can_lock = shared is not None and shared.can_lock(found.header.ldap_url)
        site_history.own.close(found, shared.folder if shared is not None and can_lock else None)
        if shared is not None:
            shared.publish(found)
    _print_own(site_history.own, found, form)


def _print_list(site_history: SiteHistory, form: str) -> None:
    if form == JSON:
        print_json(history_json(site_history))
    elif form in REPORT_FORMS:
        print_formatted_report(build_history_report(site_history, datetime.now(UTC)), form)
    else:
        print_history(make_stdout_console(), site_history)


def _print_shared(site_history: SiteHistory, record: SharedRecord, form: str) -> None:
    if form == JSON:
        print_json(shared_record_json(site_history, record, with_changes=True))
    elif form in REPORT_FORMS:
        print_formatted_report(build_shared_record_report(site_history, record, datetime.now(UTC)), form)
    else:
        print_shared_record(make_stdout_console(), site_history, record)


def _print_own(history: History, record: RolloutRecord, form: str) -> None:
    if form == JSON:
        print_json(rollout_json(history, record, with_changes=True))
    elif form in REPORT_FORMS:
        undo_command = invocation.current().insert_site_options(f"dcmcfg undo {record.number}")
        report = build_rollout_report(history, record, datetime.now(UTC), undo_command=undo_command)
        print_formatted_report(report, form)
    else:
        print_rollout(make_stdout_console(), history, record)


def _print_network_note(shared: SharedHistory | None) -> None:
    """Print whether locks hold between the hosts that use *shared*."""
    if shared is not None and (kind := shared.find_network_file_system()):
        print_message(
            f"note: {shared.folder} is on a network file system ({kind}), so its lock might not work between hosts. "
            "If two hosts change the same entry at the same time, the second change is refused"
        )
