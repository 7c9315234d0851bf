"""The commands of the program, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Command(NamedTuple):
    """A row of the command table.

    ``module`` is the module in :mod:`dcmcfg.cli`, ``attribute`` the command in it. ``help`` is the first sentence of
    the command's docstring; ``dcmcfg --help`` has one line for it. With ``uses_site``, command lines that dcmcfg
    suggests repeat the site options of the run.
    """

    module: str
    attribute: str
    help: str
    uses_site: bool = True


#: Heading → its commands, both in the order in which ``--help`` lists them.
SECTIONS = {
    "Inspect": {
        "status": Command("status", "status_command", "Show whether the archive runs."),
        "show": Command("show", "show_command", "Show a device, its AEs and where they send retrieves."),
        "find": Command("find", "find_command", "Find a text in names and values."),
        "get": Command("get", "get_command", "Show values of an entry, one a line."),
        "explain": Command("explain", "explain_command", "Say what an attribute means and where it is set."),
    },
    "Change": {
        "set-external-retrieve": Command(
            "set_external_retrieve", "set_external_retrieve_command", "Set the AE that external retrieves are sent to."
        ),
        "set": Command("set", "set_command", "Give attributes of an entry exactly these values."),
        "unset": Command("unset", "unset_command", "Take attributes away from an entry."),
        "add-value": Command("add_value", "add_value_command", "Add values beside those that an entry has."),
        "remove-value": Command("remove_value", "remove_value_command", "Take single values away from an entry."),
        "edit": Command("edit", "edit_command", "Edit an entry, or a subtree, as LDIF in your editor."),
        "ae": Command("ae", "ae_group", "Add, list and remove AEs."),
        "device": Command("device", "device_group", "Create, clone, list and remove devices."),
        "connection": Command("connection", "connection_group", "List, add, change and remove connections."),
        "capability": Command("capability", "capability_group", "List, change, copy and compare what an AE can."),
        "rename": Command("rename", "rename_group", "Give a device, an AE or a part another name."),
        "onboard": Command("onboard", "onboard_command", "Add the AEs of a file, a row each."),
    },
    "Check": {
        "check": Command("check", "check_command", "Check the configuration for problems."),
    },
    "Files": {
        "export-ldif": Command("export_ldif", "export_ldif_command", "Write the configuration as LDIF."),
        "diff": Command("diff", "diff_command", "Show what differs between two trees."),
        "apply": Command("apply", "apply_command", "Carry out LDIF files, undo files included."),
        "snapshot": Command("snapshot", "snapshot_command", "Save the configuration, secrets included, in a file."),
        "restore": Command("restore", "restore_command", "Make the configuration equal to a snapshot."),
    },
    "Undo": {
        "history": Command("history", "history_command", "List what was rolled out from this account."),
        "undo": Command("undo", "undo_command", "Take a roll-out back."),
    },
    "Verify": {
        "route": Command("route", "route_command", "Say what the archive will do with a C-MOVE."),
        "echo": Command("echo", "echo_command", "Call AEs with a C-ECHO, from this machine."),
        "work-order": Command("work_order", "work_order_command", "Say what must be entered at another archive."),
        "verify": Command("verify.command", "verify_command", "Prove with a real C-MOVE that a study arrives."),
        "results": Command(
            "results", "results_group", "List and clear what runs over many studies keep.", uses_site=False
        ),
    },
    "Archive service": {
        "reload": Command("reload", "reload_command", "Have the archive load its configuration again."),
        "token": Command("token", "token_command", "Say whether the archive takes the token, and why not."),
    },
    "Tools": {
        "lab": Command("lab", "lab_group", "Run a whole site on this machine, to try things on.", uses_site=False),
        "completion": Command(
            "completion", "completion_command", "Print the shell completion script.", uses_site=False
        ),
    },
}
COMMANDS = {name: command for section in SECTIONS.values() for name, command in section.items()}

#: Alias → the command that it runs, both as words. Help, completion and docs/commands.md list commands only.
ALIASES = {
    "aes": "ae list",
    "devices": "device list",
    "lint": "check",
}


def expand_alias(arguments: Sequence[str]) -> list[str]:
    """Return *arguments* (the words after ``dcmcfg`` and its options) with the command in place of a leading alias."""
    for alias, command in ALIASES.items():
        words = alias.split()
        if list(arguments[: len(words)]) == words:
            return [*command.split(), *arguments[len(words) :]]
    return list(arguments)
