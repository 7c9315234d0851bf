"""``dcmcfg token``."""

from __future__ import annotations

import functools

import click

from dcmcfg.archive.http_client import HttpClient, HttpTimeouts
from dcmcfg.archive.issuer import TokenIssuer
from dcmcfg.archive.token_check import TokenOutcome, check_token
from dcmcfg.archive.token_refusal import explain_token_refusal
from dcmcfg.cli import invocation
from dcmcfg.cli.options.node_options import node_name_option
from dcmcfg.cli.options.output_options import json_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_message, print_output
from dcmcfg.cli.session.archive import get_credential
from dcmcfg.cli.session.output import print_json
from dcmcfg.errors import NotFound
from dcmcfg.render.token import print_token, token_json
from dcmcfg.settings import Settings
from dcmcfg.settings.nodes import select_node_settings

#: Short, because several servers are contacted, and some may not be reachable from this machine.
_TIMEOUTS = HttpTimeouts(connect=5.0, response=15.0)


@click.command("token", cls=SiteCommand)
@site_options
@node_name_option
@click.option("--role", default="auth", show_default=True, help="Role that the archive requires (auth-user-role).")
@click.option("--print", "only_print", is_flag=True, help="Print only the token, for other programs such as curl.")
@json_option
def token_command(settings: Settings, *, node: str | None, role: str, only_print: bool, as_json: bool) -> int:
    """Show whether the archive accepts the token.

    The command requests or reads the token in the same way as every other command. The output shows the issuer, the
    client, the expiry and the roles of the token. If the archive rejects the token, the output also shows the reason.
    The token itself is shown only with --print.

    Exit codes: 0 the token is accepted or not required. 1 the token is rejected. 3 there is no token, or the archive
    did not respond.
    """
    if only_print and as_json:
        raise click.UsageError("--print and --json cannot be used together")
    settings = select_node_settings(settings, node)
    credential = get_credential(settings)
    token = credential.get_token() if isinstance(credential, TokenIssuer) else credential
    if only_print:
        if token is None:
            raise NotFound(
                "no token is set for this archive", subject=settings.archive_url, next_step="see dcmcfg help secured"
            )
        print_message("warning: until the token expires, anyone who has the token has your permissions on the archive")
        print_output(token)
        return 0
    issuer = settings.oidc.issuer if settings.oidc else ""
    http_client = HttpClient(settings.ca_file, _TIMEOUTS, require_crl=settings.require_crl)
    check = check_token(settings.archive_url, token, issuer, http_client)
    reasons = explain_token_refusal(check, role)
    source = _describe_source(settings)
    make_result = functools.partial(token_json, source, settings.archive_url, check=check, role=role, reasons=reasons)
    if check.failure is not None:
        invocation.current().partial_result = make_result
    elif as_json:
        print_json(make_result())
    if not as_json:
        print_token(source, settings.archive_url, check=check, role=role, reasons=reasons)
    if check.failure is not None:
        raise check.failure
    return 1 if check.outcome is TokenOutcome.REFUSED else 0


def _describe_source(settings: Settings) -> str:
    """Return the source of the token, as the user configured it."""
    if settings.oidc is not None:
        client = settings.oidc
        return f"requested as client {client.client_id} from {client.server_url} ({client.url_origin})"
    return f"configured ({settings.origins['archive_token']})" if settings.token_secret else "not set"
