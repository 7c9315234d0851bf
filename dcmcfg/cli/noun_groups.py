"""The groups ``ae``, ``device`` and ``upgrade``, which load only the command that runs.

Kept apart: ``ae list`` would otherwise load the modules of ``ae add``.
"""

from __future__ import annotations

import click

from dcmcfg.cli.command_loader import LazyGroup


@click.group("ae", cls=LazyGroup, short_help="List, show, add, change and remove AEs.")
def ae_group() -> None:
    """List, show, add, change, rename and remove AEs."""


@click.group("device", cls=LazyGroup, short_help="List, show, create, change and remove devices.")
def device_group() -> None:
    """List, show, create, clone, change, rename and remove devices."""


@click.group("upgrade", cls=LazyGroup, short_help="Plan the upgrade to a newer release.")
def upgrade_group() -> None:
    """Plan the upgrade of the configuration to a newer release of dcm4chee-arc.

    dcmcfg does not apply the update files of the release one by one, because these files expect the names and entries
    of the default configuration. dcmcfg finds out which AEs and devices of the site correspond to those of the default
    configuration, and makes the changes of the update files in these AEs and devices. dcmcfg keeps the site's own
    changes.

    A release is the folder 'ldap' of the distribution of dcm4chee-arc, or its ZIP file.
    """
