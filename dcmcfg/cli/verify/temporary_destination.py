"""A temporary destination for one run of ``verify``: show, confirm, add and remove it."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from dcmcfg.cli import invocation
from dcmcfg.cli.options.node_options import NodeOptions
from dcmcfg.cli.printing import print_message, print_output
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.session.shared_history import make_sharing
from dcmcfg.cli.terminal import confirm, require_terminal
from dcmcfg.cli.verify.destination_request import CommandResult, DestinationRequest
from dcmcfg.cli.verify.temporary_options import TemporaryDestinationOptions
from dcmcfg.dicom.storage.receiver import ReceivedInstance, Receiver
from dcmcfg.directory.server import Directory
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.edits.temporary_destination import TemporaryDestination, derive_security, find_free_title
from dcmcfg.errors import DicomError, NegativeResult
from dcmcfg.model.devices import Configuration
from dcmcfg.network_address import format_host_port
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.warnings import find_plan_warnings
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.plan import print_plan
from dcmcfg.render.temporary_destination import format_added_entries, temporary_destination_json
from dcmcfg.render.terminal.console import make_stderr_console
from dcmcfg.rollout.record import RolloutContext
from dcmcfg.settings import Settings, format_site_headline
from dcmcfg.settings.folders import get_state_folder
from dcmcfg.temporary.address import find_delivery_warnings, find_receiver_address
from dcmcfg.temporary.leftovers import LeftoverDestination, find_leftover_destinations
from dcmcfg.temporary.maker_process import describe_this_process
from dcmcfg.temporary.next_steps import adapt_next_steps, advise_on_unreachable
from dcmcfg.temporary.run import (
    DestinationAddition,
    DestinationContext,
    DestinationProgress,
    hold_destination,
    remove_leftovers,
)
from dcmcfg.temporary.title_claims import CLEAN_COMMAND
from dcmcfg.verify.addresses import AddressOverride, VerificationAddresses
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.verdict import Verdict

#: Length of the random part of a title of 16 characters, and the random bytes for it (two characters each).
_TITLE_LENGTH, _TITLE_RANDOM_BYTES = 9, 5


@dataclass(kw_only=True)
class ActiveDestination:
    """A temporary destination in the tree: its addresses, its receiver, and the progress of the run.

    ``configuration`` contains it. ``on_received`` is called for each instance, with the number of instances so far.
    """

    destination: TemporaryDestination
    configuration: Configuration
    addresses: VerificationAddresses
    receiver: Receiver
    progress: DestinationProgress
    ldap_url: str
    on_received: Callable[[int], None] = lambda _: None

    @property
    def ae_title(self) -> str:
        """The Move Destination."""
        return self.destination.ae_title

    def add_advice(self, verdict: Verdict, evidence: Evidence) -> Verdict:
        """Return *verdict* with next steps for the case that nothing was received."""
        return adapt_next_steps(verdict, evidence, self.destination, self.ldap_url)

    def describe_unreached(self) -> str:
        """Return what to check if nothing was received at all."""
        return advise_on_unreachable(self.destination)

    def to_json(self) -> dict[str, Any]:
        """Return the object for ``--json``."""
        return temporary_destination_json(self.destination, self.progress)

    def extend_json(self, make_json: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
        """Return a function that adds :meth:`to_json` to the result of *make_json*."""
        return lambda: make_json() | self.to_json()

    def watch_receiver(self, on_received: Callable[[int], None]) -> Receiver:
        """Return the receiver, and call *on_received* for each instance from now on."""
        self.on_received = on_received
        return self.receiver

    def count_received(self, _: ReceivedInstance) -> None:
        """Report a received instance to ``on_received``."""
        self.on_received(self.receiver.received_count)


def clean_leftovers(settings: Settings, directory: Directory, *, yes: bool, as_json: bool) -> None:
    """Show the temporary destinations that earlier runs have left, confirm, and remove them.

    Raises :class:`NegativeResult` if the user declines or there is no terminal, :class:`~dcmcfg.errors.ArchiveError`
    with nothing changed if the archive does not respond, and what :func:`remove_leftovers` raises.
    """
    invocation.current().changes_directory = True
    configuration = Configuration(read_tree(directory))
    leftovers = find_leftover_destinations(get_state_folder(), settings.ldap_url, configuration, datetime.now(UTC))
    if leftovers:
        _confirm_and_clean(settings, directory, leftovers, yes=yes)
    titles = [each.ae_title for each in leftovers]
    if as_json:
        print_json({"removed": titles})
    else:
        print_output(f"Removed: {', '.join(titles)}" if titles else "No temporary destinations found.")


def _confirm_and_clean(
    settings: Settings, directory: Directory, leftovers_found: Sequence[LeftoverDestination], *, yes: bool
) -> None:
    print_message(format_site_headline(settings))
    for each in leftovers_found:
        _print_text(f"leftover: {each}")
    context = _connect_site(settings, directory)
    _require_confirmation("Remove these temporary destinations and reload the archive?", yes=yes)
    progress = DestinationProgress()
    invocation.current().partial_result = lambda: {"removed": list(progress.removed_leftovers)}
    with _mark_may_have_changed(progress):
        remove_leftovers(context, leftovers_found, progress)


def verify_with_temporary_destination(
    settings: Settings,
    directory: Directory,
    configuration: Configuration,
    *,
    request: DestinationRequest,
    temporary_options: TemporaryDestinationOptions,
    verify_study: Callable[[VerificationAddresses, ActiveDestination], CommandResult],
) -> CommandResult:
    """Call *verify_study* with a temporary destination, and return the result; its JSON also has the destination.

    Raises what :func:`add_temporary_destination` raises; ``--json`` prints the result so far in this case too.
    """
    with add_temporary_destination(
        settings, directory, configuration, request=request, temporary_options=temporary_options
    ) as active_destination:
        code, make_json = verify_study(active_destination.addresses, active_destination)
        make_extended_json = active_destination.extend_json(make_json)
        invocation.current().partial_result = make_extended_json
    return code, make_extended_json


@contextmanager
def add_temporary_destination(
    settings: Settings,
    directory: Directory,
    configuration: Configuration,
    *,
    request: DestinationRequest,
    temporary_options: TemporaryDestinationOptions,
) -> Iterator[ActiveDestination]:
    """Add an AE with this machine's address for the duration of the block, and listen as this AE.

    Raises, with nothing changed, :class:`NegativeResult` if the user declines or there is no terminal,
    :class:`~dcmcfg.errors.DicomError` if dcmcfg cannot listen, and :class:`~dcmcfg.errors.ArchiveError` if the archive
    does not respond. Raises what :func:`hold_destination` raises.
    """
    invocation.current().changes_directory = True
    title = find_free_title(configuration, lambda: secrets.token_hex(_TITLE_RANDOM_BYTES)[:_TITLE_LENGTH])
    addresses = request.find_addresses(configuration, destination_ae_title=title, receive=False)
    receiver_address = find_receiver_address(
        addresses.archive, request.server_hosts, _parse_address_option(temporary_options)
    )
    # A list, because the receiver's callback needs the destination, which in turn needs the port of the receiver.
    active_destinations: list[ActiveDestination] = []
    security = derive_security(
        request.archive_ae, require_tls=request.use_tls and request.tls_files.certificate is not None
    )
    receiver_options = (
        replace(request.receiver_settings, tls=request.tls_files.server_context())
        if security.tls
        else request.receiver_settings
    )
    own_receiver = receiver_options.create_receiver(
        title,
        host=receiver_address.listening_host,
        port=receiver_address.port,
        timeouts=addresses.timeouts,
        on_received=lambda instance: active_destinations[0].count_received(instance),
    )
    # Listen before anything is changed: the port may be in use, and a free port is known only now.
    with _start_receiver(own_receiver) as receiver:
        destination = TemporaryDestination(
            title, receiver_address.host, receiver.port, describe_this_process(datetime.now(UTC)), security=security
        )
        addition = DestinationAddition(destination, request.archive_ae.device.name, request.archive_ae.title)
        plan = addition.make_plan(configuration.tree)
        configuration_after = Configuration(plan.after)
        addresses_after = request.find_addresses(configuration_after, destination_ae_title=title, receive=True)
        active_destinations.append(
            ActiveDestination(
                destination=destination,
                configuration=configuration_after,
                addresses=addresses_after,
                receiver=receiver,
                progress=DestinationProgress(),
                ldap_url=settings.ldap_url,
            )
        )
        leftovers = find_leftover_destinations(
            get_state_folder(), settings.ldap_url, configuration, destination.owner.created
        )
        _print_intro(settings, destination, plan, leftovers, with_plan=temporary_options.show_plan)
        for warning in (
            *addition.make_edit(configuration).warnings,
            *find_delivery_warnings(plan.after, addition, request.calling_ae_title),
        ):
            _print_text(f"warning: {warning}")
        tls_note = " with TLS" if security.tls else ""
        _print_text(
            f"the archive will call {title} at {format_host_port(destination.host, destination.port)}{tls_note}, "
            f"{receiver_address.reason}"
        )
        _print_text(
            "the archive reloads after dcmcfg adds the AE, and again after dcmcfg removes the AE; "
            "no entry of the AE remains"
        )
        context = _connect_site(settings, directory)
        _require_confirmation(f"Add {title} for this run?", yes=temporary_options.yes)
        with _register(context, addition, plan, leftovers_found=leftovers, active_destination=active_destinations[0]):
            yield active_destinations[0]


@contextmanager
def _start_receiver(receiver: Receiver) -> Iterator[Receiver]:
    """Start *receiver*; if it cannot listen, the error suggests ``--temporary-address``."""
    # An ExitStack, so that only errors of the start are converted, not those of the block.
    with ExitStack() as stack:
        try:
            stack.enter_context(receiver)
        except DicomError as error:
            step = "specify another port with --temporary-address HOST:PORT; without a port, any free port is used"
            raise DicomError(error.message, subject=error.subject, next_step=step) from error
        yield receiver


@contextmanager
def _register(
    context: DestinationContext,
    addition: DestinationAddition,
    plan: Plan,
    *,
    leftovers_found: Sequence[LeftoverDestination],
    active_destination: ActiveDestination,
) -> Iterator[None]:
    """Add the destination for the duration of the block; ``--json`` reports the progress."""
    invocation.current().partial_result = active_destination.to_json
    # Leftovers that may still be in use are only reported.
    certain_leftovers = [each for each in leftovers_found if each.is_certain]
    with (
        _mark_may_have_changed(active_destination.progress),
        hold_destination(context, addition, plan, leftovers=certain_leftovers, progress=active_destination.progress),
    ):
        yield


def _parse_address_option(temporary: TemporaryDestinationOptions) -> tuple[str, int | None] | None:
    if temporary.temporary_address is None:
        return None
    address = AddressOverride.parse(temporary.temporary_address)
    return address.host, address.port


def _print_intro(
    settings: Settings,
    destination: TemporaryDestination,
    plan: Plan,
    leftovers_found: Sequence[LeftoverDestination],
    *,
    with_plan: bool,
) -> None:
    print_message(format_site_headline(settings))
    for each in leftovers_found:
        action = "will be removed first" if each.is_certain else f"will not be removed (to remove it: {CLEAN_COMMAND})"
        _print_text(f"temporary destination of another run, {action}: {each}")
    if with_plan:
        print_plan(make_stderr_console(), plan, show_ldif=True)
    _print_text(format_added_entries(destination, plan))
    for warning in find_plan_warnings(plan):
        _print_text(f"warning: {warning}")


def _connect_site(settings: Settings, directory: Directory) -> DestinationContext:
    """Return the site after its archive has responded; raises :class:`~dcmcfg.errors.ArchiveError`."""
    from dcmcfg.cli.session.node_reload import require_reloaded
    from dcmcfg.cli.session.node_run import connect_nodes

    nodes = NodeOptions(names=(settings.node,) if settings.node else ())
    selected = connect_nodes(
        settings, nodes, alternative="the archive must reload before it can send to a new destination"
    )
    rollout_context = RolloutContext(
        get_state_folder(),
        format_site_headline(settings),
        invocation.current().command_line,
        sharing=make_sharing(settings),
    )
    # A node that reads a replica would not find the destination before the replica has it.
    reload: Callable[[], object] = selected.nodes[0].archive.service.reload
    if settings.nodes:
        reload = functools.partial(require_reloaded, settings, nodes)
    return DestinationContext(directory, rollout_context, reload, _print_text)


def _require_confirmation(question: str, *, yes: bool) -> None:
    if yes:
        return
    require_terminal()
    if not confirm(question):
        raise NegativeResult("declined; nothing was changed")


@contextmanager
def _mark_may_have_changed(progress: DestinationProgress) -> Iterator[None]:
    """Make an unexpected error count as a possible change, until the destination is removed."""
    run = invocation.current()
    run.may_have_changed = True
    try:
        yield
    finally:
        run.may_have_changed = not progress.is_removed


def _print_text(text: str) -> None:
    print_message(escape_unprintable(invocation.current().insert_site_options(text)))
