"""Warn of temporary destinations that an earlier run has left in the configuration.

Kept apart: ``status`` loads it only when it runs.
"""

from __future__ import annotations

from datetime import UTC, datetime

from dcmcfg.cli import invocation
from dcmcfg.cli.printing import print_message
from dcmcfg.directory.server import Directory
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.errors import DirectoryError, NotFound
from dcmcfg.model.devices import Configuration
from dcmcfg.printable import escape_unprintable
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import get_state_folder
from dcmcfg.temporary.leftovers import find_leftover_destinations
from dcmcfg.temporary.title_claims import CLEAN_COMMAND


def warn_of_leftovers(settings: Settings, configuration: Configuration) -> None:
    """Warn on stderr of temporary destinations that earlier runs have left in *configuration*."""
    for each in find_leftover_destinations(get_state_folder(), settings.ldap_url, configuration, datetime.now(UTC)):
        message = f"an earlier run of verify has left the temporary destination {each}. To remove it: {CLEAN_COMMAND}"
        print_message(f"warning: {escape_unprintable(invocation.current().insert_site_options(message))}")


def describe_leftovers(settings: Settings, directory: Directory) -> dict[str, str]:
    """Return the titles of temporary destinations in *directory*, each with user and time.

    Empty if the configuration cannot be read: ``status`` also works for an account without permission to read it.
    """
    try:
        configuration = Configuration(read_tree(directory))
        leftovers = find_leftover_destinations(get_state_folder(), settings.ldap_url, configuration, datetime.now(UTC))
    except (DirectoryError, NotFound):
        return {}
    return {each.ae_title: each.description for each in leftovers}
