"""Options of ``verify`` about a destination that is there for one run only."""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.cli.options.site_command import option_group, section_option


@dataclass(frozen=True, kw_only=True)
class TemporaryDestinationOptions:
    """Whether an AE is added for this run, with which address, and whether one may change the configuration for it."""

    temporary_dest: bool
    temporary_address: str | None
    show_plan: bool
    clean_temporary: bool
    yes: bool


_option = section_option("Receiver")
temporary_options = option_group(
    "temporary",
    TemporaryDestinationOptions,
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
