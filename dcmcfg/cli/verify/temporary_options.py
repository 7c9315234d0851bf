"""Options of ``verify`` for a destination that exists for one run only."""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.cli.options.site_command import option_group, section_option


@dataclass(frozen=True, kw_only=True)
class TemporaryDestinationOptions:
    """Whether to add an AE for this run, its address, and whether to confirm the change of the configuration."""

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
            help="Add an AE with the address of this machine, for this run only. Replaces --dest, and implies "
            "--receive.",
        ),
        _option(
            "--temporary-address",
            metavar="HOST[:PORT]",
            help="Address at which the archive reaches this machine. Default: the address from which this machine "
            "sends requests to the archive.",
        ),
        _option("--show-plan", is_flag=True, help="Show each entry that --temporary-dest adds, and its LDIF."),
        _option("--clean-temporary", is_flag=True, help="Only remove the temporary destinations of interrupted runs."),
        _option("--yes", "-y", is_flag=True, help="Do not ask for confirmation."),
    ],
)
