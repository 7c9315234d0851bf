"""Build a path message by message, with its failures and prerequisites."""

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
    get_masqueraded_called_ae_title,
    get_masqueraded_calling_ae_title,
    resolve_ae,
)
from dcmcfg.route.capability_limits import CapabilityLimits, find_capability_limits
from dcmcfg.route.command import format_command
from dcmcfg.route.connection_matching import (
    COMPATIBLE_CONNECTION_STEP,
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
    PathOutcome,
    Prerequisite,
    RetrieveBranch,
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
_INCOMPATIBLE_CONNECTION = "A702 org.dcm4che3.net.IncompatibleConnectionException: No compatible"
_COMMENT_LENGTH = 64  # characters of Error Comment (0000,0902), whose VR is LO
_MAX_SOP_CLASSES_SHOWN = 5  # SOP classes in a suggested command


def get_ae_address(connection: Connection) -> AEAddress:
    """Return the address of *connection*, which has a port."""
    return AEAddress(connection.host, connection.port or 0, connection.tls)


class PathBuilder:
    """Collects the steps of one request; the AE that received the request sends all messages of the archive."""

    def __init__(self, configuration: Configuration, request: RouteRequest, destination: NetworkAE) -> None:
        self._configuration = configuration
        self._request = request
        self._archive_ae = request.archive_ae
        self._destination = destination
        self._messages: list[RouteMessage] = []
        self._failures: list[RouteFailure] = []
        self._prerequisites: list[Prerequisite] = []
        self._notes: list[str] = []
        self._sends_locally = False
        self._reaches_destination = True
        self._return_ae: NetworkAE | None = None
        self.applies_capability_limits = True

    def add_note(self, text: str) -> None:
        """Add a note that does not change the outcome."""
        self._notes.append(text)

    def add_failure(self, failure: RouteFailure) -> None:
        """Let the request end with *failure*."""
        self._failures.append(failure)

    def build(
        self,
        state: StudyState,
        branch: RetrieveBranch,
        external_ae_title: str = "",
        named_by: tuple[str, ...] = (),
        *,
        default_outcome: PathOutcome = PathOutcome.DELIVERED,
    ) -> RetrievePath:
        """Return the path of these steps; without a failure its outcome is *default_outcome*."""
        limits = None
        if self.applies_capability_limits:
            limits = find_capability_limits(
                self._archive_ae,
                self._destination,
                self._return_ae,
                sends_locally=self._sends_locally,
                sop_classes=self._request.sop_classes,
            )
        if limits is not None and not limits.sent:
            self._fail_on_capabilities(limits)
        outcome = default_outcome
        if self._failures:
            outcome = PathOutcome.PARTIAL if self._sends_locally else PathOutcome.FAILED
        elif (
            limits is not None
            # If the study's SOP classes are unknown, the limits are those of all classes.
            and self._request.sop_classes is not None
            and len(limits.sent) < len(limits.all_sop_classes)
        ):
            outcome = PathOutcome.PARTIAL
        prerequisites = tuple(dict.fromkeys(self._prerequisites))
        failures, notes = tuple(dict.fromkeys(self._failures)), tuple(dict.fromkeys(self._notes))
        return RetrievePath(
            state,
            branch,
            outcome,
            external_ae_title=external_ae_title,
            configured_by=named_by,
            messages=tuple(self._messages),
            failures=failures,
            prerequisites=prerequisites,
            capability_limits=limits,
            notes=notes,
        )

    def send_local(self) -> bool:
        """Add the C-STORE of local objects to the destination; return whether the archive can send it."""
        connection = self._find_destination_connection(_INCOMPATIBLE_CONNECTION)
        self._sends_locally = connection is not None
        self._store(connection)
        return self._sends_locally

    def associate(self) -> bool:
        """Add an association to the destination without messages; return whether the archive can open it."""
        connection = self._find_destination_connection(_INCOMPATIBLE_CONNECTION)
        self._call("A-ASSOCIATE", connection)
        return connection is not None

    def _forward(self, external_ae_title: str) -> None:
        """Add the forwarding of objects from *external_ae_title*; undeliverable objects stay in the archive."""
        connection = self._find_destination_connection(ALL_FAILED)
        if connection is None:
            self.add_note(f"the archive keeps the objects from {external_ae_title}, so the study is local afterwards")
        self._store(connection)

    def _find_destination_connection(self, response: str) -> Connection | None:
        """Return the connection of the destination; if there is none, the request ends with *response*."""
        connection = find_compatible_connection(self._destination, self._archive_ae)
        if connection is None:
            self._reaches_destination = False
            reason = explain_incompatibility(self._destination, self._archive_ae)
            self.add_failure(RouteFailure(response, reason, COMPATIBLE_CONNECTION_STEP))
        return connection

    def _store(self, connection: Connection | None) -> None:
        calling_ae_title = self._call("C-STORE", connection)
        self._prerequisites.append(Prerequisite(self._destination.title, "accept", calling_ae_title, service="C-STORE"))

    def _call(self, kind: Literal["A-ASSOCIATE", "C-STORE"], connection: Connection | None) -> str:
        """Add *kind* to the destination; return the AE title under which the archive calls it."""
        archive_ae, destination = self._archive_ae, self._destination
        calling_ae_title = get_masqueraded_calling_ae_title(archive_ae, destination.title)
        called_ae_title = get_masqueraded_called_ae_title(archive_ae, destination.title)
        address = get_ae_address(connection) if connection else None
        self._messages.append(
            RouteMessage(
                kind=kind,
                sender_ae_title=archive_ae.title,
                receiver_ae_title=destination.title,
                calling_ae_title=calling_ae_title,
                called_ae_title=called_ae_title,
                address=address,
            )
        )
        self._warn_of_rejection(destination, calling_ae_title)
        return calling_ae_title

    def request_move(self, external_ae_title: str, calling_ae_title: str | None, return_ae_title: str) -> bool:
        """Add a C-MOVE of the archive to *external_ae_title*; return whether the archive can send it.

        Without *calling_ae_title*, the calling AE title is the archive's own. Without *return_ae_title*, the Move
        Destination is the one of the request.
        """
        archive_ae = self._archive_ae
        # A given calling AE title bypasses dcmMasqueradeCallingAETitle (CMoveSCUImpl).
        calling_ae_title = calling_ae_title or get_masqueraded_calling_ae_title(archive_ae, external_ae_title)
        address = self._find_address(external_ae_title)
        move_destination = return_ae_title or self._request.destination_ae_title
        called_ae_title = get_masqueraded_called_ae_title(archive_ae, external_ae_title)
        self._messages.append(
            RouteMessage(
                kind="C-MOVE",
                sender_ae_title=archive_ae.title,
                receiver_ae_title=external_ae_title,
                calling_ae_title=calling_ae_title,
                called_ae_title=called_ae_title,
                address=address,
                move_destination=move_destination,
            )
        )
        self._prerequisites.append(Prerequisite(external_ae_title, "accept", calling_ae_title))
        peer = self._configuration.find_network_ae(external_ae_title)
        if peer is not None:
            self._warn_of_rejection(peer, calling_ae_title)
        if any(ae.title == external_ae_title for ae in archive_ae.device.network_aes):
            reason = (
                f"{external_ae_title} is an AE of this archive, so the archive sends the request to itself. dcmcfg "
                "found no setting that ends this loop"
            )
            self._failures.append(RouteFailure("", reason, "specify the AE title of the other archive"))
            return False
        return address is not None

    def send_directly(self, external_ae_title: str) -> None:
        """Add a C-STORE from *external_ae_title* straight to the destination, not observed by the archive."""
        destination = self._destination
        # The archive takes no part in this association, so its own connections do not matter.
        connection = find_listening_connection(destination)
        address = get_ae_address(connection) if connection else None
        self._messages.append(
            RouteMessage(
                kind="C-STORE",
                sender_ae_title=external_ae_title,
                receiver_ae_title=destination.title,
                calling_ae_title=external_ae_title,
                called_ae_title=destination.title,
                address=address,
            )
        )
        self._prerequisites.append(
            Prerequisite(external_ae_title, "know", destination.title, address=address, service="C-STORE")
        )
        self._prerequisites.append(Prerequisite(destination.title, "accept", external_ae_title, service="C-STORE"))

    def return_through_archive(
        self,
        external_ae_title: str,
        return_ae_title: str,
        calling_ae_title: str | None,
        attribute: str,
        *,
        is_sender_recorded: bool,
    ) -> None:
        """Add a C-STORE from *external_ae_title* to the archive's AE *return_ae_title*, and the forwarding from there.

        ``calling_ae_title`` is the title under which *external_ae_title* was called; None if the archive keeps no key
        for it. With ``is_sender_recorded``, the archive accepts the objects only from the AE recorded for them.
        """
        device = self._archive_ae.device
        return_ae = device.find_called_ae(return_ae_title)
        sender_ae_title = self._get_store_scu_title(external_ae_title)
        connection = find_listening_connection(return_ae) if return_ae is not None else None
        address = get_ae_address(connection) if connection else None
        receiver_ae_title = return_ae.title if return_ae is not None else return_ae_title
        self._messages.append(
            RouteMessage(
                kind="C-STORE",
                sender_ae_title=external_ae_title,
                receiver_ae_title=receiver_ae_title,
                calling_ae_title=sender_ae_title,
                called_ae_title=return_ae_title,
                address=address,
            )
        )
        self._prerequisites.append(
            Prerequisite(external_ae_title, "know", return_ae_title, address=address, service="C-STORE")
        )
        self._return_ae = return_ae
        failures = (
            []
            if return_ae is None or not is_sender_recorded
            else [*_check_recorded_sender(external_ae_title, sender_ae_title)]
        )
        if return_ae is None:
            failure = check_return_destination(
                self._configuration,
                self._archive_ae,
                return_ae_title,
                attribute=attribute,
                external_ae_title=external_ae_title,
            )
            failures += [failure] if failure else []
            if return_ae_title == self._destination.title:
                self.add_note(
                    f"{external_ae_title} then sends the objects directly to {return_ae_title}, so the archive counts "
                    "no instances"
                )
        else:
            rejection = _check_acceptance(return_ae, sender_ae_title, attribute)
            failures += [rejection] if rejection else []
            name = USER_IDENTITY_NEGOTIATION
            # Whether the external archive sends a user identity is unknown, so this is a note and not a failure.
            if (return_ae.entry.text(name) or device.entry.text(name)) == "REQUIRED":
                self.add_note(f"{return_ae.title} requires a user identity from every caller ({name})")
            forwarding_failure = self._explain_not_forwarded(external_ae_title, sender_ae_title, calling_ae_title)
            failures += [forwarding_failure] if forwarding_failure else []
            if forwarding_failure is None and self._reaches_destination:
                self._forward(external_ae_title)
        # The archive counts the local instances that it sent, so its response differs from that for a purged study.
        for each in failures:
            self.add_failure(replace(each, response=LOCAL_ONLY) if is_sender_recorded and self._sends_locally else each)

    def _fail_on_capabilities(self, limits: CapabilityLimits) -> None:
        is_silent = get_effective_setting(self._archive_ae, RESTRICT_RETRIEVE_SILENTLY).values == ("TRUE",)
        response = EMPTY_SUCCESS if is_silent else ALL_FAILED
        if limits.not_accepted_by_destination:
            reason = (
                f"{self._destination.title} has SCP capabilities, but no capability for the objects that "
                f"{self._archive_ae.title} sends"
            )
            next_step = self._suggest_capability_command(limits.not_accepted_by_destination)
        elif not limits.not_accepted_by_archive:
            reason = f"{self._archive_ae.title} has no storage SCU capability"
            next_step = (
                "add the capabilities, or share the capabilities of another AE "
                "(dcmShareTransferCapabilitiesFromAETitle)"
            )
        else:
            return  # The AE that receives the returned objects is not a storage SCP: that failure is already listed.
        # The archive checks capabilities before it calls another AE, so none of the collected steps happens.
        self._failures = [RouteFailure(response, reason, next_step)]
        self._messages, self._prerequisites, self._notes, self._sends_locally = [], [], [], False

    def _suggest_capability_command(self, missing: tuple[str, ...]) -> str:
        """Return the command that adds the missing capabilities to the destination, by UID if the study's are known."""
        is_known = self._request.sop_classes is not None
        shown = missing[:_MAX_SOP_CLASSES_SHOWN] if is_known else ("SOP-CLASS",)
        remainder = (
            f"; the other {len(missing) - _MAX_SOP_CLASSES_SHOWN} SOP classes are listed below"
            if is_known and len(missing) > _MAX_SOP_CLASSES_SHOWN
            else ""
        )
        command = format_command("capability", "add", self._destination.title, *shown, "--role", "scp")
        return f"{command}{remainder}" if is_known else f"for each SOP class: {command}"

    def _warn_of_rejection(self, ae: NetworkAE, calling_ae_title: str) -> None:
        accepted = ae.entry.texts(ACCEPTED_CALLING_AE_TITLE)
        if accepted and calling_ae_title not in accepted:
            self.add_note(
                f"according to the configuration, {ae.title} does not accept the calling AE title {calling_ae_title} "
                "(dcmAcceptedCallingAETitle)"
            )

    def _find_address(self, external_ae_title: str) -> AEAddress | None:
        """Return the address of *external_ae_title*; None, with the reason added as a failure, if there is none."""
        external_ae = resolve_ae(self._configuration, external_ae_title)
        if isinstance(external_ae, UnresolvedAE):
            self._failures.append(
                RouteFailure(_format_not_found_response(external_ae), external_ae.reason, external_ae.next_step)
            )
            return None
        connection = find_compatible_connection(external_ae, self._archive_ae)
        if connection is None:
            reason = explain_incompatibility(external_ae, self._archive_ae)
            self._failures.append(RouteFailure(_INCOMPATIBLE_CONNECTION, reason, COMPATIBLE_CONNECTION_STEP))
            return None
        return get_ae_address(connection)

    def _get_store_scu_mapping(self) -> list[tuple[str, str]]:
        pairs = (value.partition("=") for value in self._archive_ae.device.entry.texts(C_STORE_SCU_OF_C_MOVE_SCP))
        return [(scu, scp) for scu, equals, scp in pairs if equals]

    def _get_store_scu_title(self, external_ae_title: str) -> str:
        """Return the title under which *external_ae_title* should store: its own, or one from the mapping."""
        scus = [scu for scu, scp in self._get_store_scu_mapping() if scp == external_ae_title]
        return external_ae_title if external_ae_title in scus or not scus else scus[0]

    def _explain_not_forwarded(
        self, external_ae_title: str, sender_ae_title: str, calling_ae_title: str | None
    ) -> RouteFailure | None:
        """Return why the archive does not match objects from *external_ae_title* with the request; None if it does.

        Source: ``CStoreForwardSCUImpl.forStoreContext``.
        """
        pairs = self._get_store_scu_mapping()
        # For a partly local study, the archive registers the request under null, which no Move Originator equals.
        expected_title = external_ae_title if any(scp == external_ae_title for _, scp in pairs) else calling_ae_title
        stored_title = next((scp for scu, scp in pairs if scu == sender_ae_title), calling_ae_title or "")
        if expected_title == stored_title:
            if sender_ae_title not in {scu for scu, _ in pairs}:
                self.add_note(
                    f"{external_ae_title} must send {calling_ae_title} as Move Originator AE Title (0000,1030). If "
                    f"{external_ae_title} does not send this title, add {sender_ae_title}={external_ae_title} to "
                    f"{C_STORE_SCU_OF_C_MOVE_SCP} of the device {self._archive_ae.device.name}"
                )
            return None
        if expected_title is None:
            reason = (
                f"a part of the study is local. Without {C_STORE_SCU_OF_C_MOVE_SCP}, the archive stores the objects "
                f"from {external_ae_title}, but does not forward these objects"
            )
        else:
            reason = (
                f"{C_STORE_SCU_OF_C_MOVE_SCP} maps {sender_ae_title} to {stored_title}, but the archive "
                f"knows its own C-MOVE request under {expected_title}. So the archive does not forward the objects"
            )
        next_step = format_command(
            "set",
            self._archive_ae.device.name,
            f"{C_STORE_SCU_OF_C_MOVE_SCP}+={sender_ae_title}={external_ae_title}",
        )
        return RouteFailure(EMPTY_SUCCESS, reason, next_step)


def _check_recorded_sender(external_ae_title: str, sender_ae_title: str) -> Iterator[RouteFailure]:
    """Yield a failure if objects come back under another title than the one recorded for them."""
    if sender_ae_title != external_ae_title:
        reason = (
            f"{external_ae_title} sends objects with the calling AE title {sender_ae_title} "
            f"({C_STORE_SCU_OF_C_MOVE_SCP}). The archive's database records {external_ae_title} as the external "
            f"archive of these objects, so the archive ignores objects from {sender_ae_title}"
        )
        next_step = (
            f"set dcmRetrieveAET of the exporter to {sender_ae_title}, or configure {external_ae_title} to send under "
            "its own AE title"
        )
        yield RouteFailure(EMPTY_SUCCESS, reason, next_step)


def _format_not_found_response(unresolved: UnresolvedAE) -> str:
    """Return the response of the archive, with the comment cut at the length of Error Comment (0000,0902)."""
    match unresolved.failure:
        case LookupFailure.UNKNOWN:
            return _truncate_comment(f"{_JAVA_NOT_FOUND}Unknown AE: {unresolved.ae_title}")
        case LookupFailure.NOT_INSTALLED:
            return _truncate_comment(f"{_JAVA_NOT_FOUND}AE: {unresolved.ae_title} not installed")
        case LookupFailure.UNREADABLE:
            return _truncate_comment(f"A702 {unresolved.java_exception}")


def _truncate_comment(response: str) -> str:
    status, _, comment = response.partition(" ")
    return f"{status} {comment[:_COMMENT_LENGTH]}".rstrip()


def _check_acceptance(ae: NetworkAE, sender_ae_title: str, attribute: str) -> RouteFailure | None:
    """Return why *ae*, an AE of the archive, does not accept objects from *sender_ae_title*; None if it does."""
    response = ALL_FAILED
    if rejection := explain_rejection(ae, sender_ae_title):
        next_step = f"{suggest_acceptance_command(ae, sender_ae_title)}, or set {attribute} to another AE"
        return RouteFailure(
            response, f"the archive rejects the association from {sender_ae_title}: {rejection}", next_step
        )
    if not ae.is_storage_scp:
        storage_ae_titles = [each.title for each in ae.device.network_aes if each.is_storage_scp]
        reason = f"{ae.title} has no storage SCP capability ({STORAGE_SOP_CLASS_PREFIX}*)"
        next_step = (
            f"set {attribute} to another AE of the archive: {', '.join(storage_ae_titles)}"
            if storage_ae_titles
            else f"add a storage SCP capability to {ae.title}: no AE of the archive has one"
        )
        return RouteFailure(response, reason, next_step)
    if not get_effective_setting(ae, OBJECT_STORAGE_ID).values and OBJECT_STORAGE_ID not in ae.device.entry:
        return RouteFailure(
            response,
            f"{ae.title} has no dcmObjectStorageID",
            f"set dcmObjectStorageID of {ae.title}, or set {attribute} to another AE",
        )
    return None
