"""A way as it is laid, message by message, with what stops each and who has to know whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from dcmcfg.model.devices import Configuration, Connection, NetworkAE
from dcmcfg.model.retrieve_settings import get_effective_setting
from dcmcfg.route.ae_lookup import (
    LookupFailure,
    UnresolvedAE,
    check_return_destination,
    get_called_ae_title,
    get_calling_ae_title,
    resolve_ae,
)
from dcmcfg.route.capability_limits import CapabilityLimits, find_capability_limits
from dcmcfg.route.command import format_command
from dcmcfg.route.connection_matching import (
    explain_incompatibility,
    explain_rejection,
    find_compatible_connection,
    find_listening_connection,
    suggest_acceptance_command,
)
from dcmcfg.route.path import (
    ALL_FAILED,
    EMPTY_SUCCESS,
    LOCAL_ONLY,
    AEAddress,
    Branch,
    PathOutcome,
    Prerequisite,
    RetrievePath,
    RouteFailure,
    RouteMessage,
)
from dcmcfg.route.request import RouteRequest, StudyState
from dcmcfg.schema_names import (
    ACCEPTED_CALLING_AE_TITLE,
    C_STORE_SCU_OF_C_MOVE_SCP,
    OBJECT_STORAGE_ID,
    RESTRICT_RETRIEVE_SILENTLY,
    USER_IDENTITY_NEGOTIATION,
)
from dcmcfg.well_known_uids import STORAGE_SOP_CLASS_PREFIX

_JAVA_NOT_FOUND = "A702 org.dcm4che3.conf.api.ConfigurationNotFoundException: "
_INCOMPATIBLE = "A702 org.dcm4che3.net.IncompatibleConnectionException: No compatible"
_COMMENT_LENGTH = 64
_SPELT_OUT = 5  # SOP classes in a command


def get_ae_address(connection: Connection) -> AEAddress:
    """Return where *connection*, which has a port, is called."""
    return AEAddress(connection.host, connection.port or 0, connection.tls)


class PathBuilder:
    """The steps of one request so far; what is sent from here goes from the AE that was asked."""

    def __init__(self, configuration: Configuration, request: RouteRequest, destination: NetworkAE) -> None:
        self._configuration = configuration
        self._question = request
        self._asked = request.archive_ae
        self._destination = destination
        self._steps: list[RouteMessage] = []
        self._failures: list[RouteFailure] = []
        self._needs: list[Prerequisite] = []
        self._notes: list[str] = []
        self._sends_locally = False
        self._reaches_destination = True
        self._back_to: NetworkAE | None = None
        self.applies_capability_limits = True

    def add_note(self, text: str) -> None:
        """Add a note that changes nothing of the outcome."""
        self._notes.append(text)

    def add_failure(self, failure: RouteFailure) -> None:
        """Have the request end with *failure*."""
        self._failures.append(failure)

    def build(
        self,
        state: StudyState,
        branch: Branch,
        external_ae_title: str = "",
        named_by: tuple[str, ...] = (),
        *,
        default_outcome: PathOutcome = PathOutcome.DELIVERED,
    ) -> RetrievePath:
        """Return the way of these steps; without a failure its outcome is *default_outcome*."""
        held = None
        if self.applies_capability_limits:
            held = find_capability_limits(
                self._asked,
                self._destination,
                self._back_to,
                sends_locally=self._sends_locally,
                sop_classes=self._question.sop_classes,
            )
        if held is not None and not held.sent:
            self._fail_on_capabilities(held)
        outcome = default_outcome
        if self._failures:
            outcome = PathOutcome.PARTIAL if self._sends_locally else PathOutcome.FAILED
        elif held is not None and self._question.sop_classes is not None and len(held.sent) < len(held.all_sop_classes):
            outcome = PathOutcome.PARTIAL
        needs = tuple(dict.fromkeys(self._needs))
        failures, notes = tuple(dict.fromkeys(self._failures)), tuple(dict.fromkeys(self._notes))
        return RetrievePath(
            state,
            branch,
            outcome,
            external_ae_title=external_ae_title,
            configured_by=named_by,
            messages=tuple(self._steps),
            failures=failures,
            prerequisites=needs,
            capability_limits=held,
            notes=notes,
        )

    def send_local(self) -> bool:
        """Have the archive send what is local to the destination; return whether it can."""
        connection = self._destination_connection(_INCOMPATIBLE)
        self._sends_locally = connection is not None
        self._store(connection)
        return self._sends_locally

    def associate(self) -> bool:
        """Have the archive open an association to the destination and send nothing; return whether it can."""
        connection = self._destination_connection(_INCOMPATIBLE)
        self._call("A-ASSOCIATE", connection)
        return connection is not None

    def _forward(self, holder: str) -> None:
        """Have the archive send on what *holder* stores; what cannot be sent stays in the archive."""
        connection = self._destination_connection(ALL_FAILED)
        if connection is None:
            self.add_note(f"what {holder} stores is kept: the study is local afterwards")
        self._store(connection)

    def _destination_connection(self, answer: str) -> Connection | None:
        """Return where the destination is called; without a connection the request ends in *answer*."""
        connection = find_compatible_connection(self._destination, self._asked)
        if connection is None:
            self._reaches_destination = False
            step = "give both a connection of the same kind, then dcmcfg reload"
            self.add_failure(RouteFailure(answer, explain_incompatibility(self._destination, self._asked), step))
        return connection

    def _store(self, connection: Connection | None) -> None:
        calling = self._call("C-STORE", connection)
        self._needs.append(Prerequisite(self._destination.title, "accept", calling, service="C-STORE"))

    def _call(self, message: Literal["A-ASSOCIATE", "C-STORE"], connection: Connection | None) -> str:
        """Add *message* to the destination; return the AE title that the archive calls it with."""
        asked, destination = self._asked, self._destination
        calling = get_calling_ae_title(asked, destination.title)
        called = get_called_ae_title(asked, destination.title)
        where = get_ae_address(connection) if connection else None
        self._steps.append(
            RouteMessage(
                kind=message,
                sender_ae_title=asked.title,
                receiver_ae_title=destination.title,
                calling_ae_title=calling,
                called_ae_title=called,
                address=where,
            )
        )
        self._warn_of_rejection(destination, calling)
        return calling

    def request_move(self, external_ae_title: str, calling_ae_title: str | None, return_ae_title: str) -> bool:
        """Have the archive send a C-MOVE to *external_ae_title*; return whether it can.

        Without *calling_ae_title* the calling AE title is the archive's own, without *return_ae_title* the Move
        Destination is the request's.
        """
        asked = self._asked
        calling_ae_title = calling_ae_title or get_calling_ae_title(asked, external_ae_title)
        where = self._find_address(external_ae_title)
        move_destination = return_ae_title or self._question.destination_ae_title
        called = get_called_ae_title(asked, external_ae_title)
        self._steps.append(
            RouteMessage(
                kind="C-MOVE",
                sender_ae_title=asked.title,
                receiver_ae_title=external_ae_title,
                calling_ae_title=calling_ae_title,
                called_ae_title=called,
                address=where,
                move_destination=move_destination,
            )
        )
        self._needs.append(Prerequisite(external_ae_title, "accept", calling_ae_title))
        peer = self._configuration.find_network_ae(external_ae_title)
        if peer is not None:
            self._warn_of_rejection(peer, calling_ae_title)
        if any(ae.title == external_ae_title for ae in asked.device.network_aes):
            why = (
                f"{external_ae_title} is an AE of this archive: the request comes back to it, and nothing was "
                "found that ends it"
            )
            self._failures.append(RouteFailure("", why, "name the other archive"))
            return False
        return where is not None

    def send_directly(self, external_ae_title: str) -> None:
        """Have *external_ae_title* send straight to the destination.

        It must know it, and the archive sees nothing of it.
        """
        destination = self._destination
        connection = find_listening_connection(destination)
        where = get_ae_address(connection) if connection else None
        self._steps.append(
            RouteMessage(
                kind="C-STORE",
                sender_ae_title=external_ae_title,
                receiver_ae_title=destination.title,
                calling_ae_title=external_ae_title,
                called_ae_title=destination.title,
                address=where,
            )
        )
        self._needs.append(Prerequisite(external_ae_title, "know", destination.title, address=where, service="C-STORE"))
        self._needs.append(Prerequisite(destination.title, "accept", external_ae_title, service="C-STORE"))

    def return_through_archive(
        self,
        external_ae_title: str,
        return_ae_title: str,
        calling_ae_title: str | None,
        attribute: str,
        *,
        is_sender_recorded: bool,
    ) -> None:
        """Have *external_ae_title* send to the AE *return_ae_title* of the archive, which forwards to the destination.

        ``calling_ae_title`` is the title that *external_ae_title* was called under, None where the archive keeps no key
        for it; ``is_sender_recorded`` objects are known and taken back only from the AE recorded for them.
        """
        device = self._asked.device
        ae = device.find_called_ae(return_ae_title)
        sender = self._store_scu(external_ae_title)
        connection = find_listening_connection(ae) if ae is not None else None
        where = get_ae_address(connection) if connection else None
        receiver = ae.title if ae is not None else return_ae_title
        self._steps.append(
            RouteMessage(
                kind="C-STORE",
                sender_ae_title=external_ae_title,
                receiver_ae_title=receiver,
                calling_ae_title=sender,
                called_ae_title=return_ae_title,
                address=where,
            )
        )
        self._needs.append(Prerequisite(external_ae_title, "know", return_ae_title, address=where, service="C-STORE"))
        self._back_to = ae
        failures = [] if ae is None or not is_sender_recorded else [*_check_recorded_sender(external_ae_title, sender)]
        if ae is None:
            wrong = check_return_destination(
                self._configuration,
                self._asked,
                return_ae_title,
                attribute=attribute,
                external_ae_title=external_ae_title,
            )
            failures += [wrong] if wrong else []
            if return_ae_title == self._destination.title:
                self.add_note(
                    f"{external_ae_title} sends straight to {return_ae_title} then, and the archive counts no instance"
                )
        else:
            refused = _check_acceptance(ae, sender, attribute)
            failures += [refused] if refused else []
            name = USER_IDENTITY_NEGOTIATION
            if (ae.entry.text(name) or device.entry.text(name)) == "REQUIRED":
                self.add_note(f"{ae.title} asks every caller for a user identity ({name})")
            lost = self._explain_not_forwarded(external_ae_title, sender, calling_ae_title)
            failures += [lost] if lost else []
            if lost is None and self._reaches_destination:
                self._forward(external_ae_title)
        for each in failures:
            self.add_failure(replace(each, response=LOCAL_ONLY) if is_sender_recorded and self._sends_locally else each)

    # ---- what stops it

    def _fail_on_capabilities(self, held: CapabilityLimits) -> None:
        silent = get_effective_setting(self._asked, RESTRICT_RETRIEVE_SILENTLY).values == ("TRUE",)
        answer = EMPTY_SUCCESS if silent else ALL_FAILED
        if held.not_accepted_by_destination:
            why = f"{self._destination.title} lists SCP capabilities, and none of what {self._asked.title} sends"
            step = self._suggest_capability_command(held.not_accepted_by_destination)
        elif not held.not_accepted_by_archive:
            why = f"{self._asked.title} has no storage SCU capability"
            step = "add the capabilities, or share those of another AE"
        else:
            return  # told already: the AE that the objects come back to is no storage SCP
        # Looked at before anybody is asked, so nothing else comes to pass.
        self._failures = [RouteFailure(answer, why, step)]
        self._steps, self._needs, self._notes, self._sends_locally = [], [], [], False

    def _suggest_capability_command(self, lacking: tuple[str, ...]) -> str:
        """Return the command that gives the destination what it lacks: by UID where the study says which."""
        known = self._question.sop_classes is not None
        wanted = lacking[:_SPELT_OUT] if known else ("SOP-CLASS",)
        more = f"; {len(lacking) - _SPELT_OUT} more are below" if known and len(lacking) > _SPELT_OUT else ""
        add = format_command("capability", "add", self._destination.title, *wanted, "--role", "scp")
        return f"{add} adds {'them' if known else 'what it takes'}{more}"

    def _warn_of_rejection(self, ae: NetworkAE, calling: str) -> None:
        accepted = ae.entry.texts(ACCEPTED_CALLING_AE_TITLE)
        if accepted and calling not in accepted:
            self.add_note(f"as the tree has it, {ae.title} does not accept {calling} (dcmAcceptedCallingAETitle)")

    def _find_address(self, holder: str) -> AEAddress | None:
        """Return where *holder* is called, None where the archive cannot; why is noted as what stops it."""
        found = resolve_ae(self._configuration, holder)
        if isinstance(found, UnresolvedAE):
            self._failures.append(RouteFailure(_format_not_found_response(found), found.reason, found.next_step))
            return None
        connection = find_compatible_connection(found, self._asked)
        if connection is None:
            step = "give both a connection of the same kind, then dcmcfg reload"
            self._failures.append(RouteFailure(_INCOMPATIBLE, explain_incompatibility(found, self._asked), step))
            return None
        return get_ae_address(connection)

    # ---- how what comes back is recognised

    def _mapping(self) -> list[tuple[str, str]]:
        pairs = (value.partition("=") for value in self._asked.device.entry.texts(C_STORE_SCU_OF_C_MOVE_SCP))
        return [(scu, scp) for scu, equals, scp in pairs if equals]

    def _store_scu(self, holder: str) -> str:
        """Return the title that *holder* is expected to store under: its own unless the mapping has only another."""
        scus = [scu for scu, scp in self._mapping() if scp == holder]
        return holder if holder in scus or not scus else scus[0]

    def _explain_not_forwarded(self, holder: str, sender: str, calling: str | None) -> RouteFailure | None:
        """Return why the archive does not match what *holder* stores with the request, None where it does.

        As ``CStoreForwardSCUImpl.forStoreContext``.
        """
        pairs = self._mapping()
        waits_under = holder if any(scp == holder for _, scp in pairs) else calling
        arrives_under = next((scp for scu, scp in pairs if scu == sender), calling or "")
        if waits_under == arrives_under:
            if sender not in {scu for scu, _ in pairs}:
                self.add_note(
                    f"{holder} must send {calling} as Move Originator AE Title (0000,1030); "
                    f"else {C_STORE_SCU_OF_C_MOVE_SCP}"
                )
            return None
        if waits_under is None:
            why = (
                f"part is local, so what {holder} sends is stored and not forwarded without {C_STORE_SCU_OF_C_MOVE_SCP}"
            )
        else:
            why = f"{C_STORE_SCU_OF_C_MOVE_SCP} maps {sender} to {arrives_under}, the request waits for {waits_under}"
        step = format_command("add-value", self._asked.device.name, f"{C_STORE_SCU_OF_C_MOVE_SCP}={sender}={holder}")
        return RouteFailure(EMPTY_SUCCESS, why, step)


def _check_recorded_sender(holder: str, sender: str) -> Iterator[RouteFailure]:
    """Yield the failure of objects that come back under another title than the one recorded for them."""
    if sender != holder:
        why = (
            f"{holder} stores as {sender} ({C_STORE_SCU_OF_C_MOVE_SCP}), and is recorded as {holder}: "
            "such objects are ignored"
        )
        step = f"have the commitment recorded as {sender}, or {holder} store under its own title"
        yield RouteFailure(EMPTY_SUCCESS, why, step)


def _format_not_found_response(found: UnresolvedAE) -> str:
    """Return the answer as the archive gives it, the comment cut where (0000,0902) ends."""
    match found.failure:
        case LookupFailure.UNKNOWN:
            return _truncate_comment(f"{_JAVA_NOT_FOUND}Unknown AE: {found.ae_title}")
        case LookupFailure.NOT_INSTALLED:
            return _truncate_comment(f"{_JAVA_NOT_FOUND}AE: {found.ae_title} not installed")
        case LookupFailure.UNREADABLE:
            return _truncate_comment(f"A702 {found.java_exception}")


def _truncate_comment(answer: str) -> str:
    status, _, comment = answer.partition(" ")
    return f"{status} {comment[:_COMMENT_LENGTH]}".rstrip()


def _check_acceptance(ae: NetworkAE, sender: str, attribute: str) -> RouteFailure | None:
    """Return why *ae*, the archive's own, does not take in what *sender* brings, or None."""
    answer = ALL_FAILED
    if wrong := explain_rejection(ae, sender):
        step = f"{suggest_acceptance_command(ae, sender)}, or name another AE in {attribute}"
        return RouteFailure(answer, f"the other archive is rejected: {wrong}", step)
    if not ae.is_storage_scp:
        storage = [each.title for each in ae.device.network_aes if each.is_storage_scp]
        why = f"{ae.title} has no storage SCP capability ({STORAGE_SOP_CLASS_PREFIX}*)"
        return RouteFailure(
            answer, why, f"set {attribute} to another AE of the archive: {', '.join(storage) or 'none has'}"
        )
    if not get_effective_setting(ae, OBJECT_STORAGE_ID).values and OBJECT_STORAGE_ID not in ae.device.entry:
        return RouteFailure(answer, f"{ae.title} has no dcmObjectStorageID", f"set it, or another AE in {attribute}")
    return None
