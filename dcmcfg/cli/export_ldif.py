"""``dcmcfg export-ldif``."""

from __future__ import annotations

import click

from dcmcfg.cli.directory import open_directory
from dcmcfg.cli.output import write_whole
from dcmcfg.cli.site import SiteCommand, site_options
from dcmcfg.directory.reading import read_tree
from dcmcfg.export import export_ldif, exported, records
from dcmcfg.export_live import export_live
from dcmcfg.settings import Settings


@click.command("export-ldif", cls=SiteCommand)
@site_options
@click.option("-o", "--output", metavar="FILE", default="-", help="Write to this file, whole or not at all.")
@click.option("--with-secrets", is_flag=True, help="Include passwords and PINs; the file is readable by you only.")
@click.option("--no-version", is_flag=True, help="Leave out the line 'version: 1', which slapadd refuses.")
def export_ldif_command(settings: Settings, *, output: str, with_secrets: bool, no_version: bool) -> None:
    """Write the configuration as LDIF.

    With --device after the command, that device only. Parents stand before children and everything in a stable
    order, so that two exports can be compared and kept in git. Secrets are left out, with a comment that
    names the attribute, unless --with-secrets; with them, loading the file into an empty server gives the same tree.
    """
    with open_directory(settings) as directory:
        if settings.device_asked is not None:
            write = records if no_version else export_ldif
            text = write(exported(read_tree(directory), settings.device_asked), with_secrets=with_secrets)
        else:
            text = export_live(directory, with_secrets=with_secrets, version=not no_version)
    write_whole(output, text, private=with_secrets)
