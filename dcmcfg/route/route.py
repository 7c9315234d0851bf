"""Find the route of a C-MOVE through an archive, from the configuration alone.

Source: ``CommonCMoveSCP``, ``RetrieveServiceImpl``, ``CMoveSCUImpl`` and ``CStoreForwardSCUImpl`` of 5.35. The state
of a study and the external archive recorded for it are in the database only. Therefore there is one path for each
state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.model.retrieve_settings import get_effective_setting
from dcmcfg.route.command import format_command
from dcmcfg.route.connection_matching import find_listening_connection
from dcmcfg.route.external_archives import find_external_archives
from dcmcfg.route.path import (
    EMPTY_SUCCESS,
    NOT_ACCESSIBLE,
    PathOutcome,
    RetrieveBranch,
    RetrievePath,
    Route,
    RouteFailure,
)
from dcmcfg.route.path_builder import PathBuilder, get_ae_address
from dcmcfg.route.request import NO_EXTERNAL_ARCHIVE, RouteRequest, StudyState
from dcmcfg.route.request_checks import check_request
from dcmcfg.schema_names import (
    ALT_C_MOVE_SCP,
    EXTERNAL_RETRIEVE_AE_DESTINATION,
    FALLBACK_C_MOVE_SCP,
    FALLBACK_C_MOVE_SCP_CALLING_AET,
    FALLBACK_C_MOVE_SCP_DESTINATION,
    FALLBACK_C_MOVE_SCP_RETRIES,
)

#: The response for an AE "*", cut at the length of Error Comment (0000,0902).
_UNKNOWN_AE = "A702 org.dcm4che3.conf.api.ConfigurationNotFoundException: Unknown AE"


def find_route(
    configuration: Configuration, request: RouteRequest, states: Sequence[StudyState] = tuple(StudyState)
) -> Route:
    """Return how the archive processes the request, with paths for each of *states* in this order."""
    listening_connection = find_listening_connection(request.archive_ae)
    address = get_ae_address(listening_connection) if listening_connection else None
    checked = check_request(request, configuration)
    if isinstance(checked, RouteFailure):
        return Route(request, address, checked)
    finder = _PathFinder(configuration, request, checked)
    return Route(request, address, None, tuple(path for state in states for path in finder.find_paths(state)))


def get_setting(ae: NetworkAE, name: str) -> str:
    """Return the effective value of *name* for *ae*; empty if it is not set."""
    return next(iter(get_effective_setting(ae, name).values), "")


class _PathFinder:
    """Finds the paths of one request whose destination is known."""

    def __init__(self, configuration: Configuration, request: RouteRequest, destination: NetworkAE) -> None:
        self._configuration = configuration
        self._request = request
        self._destination = destination
        archive_ae = request.archive_ae
        self._alternative = get_setting(archive_ae, ALT_C_MOVE_SCP)
        self._fallback = get_setting(archive_ae, FALLBACK_C_MOVE_SCP)
        self._return_ae_title = get_setting(archive_ae, EXTERNAL_RETRIEVE_AE_DESTINATION)
        self._fallback_return_ae_title = get_setting(archive_ae, FALLBACK_C_MOVE_SCP_DESTINATION)

    def find_paths(self, state: StudyState) -> Iterator[RetrievePath]:
        """Yield the paths in *state*; for purged objects, one for each archive that may be recorded."""
        match state:
            case StudyState.LOCAL:
                builder = self._create_builder()
                builder.send_local()
                yield builder.build(state, RetrieveBranch.LOCAL)
            case StudyState.PURGED | StudyState.PARTIAL:
                yield from self._find_recorded_paths(state)
            case StudyState.UNCONFIGURED_STORAGE:
                yield self._build_alternative_path()
            case StudyState.INCOMPLETE:
                yield self._build_incomplete_path()
            case StudyState.UNKNOWN:
                yield self._build_unknown_path()

    def _create_builder(self) -> PathBuilder:
        return PathBuilder(self._configuration, self._request, self._destination)

    def _find_recorded_paths(self, state: StudyState) -> Iterator[RetrievePath]:
        external_ae_title = self._request.external_ae_title
        configured = find_external_archives(self._request.archive_ae.device)
        # The archive forwards no request of dcmAltCMoveSCP, whatever its database records (CommonCMoveSCP).
        if self._alternative and self._request.calling_ae_title == self._alternative:
            yield self._build_path_without_request(state)
            return
        if external_ae_title == NO_EXTERNAL_ARCHIVE:
            yield self._build_unrecorded_path(state)
            return
        candidates = (
            configured
            if external_ae_title is None
            else {external_ae_title: configured.get(external_ae_title, ("--external",))}
        )
        for title, named_by in candidates.items():
            yield self._build_external_path(state, title, named_by)
        if not candidates:
            yield RetrievePath(
                state, RetrieveBranch.NOTHING, PathOutcome.UNCONFIGURED, failures=(_create_no_recording_configured(),)
            )

    def _build_external_path(
        self, state: StudyState, external_ae_title: str, named_by: tuple[str, ...]
    ) -> RetrievePath:
        """Return the path of purged objects.

        If a part is local, the archive first calls *external_ae_title* under its own title. Without an association to
        *external_ae_title*, the local instances are not sent either.
        """
        is_mixed = state is StudyState.PARTIAL
        # For the AE in dcmAltCMoveSCP, the archive keeps the Move Destination of the request, for purged objects too.
        return_ae_title = "" if external_ae_title == self._alternative else self._return_ae_title
        builder = self._create_builder()
        # With local objects, the archive leaves the calling AE title open, so its own or a masqueraded one is used.
        calling_ae_title = None if is_mixed else self._request.calling_ae_title
        is_reached = builder.request_move(external_ae_title, calling_ae_title, return_ae_title)
        if is_reached and is_mixed:
            builder.send_local()
            builder.add_note(
                f"the archive first requests the whole study from {external_ae_title}, including the local part"
            )
            builder.add_note(
                f"if {external_ae_title} rejects the association, the archive sends nothing, not even the local "
                "part (A702)"
            )
        if return_ae_title and is_reached:
            builder.return_through_archive(
                external_ae_title,
                return_ae_title,
                calling_ae_title,
                EXTERNAL_RETRIEVE_AE_DESTINATION,
                is_sender_recorded=True,
            )
        elif is_reached:
            builder.send_directly(external_ae_title)
            if is_mixed:
                builder.add_note(f"{external_ae_title} may send the local part a second time")
            if self._return_ae_title:
                builder.add_note(
                    f"{external_ae_title} is also the AE in {ALT_C_MOVE_SCP}, so the archive ignores "
                    "dcmExternalRetrieveAEDestination"
                )
        if return_ae_title:
            branch = RetrieveBranch.MIXED_VIA_ARCHIVE if is_mixed else RetrieveBranch.EXTERNAL_VIA_ARCHIVE
        else:
            branch = RetrieveBranch.MIXED_DIRECT if is_mixed else RetrieveBranch.EXTERNAL_DIRECT
        return builder.build(state, branch, external_ae_title, named_by)

    def _build_unrecorded_path(self, state: StudyState) -> RetrievePath:
        """Return the path of purged objects without a recorded external archive: local objects are not sent either."""
        builder = self._create_builder()
        builder.add_failure(_create_no_archive_recorded())
        return builder.build(state, RetrieveBranch.NOTHING)

    def _build_path_without_request(self, state: StudyState) -> RetrievePath:
        reason = (
            f"{self._request.calling_ae_title} is the AE in {ALT_C_MOVE_SCP}: the archive retrieves no missing objects "
            "for this caller"
        )
        if state is StudyState.PARTIAL:
            builder = self._create_builder()
            builder.send_local()
            builder.add_note(reason)
            return builder.build(state, RetrieveBranch.LOCAL, default_outcome=PathOutcome.PARTIAL)
        failure = RouteFailure(EMPTY_SUCCESS, reason, "use another calling AE title (--calling)")
        return RetrievePath(state, RetrieveBranch.NOTHING, PathOutcome.FAILED, failures=(failure,))

    def _build_alternative_path(self) -> RetrievePath:
        state = StudyState.UNCONFIGURED_STORAGE
        if not self._alternative:
            return self._build_inaccessible_path(state)
        if self._request.calling_ae_title == self._alternative:
            return self._build_path_without_request(state)
        builder = self._create_builder()
        if builder.request_move(self._alternative, self._request.calling_ae_title, ""):
            builder.send_directly(self._alternative)
        return builder.build(state, RetrieveBranch.ALTERNATIVE, self._alternative, (ALT_C_MOVE_SCP,))

    def _build_inaccessible_path(self, state: StudyState) -> RetrievePath:
        """Return the path of objects that the archive can neither read nor retrieve; it calls the destination anyway.

        The archive does not call an external archive that is recorded for them: the recorded title applies to purged
        objects only (``RetrieveServiceImpl.removeNotAccessableMatches``).
        """
        builder = self._create_builder()
        if builder.associate():
            reason = (
                f"the files are on a storage that is not in the configuration, and {ALT_C_MOVE_SCP} is not set. "
                "The archive requests only purged objects from the external archive, but these objects are not purged"
            )
            command = format_command("set", self._request.archive_ae.device.name, f"{ALT_C_MOVE_SCP}=AET")
            next_step = f"configure the storage again, or set an alternative C-MOVE SCP that has the study: {command}"
            builder.add_failure(RouteFailure(NOT_ACCESSIBLE, reason, next_step))
        path = builder.build(state, RetrieveBranch.NOTHING)
        is_unconfigured = any(failure.response == NOT_ACCESSIBLE for failure in path.failures)
        return replace(path, outcome=PathOutcome.UNCONFIGURED) if is_unconfigured else path

    def _build_unknown_path(self) -> RetrievePath:
        state = StudyState.UNKNOWN
        if not self._fallback:
            reason = (
                "the archive does not know the study, and dcmFallbackCMoveSCP is not set. In this case, the archive "
                "reports no error: the response is the same as for a study without images"
            )
            command = format_command("set", self._request.archive_ae.device.name, f"{FALLBACK_C_MOVE_SCP}=AET")
            next_step = f"to retrieve from another archive: {command}"
            return RetrievePath(
                state,
                RetrieveBranch.NOTHING,
                PathOutcome.UNCONFIGURED,
                failures=(RouteFailure(EMPTY_SUCCESS, reason, next_step),),
            )
        builder = self._create_builder()
        builder.applies_capability_limits = False  # The archive does not know the study's SOP classes yet.
        self._request_from_fallback(builder)
        branch = (
            RetrieveBranch.FALLBACK_VIA_ARCHIVE if self._fallback_return_ae_title else RetrieveBranch.FALLBACK_DIRECT
        )
        return builder.build(state, branch, self._fallback, (FALLBACK_C_MOVE_SCP,))

    def _build_incomplete_path(self) -> RetrievePath:
        state = StudyState.INCOMPLETE
        builder = self._create_builder()
        # 0 means unlimited and a negative number never (ArchiveAEExtension), contrary to the description in the schema.
        retries = get_setting(self._request.archive_ae, FALLBACK_C_MOVE_SCP_RETRIES) or "0"
        reason = ""
        if not (self._fallback and self._fallback_return_ae_title):
            reason = (
                "to retrieve the missing objects, the archive requires dcmFallbackCMoveSCP and "
                "dcmFallbackCMoveSCPDestination"
            )
        elif retries.startswith("-"):
            reason = f"with dcmFallbackCMoveSCPRetries {retries}, the archive never retrieves the missing objects"
        if reason:
            builder.send_local()
            builder.add_note(f"the archive sends only its local objects: {reason}")
            return builder.build(state, RetrieveBranch.LOCAL, default_outcome=PathOutcome.UNCONFIGURED)
        calling_ae_title = self._get_fallback_calling_ae_title()
        if builder.request_move(self._fallback, calling_ae_title, self._fallback_return_ae_title):
            builder.send_local()
            self._return_from_fallback(builder, calling_ae_title)
            limit = "at each request" if retries == "0" else f"until {retries} requests have failed"
            builder.add_note(
                f"the archive requests the missing objects {limit} (dcmFallbackCMoveSCPRetries). The archive ignores "
                "received objects that are already stored"
            )
        return builder.build(state, RetrieveBranch.LOCAL_AND_FALLBACK, self._fallback, (FALLBACK_C_MOVE_SCP,))

    def _request_from_fallback(self, builder: PathBuilder) -> None:
        calling_ae_title = self._get_fallback_calling_ae_title()
        if not builder.request_move(self._fallback, calling_ae_title, self._fallback_return_ae_title):
            return
        if self._fallback_return_ae_title:
            self._return_from_fallback(builder, calling_ae_title)
        else:
            builder.send_directly(self._fallback)

    def _return_from_fallback(self, builder: PathBuilder, calling_ae_title: str) -> None:
        attribute = FALLBACK_C_MOVE_SCP_DESTINATION
        builder.return_through_archive(
            self._fallback, self._fallback_return_ae_title, calling_ae_title, attribute, is_sender_recorded=False
        )

    def _get_fallback_calling_ae_title(self) -> str:
        return get_setting(self._request.archive_ae, FALLBACK_C_MOVE_SCP_CALLING_AET) or self._request.calling_ae_title


def _create_no_archive_recorded() -> RouteFailure:
    return RouteFailure(
        _UNKNOWN_AE,
        f"the archive's database has no external archive for the purged objects ({NO_EXTERNAL_ARCHIVE!r} means none)",
        "send the study to this archive again, from a system that has the study",
    )


def _create_no_recording_configured() -> RouteFailure:
    return RouteFailure(
        _UNKNOWN_AE,
        (
            "with this configuration, the archive records no external archive for purged studies: no exporter has "
            "dcmStgCmtSCP, and no storage has dcmExternalRetrieveAET"
        ),
        (
            "specify the external archive with --external AET. To find this AE title, see attribute 77771045 in a QIDO "
            f"response. The value {NO_EXTERNAL_ARCHIVE} means that the archive's database has no external archive"
        ),
    )
