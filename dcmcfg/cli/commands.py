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
        "show": Command("show", "show_command", "Show a device, its AEs and its retrieve settings."),
        "find": Command("find", "find_command", "Find a text in names and values."),
        "get": Command("get", "get_command", "Show values of an entry."),
        "explain": Command("explain", "explain_command", "Explain an attribute, and show where it is set."),
        "map": Command("map", "map_command", "Draw a map of the site: who sends to whom."),
    },
    "Change": {
        "set-external-retrieve": Command(
            "set_external_retrieve", "set_external_retrieve_command", "Set the destination AE of external retrieves."
        ),
        "set": Command("set", "set_command", "Set, add and remove values of an entry."),
        "unset": Command("unset", "unset_command", "Remove attributes of an entry."),
        "edit": Command("edit", "edit_command", "Edit an entry or a subtree as LDIF in your editor."),
        "ae": Command("noun_groups", "ae_group", "List, show, add, change and remove AEs."),
        "device": Command("noun_groups", "device_group", "List, show, create, change and remove devices."),
        "connection": Command("connection", "connection_group", "List, show, add, change and remove connections."),
        "capability": Command("capability", "capability_group", "List, show, change and compare capabilities."),
        "rename": Command("rename", "rename_group", "Rename an exporter, queue, storage, view or web app."),
        "import": Command("import_", "import_command", "Add the AEs of a file."),
    },
    "Check": {
        "check": Command("check", "check_command", "Check the configuration for problems."),
        "monitor": Command("monitor", "monitor_command", "Report the state of a site to a monitoring system."),
    },
    "Files": {
        "export-ldif": Command("export_ldif", "export_ldif_command", "Write the configuration as LDIF."),
        "diff": Command("diff", "diff_command", "Show the differences between two configurations."),
        "apply": Command("apply", "apply_command", "Apply changes from LDIF files, plans or undo files."),
        "snapshot": Command("snapshot", "snapshot_command", "Save the configuration with its secrets to a file."),
        "restore": Command("restore", "restore_command", "Make the configuration equal to a snapshot."),
        "upgrade": Command("noun_groups", "upgrade_group", "Plan the upgrade to a newer release."),
    },
    "Undo": {
        "history": Command("history", "history_command", "List the changes that were applied."),
        "undo": Command("undo", "undo_command", "Revert a change."),
        "blame": Command("blame", "blame_command", "Show the newest change that wrote an attribute."),
    },
    "Verify": {
        "route": Command("route", "route_command", "Predict how the archive handles a C-MOVE."),
        "echo": Command("echo", "echo_command", "Send a C-ECHO to AEs from this machine."),
        "work-order": Command("work_order", "work_order_command", "List what to configure on an external archive."),
        "verify": Command("verify.command", "verify_command", "Prove with a real C-MOVE that a study is delivered."),
        "results": Command(
            "results", "results_group", "List and delete the stored results of verify.", uses_site=False
        ),
    },
    "Archive service": {
        "reload": Command("reload", "reload_command", "Make the archive load its configuration again."),
        "token": Command("token", "token_command", "Show whether the archive accepts the token."),
    },
    "Tools": {
        "config": Command("config", "config_group", "List, show and change profiles.", uses_site=False),
        "lab": Command("lab", "lab_group", "Run a complete site on this machine for trials.", uses_site=False),
        "completion": Command(
            "completion", "completion_command", "Print the shell completion script.", uses_site=False
        ),
        "help": Command("help", "help_command", "Show the help of a command or a topic.", uses_site=False),
    },
}
COMMANDS = {name: command for section in SECTIONS.values() for name, command in section.items()}

#: Group that loads only the command that runs → its commands, in the order in which ``--help`` lists them.
SUBCOMMANDS = {
    "ae": {
        "list": Command("ae_list", "list_command", "List the AEs of all devices, with their addresses."),
        "show": Command("ae_show", "show_command", "Show an AE, and the settings that refer to it."),
        "add": Command("ae", "add_command", "Add an AE, its device and its connection."),
        "set": Command("set", "ae_set_command", "Set, add and remove values of an AE."),
        "rename": Command("rename", "ae_command", "Give an AE another title."),
        "remove": Command("ae", "remove_command", "Remove an AE and the entries that only this AE uses."),
    },
    "device": {
        "list": Command("device_list", "list_command", "List the devices, with their AEs."),
        "show": Command("show", "device_show_command", "Show a device, its AEs and its retrieve settings."),
        "create": Command("device", "create_command", "Create an empty device."),
        "clone": Command("device", "clone_command", "Copy a device and everything in it to a new device."),
        "set": Command("set", "device_set_command", "Set, add and remove values of a device."),
        "rename": Command("rename", "device_command", "Give a device another name."),
        "remove": Command("device", "remove_command", "Remove a device and everything in it."),
    },
    "upgrade": {
        "status": Command("upgrade.status", "status_command", "Show the release of the configuration."),
        "schema": Command(
            "upgrade.schema", "schema_command", "Install the schema of a release in the directory server."
        ),
        "plan": Command("upgrade.plan", "plan_command", "Plan the upgrade to a release, and change nothing."),
        "apply": Command("upgrade.apply", "apply_command", "Apply the plan of an upgrade."),
        "gap": Command("upgrade.gap", "gap_command", "List differences from a new installation."),
    },
}

#: Alias → the command that it runs, both as words. Help, completion and docs/commands.md list commands only.
#: ``add-value`` and ``remove-value`` are ``set`` with a hidden option that says what the ``=`` in ATTR=VALUE means.
ALIASES = {
    "aes": "ae list",
    "devices": "device list",
    "rename ae": "ae rename",
    "rename device": "device rename",
    "onboard": "import",
    "add-value": "set --equals +=",
    "remove-value": "set --equals -=",
    "lint": "check",
}


def expand_alias(arguments: Sequence[str]) -> list[str]:
    """Return *arguments* (the words after ``dcmcfg`` and its options), with a leading alias replaced by its command.

    An alias for the list of a noun stands for the noun if a command of that noun follows: ``aes set`` is ``ae set``.
    """
    for alias, command in ALIASES.items():
        words = alias.split()
        if list(arguments[: len(words)]) == words:
            noun, _, verb = command.partition(" ")
            if verb == "list" and "".join(arguments[len(words) : len(words) + 1]) in SUBCOMMANDS.get(noun, {}):
                return [noun, *arguments[len(words) :]]
            return [*command.split(), *arguments[len(words) :]]
    return list(arguments)
