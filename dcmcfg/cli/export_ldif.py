"""``dcmcfg export-ldif``."""

from __future__ import annotations

from collections.abc import Iterable

import click

from dcmcfg.cli.options.output_options import file_option, json_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import STDOUT, print_json, print_written_file, write_atomically
from dcmcfg.directory.live_export import export_live
from dcmcfg.directory.subschema import read_merged_schema
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN
from dcmcfg.model.export import RecordCount, export_ldif, format_records, select_entries
from dcmcfg.model.rebasing import Rebasing, RebasingReport
from dcmcfg.printable import escape_unprintable
from dcmcfg.settings import Settings


@click.command("export-ldif", cls=SiteCommand)
@site_options
@file_option("FILE", "Write the LDIF to FILE instead of standard output ('-'). An existing FILE is replaced.")
@json_option
@click.option("--with-secrets", is_flag=True, help="Include passwords and PINs; only you can read the file.")
@click.option("--no-version", is_flag=True, help="Omit the line 'version: 1', which slapadd refuses.")
@click.option(
    "--as-base", metavar="DN", help="Replace the base DN in all DNs with this base DN, for use at another site."
)
def export_ldif_command(
    settings: Settings, *, output: str | None, as_json: bool, with_secrets: bool, no_version: bool, as_base: str | None
) -> None:
    """Write the configuration as LDIF.

    To export one device only, put --device NAME after the command. The entries are always in the same order, with
    parents before children. This order makes it easy to compare exports and to keep exports in git.

    Without --with-secrets, the export contains no secrets. A comment names each attribute that is left out. From an
    export with secrets, you can restore the same tree in an empty server.

    With --json, the entries are printed as JSON. With --json and -o FILE, the entries are written to FILE as LDIF. The
    JSON output then contains the name of the file and the number of entries.
    """
    target = output or STDOUT
    prints_entries = as_json and target == STDOUT
    if prints_entries and no_version:
        raise click.UsageError(
            "--no-version is for LDIF, but this command prints JSON. Omit --json, or specify --output FILE"
        )
    base = DN.parse(as_base) if as_base is not None else None
    if base == DN():
        raise click.UsageError("--as-base must not be empty")
    with open_directory(settings) as directory:
        rebasing_report = (
            RebasingReport(Rebasing(read_merged_schema(directory), settings.base_dn, base)) if base else None
        )
        if prints_entries:
            entries = select_entries(read_tree(directory), settings.device_from_option)
            text: Iterable[str] = ()
        elif settings.device_from_option is not None:
            write = format_records if no_version else export_ldif
            entries = select_entries(read_tree(directory), settings.device_from_option)
            text = write(
                rebasing_report.rebase_entries(entries) if rebasing_report else entries, with_secrets=with_secrets
            )
        else:
            # Faster than the export of a read tree, and the text is the same.
            text = export_live(directory, with_secrets=with_secrets, version=not no_version, report=rebasing_report)
    if prints_entries:
        from dcmcfg.render.values import entries_json  # loads rich, which LDIF does not need

        entries = tuple(rebasing_report.rebase_entries(entries) if rebasing_report else entries)
        print_json(entries_json(entries, with_secrets=with_secrets))
    else:
        count = RecordCount()
        write_atomically(target, count.count_in(text), private=with_secrets)
        if as_json:
            print_json({"file": target, "entry_count": count.total, "secrets_included": with_secrets})
        else:
            print_written_file(target)
    # The text is generated while it is written, so the warnings are complete only now.
    for line in rebasing_report.format_warnings() if rebasing_report else ():
        print_message(f"warning: {escape_unprintable(line)}")
