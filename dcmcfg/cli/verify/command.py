"""``dcmcfg verify``."""

from __future__ import annotations

import functools
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.verify.command_options import VerifyOptions, verify_options
from dcmcfg.cli.verify.destination_request import CommandResult
from dcmcfg.cli.verify.leftovers import warn_of_leftovers
from dcmcfg.cli.verify.one_study import verify_one
from dcmcfg.cli.verify.run import VerifyRun
from dcmcfg.directory.server import Directory
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.model.devices import Configuration
from dcmcfg.settings import Settings
from dcmcfg.verify.addresses import VerificationAddresses

if TYPE_CHECKING:
    from dcmcfg.cli.verify.temporary_destination import ActiveDestination


@click.command("verify", cls=SiteCommand)
@verify_options
@site_options
def verify_command(settings: Settings, *, options: VerifyOptions) -> int:
    """Prove with a real C-MOVE that a study is delivered.

    The command queries the archive for the content of the study, and requests a C-MOVE to the destination. The report
    has three separate parts: the result according to the archive, the received instances, and the route (whether the
    study came from the external archive).

    To prove external retrieve, specify a study that the archive has purged. The option --recall finds such a study. The
    retrieve recalls the study, so a second run with this study proves nothing about external retrieve.

    One run can verify many studies (--study several times, --studies or --query). The results of many studies are
    stored. To continue an interrupted run, run the same command again.

    Exit codes: 0 verified, or the archive reported the delivery but dcmcfg did not observe the delivery. 1 not
    verified. 3 no C-MOVE was sent. 4 the temporary destination could not be removed.
    """
    run = options.make_run(settings)
    with options.reports.redirect_report(replace=options.files.replace):
        return _run_verify(run, options)


def _run_verify(run: VerifyRun, options: VerifyOptions) -> int:
    settings = run.settings
    with open_directory(settings) as directory:
        if options.temporary.clean_temporary:
            # Loaded only here: other runs do not need the modules for changes.
            from dcmcfg.cli.verify.temporary_destination import clean_leftovers

            clean_leftovers(settings, directory, yes=options.temporary.yes, as_json=options.as_json)
            return 0
        configuration = Configuration(read_tree(directory))
        # A temporary destination requires the connection until it is removed. Other runs close it before the C-MOVE.
        if options.temporary.temporary_dest:
            result = _verify_with_temporary_destination(options, run, directory, configuration)
    if not options.temporary.temporary_dest:
        result = _verify_with_existing_destination(options, run, configuration)
    code, make_json = result
    if options.as_json:
        print_json(make_json())
        sys.stdout.flush()
    return code


def _verify_with_temporary_destination(
    options: VerifyOptions, run: VerifyRun, directory: Directory, configuration: Configuration
) -> CommandResult:
    """Verify with a temporary AE of this machine; everything that does not require the AE is checked before."""
    from dcmcfg.cli.verify.temporary_destination import verify_with_temporary_destination

    addresses = run.find_addresses(configuration, destination_ae_title="", receive=False)
    options.tls.refuse_unused(calls_with_tls=addresses.tls)
    if run.source is not None:
        from dcmcfg.cli.verify.many_studies import prepare_source

        run = replace(run, source=prepare_source(run, run.source, addresses))
    return verify_with_temporary_destination(
        run.settings,
        directory,
        configuration,
        request=options.make_destination_request(run, configuration),
        temporary_options=options.temporary,
        verify_study=functools.partial(_verify_studies, run, configuration),
    )


def _verify_with_existing_destination(
    options: VerifyOptions, run: VerifyRun, configuration: Configuration
) -> CommandResult:
    """Verify with the destination of ``--dest``."""
    warn_of_leftovers(run.settings, configuration)
    receive = run.receiver_settings is not None
    addresses = run.find_addresses(configuration, destination_ae_title=run.destination_ae_title, receive=receive)
    options.tls.refuse_unused(
        calls_with_tls=addresses.tls, receives_with_tls=receive and addresses.destination_requires_tls
    )
    return _verify_studies(run, configuration, addresses)


def _verify_studies(
    run: VerifyRun,
    configuration: Configuration,
    addresses: VerificationAddresses,
    active_destination: ActiveDestination | None = None,
) -> CommandResult:
    """Verify one study, or the studies of the run's source."""
    if run.source is None:
        return verify_one(run, configuration, addresses, active_destination)
    from dcmcfg.cli.verify.many_studies import verify_many

    return verify_many(run, run.source, configuration, addresses, active_destination=active_destination)
