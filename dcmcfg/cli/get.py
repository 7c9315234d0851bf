"""``dcmcfg get``."""

from __future__ import annotations

import click

from dcmcfg.cli.completers import complete_allowed_attribute, complete_target
from dcmcfg.cli.options.output_options import file_option, json_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import STDOUT, print_json, redirect_output, write_octets
from dcmcfg.cli.session.targets import resolve_target_with_note
from dcmcfg.directory.subschema import read_schema_for_attributes
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.model.devices import Configuration
from dcmcfg.model.effective_settings import get_effective_values, require_single_value
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.render.values import print_values, values_json
from dcmcfg.settings import Settings

_NOT_SET = 1


@click.command("get", cls=SiteCommand)
@click.argument("target", shell_complete=complete_target)
@click.argument("attributes", nargs=-1, metavar="[ATTR]...", shell_complete=complete_allowed_attribute)
@site_options
@file_option(
    "FILE",
    "Write the value of one ATTR unchanged to a new FILE that only you can read. '-' is standard output. With --json, "
    "write the JSON output.",
)
@json_option
def get_command(
    settings: Settings, *, target: str, attributes: tuple[str, ...], output: str | None, as_json: bool
) -> int:
    """Show values of an entry.

    Each value is printed on one line. Without ATTR, all attributes are shown. If an AE of the archive inherits
    a value from its device, the inherited value is shown with a note.

    Secrets are not shown. If a value is a ZIP file (dicomVendorData), the output lists the files in the ZIP file.

    Exit codes: 0 all attributes are set, 1 an attribute is neither set nor inherited.
    """
    if output is not None and not as_json and len(attributes) != 1:
        raise click.UsageError("--output requires exactly one ATTR, or --json")
    with open_directory(settings) as directory:
        schema = read_schema_for_attributes(directory, attributes)
        resolved_target = resolve_target_with_note(Configuration(read_tree(directory)), target)
    effective_values = get_effective_values(schema, resolved_target, attributes)
    if as_json:
        with redirect_output(output or STDOUT, private=True):
            print_json(values_json(resolved_target, effective_values))
    elif output is not None and any(each.values for each in effective_values):
        write_octets(output, require_single_value(resolved_target, effective_values))
    else:
        print_values(make_stdout_console(), resolved_target, effective_values, show_dn=not attributes)
    return 0 if all(each.values for each in effective_values) else _NOT_SET
