"""``dcmcfg upgrade schema``."""

from __future__ import annotations

from pathlib import Path

import click

from dcmcfg.cli import invocation
from dcmcfg.cli.options.output_options import file_option, json_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.schema_servers import SchemaOptions
from dcmcfg.cli.session.schema_undo import revert_schema
from dcmcfg.cli.session.schema_update import SchemaUpdate
from dcmcfg.cli.upgrade.options import FOLDER, releases_option
from dcmcfg.files.named_release import read_named_schema
from dcmcfg.settings import Settings


@click.command("schema", short_help="Install the schema of a release in the directory server.", cls=SiteCommand)
@site_options
@click.option("--to", "target_folder", metavar="FOLDER", type=FOLDER, help="Release whose schema to install.")
@releases_option
@click.option(
    "--config-user",
    metavar="DN",
    default="",
    help="DN of the administrator of cn=config, for example cn=admin,cn=config. 'EXTERNAL': log in with the account "
    "that runs dcmcfg, over ldapi://. Default: DCMCFG_CONFIG_USER; if this is not set, the bind DN of the site.",
)
@click.option(
    "--config-password-file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File with the password of --config-user. Default: DCMCFG_CONFIG_PASSWORD_FILE or DCMCFG_CONFIG_PASSWORD, or "
    "else a prompt.",
)
@click.option(
    "--drop-obsolete",
    is_flag=True,
    help="First delete the values of attributes and object classes that the release no longer has.",
)
@click.option("--undo", is_flag=True, help="Revert the last update of the schema.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@file_option("FILE", "Write the changes of cn=config to the new LDIF file FILE, and apply nothing.")
@json_option
def schema_command(
    settings: Settings,
    *,
    target_folder: Path | None,
    release_folders: tuple[Path, ...],
    config_user: str,
    config_password_file: Path | None,
    drop_obsolete: bool,
    undo: bool,
    yes: bool,
    output: str | None,
    as_json: bool,
) -> None:
    """Install the schema of a release in the directory server (OpenLDAP).

    dcmcfg compares the schema files of the release with the definitions of the server, by OID. dcmcfg changes only
    definitions that differ, in cn=config. Definitions that the site has added do not change. If nodes read replicas of
    the directory, dcmcfg changes the replicas first. The data do not change. The command shows its plan and asks for
    confirmation.

    If the release no longer has a definition that is still in use, dcmcfg refuses the change. A definition is in use if
    an entry, an index, an access rule or an overlay of the server uses it. If the command is interrupted, run the
    command again. --undo restores the former definitions. If entries use new definitions, dcmcfg refuses --undo.

    Exit codes: 0 the schema is complete, 1 declined, 3 nothing was changed, 4 the update is incomplete.
    """
    options = SchemaOptions(
        config_user=config_user,
        config_password_file=config_password_file,
        output=output,
        drop_obsolete=drop_obsolete,
        yes=yes,
        as_json=as_json,
    )
    invocation.current().changes_directory = True
    if undo:
        if target_folder is not None or output is not None or drop_obsolete:
            raise click.UsageError("--undo excludes --to, --drop-obsolete and --output")
        revert_schema(settings, options)
        return
    if target_folder is None:
        raise click.UsageError("Missing option '--to'.")
    release = read_named_schema(target_folder)
    others = [read_named_schema(each) for each in release_folders]
    SchemaUpdate(settings, release, others, options).run()
