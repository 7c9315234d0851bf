"""The commands of the program, by name."""

from __future__ import annotations

from typing import NamedTuple


class Command(NamedTuple):
    """Where a command is found, its one line of help, and whether it works on a site (and takes the site options)."""

    module: str
    attribute: str
    help: str
    at_a_site: bool = True


#: In the order in which ``--help`` lists them: that of the work.
COMMANDS = {
    "status": Command("status", "status_command", "Say whether the archive is up."),
    "show": Command("show", "show_command", "Show a device, its AEs and where they send retrieves."),
    "devices": Command("devices", "devices_command", "List the devices, with their AEs."),
    "aes": Command("aes", "aes_command", "List the AEs of all devices, with their addresses."),
    "find": Command("find", "find_command", "Find a text in names of entries and attributes, and in values."),
    "get": Command("get", "get_command", "Show values of an entry, one a line."),
    "set": Command("set", "set_command", "Set attributes of an entry to exactly the values given."),
    "unset": Command("unset", "unset_command", "Take attributes away from an entry, with all their values."),
    "add-value": Command(
        "add_value", "add_value_command", "Add values to attributes of an entry, beside those that it has."
    ),
    "remove-value": Command(
        "remove_value", "remove_value_command", "Take single values of attributes away from an entry."
    ),
    "edit": Command("edit", "edit_command", "Edit an entry, or all below it too, as LDIF in your editor."),
    "set-external-retrieve": Command(
        "set_external_retrieve",
        "set_external_retrieve_command",
        "Set the AE that external retrieves are sent to.",
    ),
    "ae": Command("ae", "ae_group", "Add, list and remove AEs."),
    "device": Command("device", "device_group", "Create, clone, list and remove devices."),
    "connection": Command("connection", "connection_group", "List, add, change and remove connections."),
    "capability": Command("capability", "capability_group", "List, change, copy and compare what an AE can."),
    "rename": Command("rename", "rename_group", "Give a device, an AE or a part of the archive another name."),
    "check": Command("check", "check_command", "Find what is wrong in the configuration, or in LDIF files."),
    "lint": Command("lint", "lint_command", "Find what will not work, before anyone tries."),
    "explain": Command("explain", "explain_command", "Say what an attribute means and where it is set."),
    "export-ldif": Command("export_ldif", "export_ldif_command", "Write the configuration as LDIF."),
    "diff": Command("diff", "diff_command", "Show what differs between two trees, or from the live one."),
    "snapshot": Command("snapshot", "snapshot_command", "Save the whole configuration, with its secrets, in a file."),
    "restore": Command("restore", "restore_command", "Make the configuration equal to a snapshot."),
    "apply": Command("apply", "apply_command", "Carry out LDIF files, undo files included."),
    "onboard": Command("onboard", "onboard_command", "Add the AEs of a file, a row each."),
    "history": Command("history", "history_command", "List what was rolled out from this account, the newest first."),
    "undo": Command("undo", "undo_command", "Take a roll-out back."),
    "reload": Command("reload", "reload_command", "Have the archive read its configuration again."),
    "echo": Command("echo", "echo_command", "Call AEs with a C-ECHO, from this machine."),
    "route": Command("route", "route_command", "Say what the archive will do with a C-MOVE."),
    "work-order": Command(
        "work_order", "work_order_command", "Say what the administrator of another archive must enter there."
    ),
    "token": Command("token", "token_command", "Say whether the archive takes the token, and why not."),
    "verify": Command("verify", "verify_command", "Prove with a real C-MOVE that a study arrives."),
    "lab": Command("lab", "lab_group", "Run a whole site on this machine, to try things on.", at_a_site=False),
    "completion": Command("completion", "completion_command", "Print the shell completion script.", at_a_site=False),
}
