"""``dcmcfg ae add`` and ``dcmcfg ae remove``."""

from __future__ import annotations

from pathlib import Path

import click

from dcmcfg.cli.completers import complete_ae, complete_device
from dcmcfg.cli.noun_groups import ae_group
from dcmcfg.cli.options.ae_device import ae_device_option
from dcmcfg.cli.options.arguments import cipher_suite_option
from dcmcfg.cli.options.change_options import ChangeOptions, changing_options
from dcmcfg.cli.options.site_command import SiteCommand, site_options_without_device
from dcmcfg.cli.session.edit import apply_edit
from dcmcfg.dicom.capability_lines import build_storage_scp_capabilities, read_capabilities
from dcmcfg.edits.cipher_suites import get_archive_cipher_suites
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.network_ae import NewNetworkAE, add_network_ae
from dcmcfg.edits.removal import remove_network_ae
from dcmcfg.edits.transfer_capability import TransferCapability
from dcmcfg.model.devices import Configuration
from dcmcfg.model.targets import resolve_network_ae
from dcmcfg.onboarding.role import DEFAULT_ROLE, AERole, describe_roles, parse_new_address, parse_role
from dcmcfg.settings import Settings

_NONE, _STORAGE_SCP = "none", "storage-scp"


@ae_group.command("add", short_help="Add an AE, its device and its connection.", cls=SiteCommand)
@click.argument("address", metavar="AET@HOST:PORT")
@site_options_without_device
@click.option(
    "--role",
    type=click.Choice([role.value for role in AERole], case_sensitive=False),
    default=DEFAULT_ROLE.value,
    help=f"Role of the AE, workstation by default. {describe_roles()}.",
)
@click.option(
    "--device",
    "on_device",
    metavar="NAME",
    shell_complete=complete_device,
    help="Existing or new device for the AE. Default: the AE title in lower case.",
)
@click.option(
    "--connection",
    metavar="NAME",
    help="Existing or new connection for the AE. Default: 'dicom', or 'dicom-tls' for TLS.",
)
@click.option("--tls", is_flag=True, help="Use TLS, with the cipher suites of the archive's AEs.")
@cipher_suite_option
@click.option("--description", metavar="TEXT", help="Description of the AE.")
@click.option("--device-description", metavar="TEXT", help="Description of a new device.")
@click.option(
    "--like", metavar="AE", shell_complete=complete_ae, help="Copy the capabilities of this AE to the new AE."
)
@click.option(
    "--capabilities",
    metavar="none|storage-scp|FILE",
    default=_NONE,
    help="Capabilities of the new AE: none, all storage SOP classes, or the capabilities in a file.",
)
@changing_options
def add_command(
    settings: Settings,
    options: ChangeOptions,
    *,
    address: str,
    role: str,
    on_device: str | None,
    connection: str | None,
    tls: bool,
    cipher_suites: tuple[str, ...],
    description: str | None,
    device_description: str | None,
    like: str | None,
    capabilities: str,
) -> None:
    """Add an AE, its device and its connection, and register the AE title.

    dcmcfg writes the same entries as dcmldap. Existing entries are unchanged. If the device already has a connection
    with the same address, the AE uses that connection. A connection with another address is never changed. With --role
    modality, the port is optional.

    The archive sends everything to an AE without capabilities. --capabilities FILE reads capabilities from a file. Each
    line of this file has the form 'ROLE SOP-CLASS SYNTAX…'. For an example, run 'dcmcfg capability list AE --format
    lines'. --tls uses the cipher suites of the archive's device. To specify the archive's device, put --device before
    the command: dcmcfg --device NAME ae add.
    """
    if like is not None and capabilities != _NONE:
        raise click.UsageError("--like and --capabilities cannot be used together")
    ae_role = parse_role(role)
    title, host, port = parse_new_address(address, ae_role)
    file_capabilities = read_capabilities(Path(capabilities)) if capabilities not in (_NONE, _STORAGE_SCP) else ()

    def make_edit(configuration: Configuration) -> Edit:
        tls_suites = cipher_suites or (get_archive_cipher_suites(configuration, settings.device) if tls else ())
        own_capabilities: tuple[TransferCapability, ...] = (
            build_storage_scp_capabilities(configuration) if capabilities == _STORAGE_SCP else file_capabilities
        )
        new_ae = NewNetworkAE(
            title,
            host,
            port,
            device=on_device,
            device_type=ae_role.device_type,
            acceptor=ae_role.listens,
            cipher_suites=tls_suites,
            connection=connection,
            description=description,
            device_description=device_description,
            capabilities=own_capabilities,
            template=resolve_network_ae(configuration, like) if like is not None else None,
        )
        return add_network_ae(configuration, new_ae)

    apply_edit(settings, options, make_edit)


@ae_group.command("remove", short_help="Remove an AE and the entries that only this AE uses.", cls=SiteCommand)
@click.argument("ae", metavar="TITLE|DEVICE/TITLE", shell_complete=complete_ae)
@site_options_without_device
@ae_device_option
@click.option("--keep-connection", is_flag=True, help="Keep the connections and the device of the AE.")
@changing_options
def remove_command(
    settings: Settings, options: ChangeOptions, *, ae: str, on_device: str | None, keep_connection: bool
) -> None:
    """Remove an AE with its capabilities and its registration.

    Connections that nothing else uses are also removed. The device is also removed if the device contains nothing else.
    The archive's device is never removed. References to the AE in other entries are listed, but not changed.
    """

    def make_edit(configuration: Configuration) -> Edit:
        return remove_network_ae(resolve_network_ae(configuration, ae, on_device), keep_connection=keep_connection)

    apply_edit(settings, options, make_edit)
