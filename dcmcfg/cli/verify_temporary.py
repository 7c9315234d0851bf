"""Options of ``verify`` about a destination that is there for one run only."""

from __future__ import annotations

from dataclasses import dataclass

import click

from dcmcfg.cli.option_group import option_group
from dcmcfg.cli.site import section_option


@dataclass(frozen=True)
class Temporary:
    """Whether an AE is added for this run, with which address, and whether one may change the configuration for it."""

    temporary_dest: bool
    temporary_address: str | None
    show_plan: bool
    clean_temporary: bool
    yes: bool

    def require_sense(self, study: str | None, dest: str | None, *, more: bool) -> None:
        """Raise :class:`click.UsageError` where these options and --study and --dest do not go together.

        With *more*, something is to be received or kept of what is moved.
        """
        if self.temporary_address is not None and not self.temporary_dest:
            raise click.UsageError("--temporary-address goes with --temporary-dest")
        if self.show_plan and not self.temporary_dest:
            raise click.UsageError("--show-plan goes with --temporary-dest")
        if self.clean_temporary:
            if self.temporary_dest or study is not None or dest is not None:
                raise click.UsageError("--clean-temporary moves nothing: it takes no study and no destination")
            if more:
                raise click.UsageError("--clean-temporary moves nothing: there is nothing to receive or to report on")
            return
        if self.yes and not self.temporary_dest:
            raise click.UsageError("--yes goes with --temporary-dest or --clean-temporary: nothing else is asked")
        if study is None:
            raise click.UsageError("Missing option '--study', or --studies, --query, --recall.")
        if dest is None and not self.temporary_dest:
            raise click.UsageError("Missing option '--dest', or --temporary-dest.")
        if dest is not None and self.temporary_dest:
            raise click.UsageError("--temporary-dest takes the place of --dest")


_option = section_option("Who receives")
temporary_options = option_group(
    "temporary",
    Temporary,
    [
        _option(
            "--temporary-dest",
            is_flag=True,
            help="Instead of --dest: add an AE with this machine's address for this run, receive as it, remove it.",
        ),
        _option(
            "--temporary-address",
            metavar="HOST[:PORT]",
            help="Where the archive finds this machine, if not by the address that it is called from.",
        ),
        _option("--show-plan", is_flag=True, help="Show each entry that --temporary-dest adds, and its LDIF."),
        _option(
            "--clean-temporary", is_flag=True, help="Only remove what killed runs with --temporary-dest have left."
        ),
        _option("--yes", "-y", is_flag=True, help="Do not ask before --temporary-dest changes the configuration."),
    ],
)
