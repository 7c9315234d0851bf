"""Warn of a change of this account that is unfinished or in progress.

Kept apart: commands that only read print this warning without the modules that change something.
"""

from __future__ import annotations

from dcmcfg.cli import invocation
from dcmcfg.cli.printing import print_message
from dcmcfg.errors import DcmcfgError
from dcmcfg.printable import escape_unprintable
from dcmcfg.rollout.history import History, describe_unfinished, format_recovery_commands
from dcmcfg.settings.folders import get_state_folder


def warn_of_unfinished_change(ldap_url: str, *, effect: str = "") -> None:
    """Warn of a change on the directory at *ldap_url* that is not complete according to the history of this account.

    *effect* is what this means for the command, such as ``the snapshot might contain only a part of this change``.
    """
    try:
        text = _describe(History(get_state_folder()), ldap_url, effect)
    except DcmcfgError as error:  # a damaged record must not make a command fail that only reads
        text = str(error)
    if text:
        print_message(f"warning: {escape_unprintable(invocation.current().insert_site_options(text))}")


def _describe(history: History, ldap_url: str, effect: str) -> str:
    record = history.find_unfinished(ldap_url)
    if record is None:
        return ""
    effect = f". {effect[:1].upper()}{effect[1:]}" if effect else ""
    if history.is_running(record):
        return f"change {record.number} is in progress{effect}"
    return f"{describe_unfinished(record)}{effect}; {format_recovery_commands(record)}"
