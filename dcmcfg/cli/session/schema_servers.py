"""The directory servers of a site whose schema is updated: identities, order, locks and comparison with releases."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from dcmcfg.cli.printing import print_message
from dcmcfg.cli.session.change import make_server_rules
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.terminal import get_bind_password
from dcmcfg.directory.ldap import LdapDirectory
from dcmcfg.directory.server import Directory
from dcmcfg.errors import DirectoryError, DoesNotApply
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.server_schema import require_newer_schema
from dcmcfg.rollout.lock import lock_directory
from dcmcfg.schema_update.run import ServerAccess
from dcmcfg.schema_update.server import read_published
from dcmcfg.settings import Settings
from dcmcfg.settings.config_identity import make_config_settings
from dcmcfg.settings.nodes import make_replica_settings
from dcmcfg.settings.secret import Secret
from dcmcfg.upgrade.schema.release_schema import ComparedServer, ReleaseSchema, SchemaComparison, compare_schema


@dataclass(frozen=True, kw_only=True)
class SchemaOptions:
    """The options of ``upgrade schema``, apart from the release."""

    config_user: str = ""
    config_password_file: Path | None = None
    output: str | None = None
    drop_obsolete: bool = False
    yes: bool = False
    as_json: bool = False

    @property
    def undo_command(self) -> str:
        """The command that reverts an update with these options, as the same administrator of cn=config."""
        user = ("--config-user", self.config_user) if self.config_user else ()
        file = ("--config-password-file", str(self.config_password_file)) if self.config_password_file else ()
        return shlex.join(("dcmcfg", "upgrade", "schema", "--undo", *user, *file))


@dataclass(frozen=True)
class SchemaServer:
    """A directory server of the site: its settings with the site's identity, and with that of cn=config."""

    data: Settings
    config: Settings

    @property
    def url(self) -> str:
        return self.data.ldap_url

    @property
    def access(self) -> ServerAccess:
        return ServerAccess(lambda: open_directory(self.config), lambda: open_directory(self.data))


def list_replica_urls(settings: Settings) -> tuple[str, ...]:
    """Return the URLs of the directory servers that the nodes read, apart from the server of the site."""
    return tuple(dict.fromkeys(each.ldap_url for each in settings.nodes if each.ldap_url != settings.ldap_url))


def list_servers(settings: Settings, options: SchemaOptions) -> tuple[SchemaServer, ...]:
    """Return the servers, replicas first; the passwords are read or prompted for once."""
    config = make_config_settings(settings, options.config_user, options.config_password_file, os.environ)
    if config is not settings and config.bind_dn and config.bind_secret is None and not sys.stdin.isatty():
        raise DirectoryError(
            f"no password for {config.bind_dn}",
            subject=settings.ldap_url,
            next_step="specify --config-password-file FILE, or set DCMCFG_CONFIG_PASSWORD",
        )
    data = _keep_password(settings)
    config = data if config is settings else _keep_password(config)
    urls = (*list_replica_urls(settings), settings.ldap_url)
    return tuple(
        SchemaServer(
            *(each if url == settings.ldap_url else make_replica_settings(each, url) for each in (data, config))
        )
        for url in urls
    )


def _keep_password(settings: Settings) -> Settings:
    """Return *settings* with the password as text, so that it is read only once for all servers."""
    if not settings.bind_dn:
        return settings
    origin = settings.origins.get("bind_password", "the prompt")
    return replace(settings, bind_secret=Secret(origin, text=get_bind_password(settings)))


@contextmanager
def lock_servers(state: Path, urls: Sequence[str]) -> Iterator[None]:
    """Hold the locks of the servers at *urls* inside the block; raises the errors of :func:`lock_directory`."""
    with ExitStack() as stack:
        # The same order in all processes, so that two of them cannot wait for each other.
        for url in sorted(urls):
            stack.enter_context(lock_directory(state, url))
        yield


def add_server_name(error: DirectoryError, url: str) -> DirectoryError:
    """Return *error* with the server at *url* and the note that nothing was changed."""
    return DirectoryError(
        f"{error.message}; nothing was changed on any server",
        subject=url if error.subject in ("", url) else f"{url}: {error.subject}",
        next_step=error.next_step,
        result_code=error.result_code,
    )


def read_comparisons(
    settings: Settings, directory: LdapDirectory, releases: Sequence[ReleaseSchema]
) -> tuple[ComparedServer, ...]:
    """Return each directory server with its schema, compared with *releases*; the server of the site is the last.

    *directory* is the connection to the server of the site. Replicas that cannot be reached are missing, with a
    warning.
    """
    found = []
    for url, replica in _open_replicas(settings, directory):
        with replica:
            found.append((url, _compare(replica, releases)))
    return (*found, (settings.ldap_url, _compare(directory, releases)))


def _open_replicas(settings: Settings, directory: LdapDirectory) -> Iterator[tuple[str, LdapDirectory]]:
    """Yield the URL of each replica with a connection that has the identity and password of *directory*."""
    if settings.bind_dn:
        secret = Secret(settings.origins.get("bind_password", "the prompt"), text=directory.server.password)
        settings = replace(settings, bind_secret=secret)
    for url in list_replica_urls(settings):
        try:
            yield url, open_directory(make_replica_settings(settings, url))
        except DirectoryError as error:
            print_message(f"warning: the schema of the replica {url} was not read: {error.message}")


def _compare(directory: Directory, releases: Sequence[ReleaseSchema]) -> tuple[SchemaComparison, ...]:
    published = read_published(directory)
    return tuple(compare_schema(published, each) for each in releases)


def require_schema(settings: Settings, directory: LdapDirectory, plan: Plan, release_folder: Path) -> None:
    """Raise :class:`~dcmcfg.errors.DoesNotApply` if the schema of a server does not allow *plan*, an upgrade.

    *directory* is the server of the site; the replicas that nodes read are checked too. A replica that cannot be
    reached is only a warning, because a plan changes nothing.
    """
    step = (
        f"install the schema of the release: dcmcfg upgrade schema --to {shlex.quote(str(release_folder))} (if the "
        "bind DN of the site is not the administrator of cn=config: add --config-user DN)"
    )
    require_newer_schema(plan, make_server_rules(directory, plan.before), step)
    for url, replica in _open_replicas(settings, directory):
        with replica:
            try:
                require_newer_schema(plan, make_server_rules(replica, plan.before), step)
            except DoesNotApply as error:
                raise DoesNotApply(
                    error.message,
                    subject=url,
                    next_step=error.next_step,
                    result_code=error.result_code,
                    details=error.details,
                ) from error
