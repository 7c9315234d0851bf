"""``dcmcfg connection``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import click

from dcmcfg.cli.completers import complete_connection, complete_device
from dcmcfg.cli.options.arguments import cipher_suite_option
from dcmcfg.cli.options.change_options import ChangeOptions, changing_options
from dcmcfg.cli.options.display_options import wide_option
from dcmcfg.cli.options.help_page import CommandGroup
from dcmcfg.cli.options.output_options import json_option, output_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options, site_options_without_device
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.edit import apply_edit
from dcmcfg.cli.session.output import print_json
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.edits.cipher_suites import get_archive_cipher_suites
from dcmcfg.edits.connection_settings import PROTOCOLS, ConnectionSettings, find_connection, split_connection
from dcmcfg.edits.connections import add_connection, remove_connection, set_connection
from dcmcfg.edits.edit import Edit
from dcmcfg.model.connections import ConnectionUsers
from dcmcfg.model.devices import Configuration
from dcmcfg.model.references.index import References
from dcmcfg.network_address import parse_host, parse_host_or_port, parse_host_port
from dcmcfg.render.connections import (
    connection_details_json,
    connections_json,
    print_connection,
    print_connections,
)
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.settings import Settings

R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class _ConnectionOptions:
    """The options of a connection except its address; None if an option was not given."""

    tls: bool | None
    cipher_suites: tuple[str, ...]
    protocol: str | None
    bind_address: str | None
    client_bind_address: str | None
    installed: bool | None

    def to_settings(self, configuration: Configuration, archive_device: str, address: str | None) -> ConnectionSettings:
        """Return the settings of the connection, at *address* (``HOST[:PORT]`` or ``:PORT``, None to keep it).

        With TLS and no cipher suites, those of *archive_device* are used.
        """
        host, port = (None, None) if address is None else parse_host_or_port(address)
        suites: tuple[str, ...] | None = self.cipher_suites or None
        if self.tls and suites is None:
            suites = get_archive_cipher_suites(configuration, archive_device)
        if self.tls is False:
            suites = ()
        return ConnectionSettings(
            host,
            port,
            suites,
            self.protocol,
            bind_address=self.bind_address,
            client_bind_address=self.client_bind_address,
            installed=self.installed,
        )


def _connection_options(command: Callable[..., R]) -> Callable[..., R]:
    """Return *command* with the options of a connection, called with ``connection_options``."""

    @functools.wraps(command)
    def with_connection_options(
        *,
        tls: bool | None,
        cipher_suites: tuple[str, ...],
        protocol: str | None,
        bind_address: str | None,
        client_bind_address: str | None,
        installed: bool | None,
        **rest: object,
    ) -> R:
        if tls is False and cipher_suites:
            raise click.UsageError("--no-tls and --cipher-suite cannot be used together")
        return command(
            connection_options=_ConnectionOptions(
                tls=tls,
                cipher_suites=cipher_suites,
                protocol=protocol,
                bind_address=bind_address,
                client_bind_address=client_bind_address,
                installed=installed,
            ),
            **rest,
        )

    for option in reversed(
        (
            click.option(
                "--tls/--no-tls",
                default=None,
                help="Use TLS with the cipher suites of the archive's AEs (--tls), or no TLS (--no-tls).",
            ),
            cipher_suite_option,
            click.option(
                "--protocol", type=click.Choice(PROTOCOLS), help="Protocol of the connection; DICOM by default."
            ),
            click.option(
                "--bind-address",
                metavar="ADDRESS",
                callback=_parse_address,
                help="Address to listen on; '' for all addresses.",
            ),
            click.option(
                "--client-bind-address",
                metavar="ADDRESS",
                callback=_parse_address,
                help="Source address of outgoing connections; '' for any address.",
            ),
            click.option(
                "--installed/--not-installed", default=None, help="Enable or disable the connection (dicomInstalled)."
            ),
        )
    ):
        with_connection_options = option(with_connection_options)
    return with_connection_options


def _parse_address(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:  # noqa: ARG001 — click's signature
    return parse_host(value) if value else value


@click.group("connection", cls=CommandGroup, short_help="List, show, add, change and remove connections.")
def connection_group() -> None:
    """List, show, add, change and remove the network connections of devices."""


@connection_group.command("list", short_help="List connections and the AEs that use them.", cls=SiteCommand)
@click.argument("device", required=False, metavar="[DEVICE]", shell_complete=complete_device)
@site_options_without_device
@wide_option
@json_option
@output_option
def list_command(settings: Settings, *, device: str | None, as_json: bool) -> None:
    """List the connections of DEVICE, or of all devices, and the AEs and applications that use each connection."""
    with open_directory(settings) as directory:
        configuration = Configuration(read_tree(directory))
    devices = configuration.devices if device is None else (configuration.get_device(device),)
    users = ConnectionUsers(References(configuration.tree))
    if as_json:
        print_json(connections_json(devices, users))
    else:
        print_connections(make_stdout_console(), devices, users)


@connection_group.command("show", short_help="Show a connection and the AEs that use it.", cls=SiteCommand)
@click.argument("target", metavar="DEVICE[/NAME]", shell_complete=complete_connection)
@site_options
@json_option
@output_option
def show_command(settings: Settings, *, target: str, as_json: bool) -> None:
    """Show a connection: address, TLS, the AEs and applications that use the connection, and other attributes.

    The part NAME of the argument is the name of a connection, or the title of an AE with one connection. You can omit
    this part if the device has only one connection.
    """
    with open_directory(settings) as directory:
        configuration = Configuration(read_tree(directory))
    device, connection = find_connection(configuration, target)
    users = ConnectionUsers(References(configuration.tree))
    if as_json:
        print_json(connection_details_json(device, connection, users))
    else:
        print_connection(make_stdout_console(), device, connection, users)


@connection_group.command("add", short_help="Add a connection to a device.", cls=SiteCommand)
@click.argument("target", metavar="DEVICE[/NAME]", shell_complete=complete_device)
@click.argument("address", metavar="HOST[:PORT]")
@site_options
@_connection_options
@click.option("--ae", "titles", multiple=True, metavar="AET", help="AE that will use the connection; can be repeated.")
@changing_options
def add_command(
    settings: Settings,
    options: ChangeOptions,
    connection_options: _ConnectionOptions,
    *,
    target: str,
    address: str,
    titles: tuple[str, ...],
) -> None:
    """Add a connection to a device.

    Without a port, the connection is for outgoing associations only. The default name is 'dicom', or 'dicom-tls' for
    TLS. With --ae, the AE uses the new connection and keeps its other connections.
    """
    parse_host_port(address)  # report an invalid address before the directory is read

    def make_edit(configuration: Configuration) -> Edit:
        device, name = split_connection(configuration, target)
        return add_connection(
            device, name, connection_options.to_settings(configuration, settings.device, address), ae_titles=titles
        )

    apply_edit(settings, options, make_edit)


@connection_group.command("set", short_help="Change a connection for all AEs that use it.", cls=SiteCommand)
@click.argument("target", metavar="DEVICE[/NAME]", shell_complete=complete_connection)
@click.argument("address", metavar="[HOST[:PORT]]", required=False)
@site_options
@_connection_options
@changing_options
def set_command(
    settings: Settings,
    options: ChangeOptions,
    connection_options: _ConnectionOptions,
    *,
    target: str,
    address: str | None,
) -> None:
    """Change a connection for all AEs and applications that use the connection.

    The part NAME of the argument is the name of a connection, or the title of an AE with one connection. You can omit
    this part if the device has only one connection. If you specify a host without a port, the port is unchanged. To
    change only the port, specify :PORT.
    """
    if address is not None:
        parse_host_or_port(address)
    elif connection_options == _ConnectionOptions(
        tls=None, cipher_suites=(), protocol=None, bind_address=None, client_bind_address=None, installed=None
    ):
        raise click.UsageError("Specify HOST:PORT, or an option that changes the connection")

    def make_edit(configuration: Configuration) -> Edit:
        return set_connection(
            *find_connection(configuration, target),
            connection_options.to_settings(configuration, settings.device, address),
        )

    apply_edit(settings, options, make_edit)


@connection_group.command("remove", cls=SiteCommand)
@click.argument("target", metavar="DEVICE[/NAME]", shell_complete=complete_connection)
@site_options
@click.option(
    "--detach",
    is_flag=True,
    help="Also remove the connection from the AEs and applications that use it, if each of them has another "
    "connection.",
)
@changing_options
def remove_command(settings: Settings, options: ChangeOptions, *, target: str, detach: bool) -> None:
    """Remove an unused connection.

    The command refuses to remove a connection that an AE or an application uses. If such a connection is missing, the
    archive cannot load the device.
    """
    apply_edit(
        settings,
        options,
        lambda configuration: remove_connection(*find_connection(configuration, target), detach=detach),
    )
