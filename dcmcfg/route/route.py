"""The route of a C-MOVE through an archive, from the configuration alone.

Facts are those of ``CommonCMoveSCP``, ``RetrieveServiceImpl``, ``CMoveSCUImpl`` and ``CStoreForwardSCUImpl`` of 5.35.
Where the objects of a study are, and which archive is recorded for them, stands in the database; so there is a way
for each state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.model.retrieve_settings import get_effective_setting
from dcmcfg.route.command import format_command
from dcmcfg.route.connection_matching import find_listening_connection
from dcmcfg.route.external_archives import find_external_archives
from dcmcfg.route.path import EMPTY_SUCCESS, NOT_ACCESSIBLE, Branch, PathOutcome, RetrievePath, Route, RouteFailure
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

#: As long as an Error Comment (0000,0902) may be; what follows is cut.
_UNKNOWN_AE = "A702 org.dcm4che3.conf.api.ConfigurationNotFoundException: Unknown AE"


def find_route(
    configuration: Configuration, request: RouteRequest, states: Sequence[StudyState] = tuple(StudyState)
) -> Route:
    """Return what the archive does with the request, for each of *states* in their order."""
    listens = find_listening_connection(request.archive_ae)
    where = get_ae_address(listens) if listens else None
    found = check_request(request, configuration)
    if isinstance(found, RouteFailure):
        return Route(request, where, found)
    site = _PathFinder(configuration, request, found)
    return Route(request, where, None, tuple(way for state in states for way in site.find_paths(state)))


def get_setting(ae: NetworkAE, name: str) -> str:
    """Return the one value of *name* that counts for *ae*, empty where it is not set."""
    return next(iter(get_effective_setting(ae, name).values), "")


class _PathFinder:
    """The ways of one request whose destination is known."""

    def __init__(self, configuration: Configuration, question: RouteRequest, destination: NetworkAE) -> None:
        self._configuration = configuration
        self._question = question
        self._destination = destination
        asked = question.archive_ae
        self._alternative = get_setting(asked, ALT_C_MOVE_SCP)
        self._fallback = get_setting(asked, FALLBACK_C_MOVE_SCP)
        self._redirected = get_setting(asked, EXTERNAL_RETRIEVE_AE_DESTINATION)
        self._fallback_back = get_setting(asked, FALLBACK_C_MOVE_SCP_DESTINATION)

    def find_paths(self, state: StudyState) -> Iterator[RetrievePath]:
        """Yield the ways in *state*: for purged objects one for each archive that may be recorded."""
        match state:
            case StudyState.LOCAL:
                laying = self._create_builder()
                laying.send_local()
                yield laying.build(state, Branch.LOCAL)
            case StudyState.PURGED | StudyState.PARTIAL:
                yield from self._find_recorded_paths(state)
            case StudyState.UNCONFIGURED_STORAGE:
                yield self._build_alternative_path()
            case StudyState.INCOMPLETE:
                yield self._incomplete()
            case StudyState.UNKNOWN:
                yield self._unknown()

    def _create_builder(self) -> PathBuilder:
        return PathBuilder(self._configuration, self._question, self._destination)

    def _find_recorded_paths(self, state: StudyState) -> Iterator[RetrievePath]:
        given = self._question.external_ae_title
        configured = find_external_archives(self._question.archive_ae.device)
        if self._alternative and self._question.calling_ae_title == self._alternative:
            yield self._build_path_without_request(state)
            return
        if given == NO_EXTERNAL_ARCHIVE:
            yield self._build_unrecorded_path(state)
            return
        candidates = configured if given is None else {given: configured.get(given, ("--external",))}
        for holder, named_by in candidates.items():
            yield self._build_external_path(state, holder, named_by)
        if not candidates:
            yield RetrievePath(
                state, Branch.NOTHING, PathOutcome.UNCONFIGURED, failures=(_create_no_recording_configured(),)
            )

    def _build_external_path(self, state: StudyState, holder: str, named_by: tuple[str, ...]) -> RetrievePath:
        """Return the way of what is purged.

        Where a part is local, the archive calls *holder* under its own title, before it calls the destination; without
        an association to *holder* the local instances are not sent either.
        """
        mixed = state is StudyState.PARTIAL
        back = "" if holder == self._alternative else self._redirected
        laying = self._create_builder()
        calling = None if mixed else self._question.calling_ae_title
        reached = laying.request_move(holder, calling, back)
        if reached and mixed:
            laying.send_local()
            laying.add_note(f"{holder} is asked first, for the whole study, also for what is local")
            laying.add_note(f"if {holder} rejects the association, nothing is sent, not even what is local (A702)")
        if back and reached:
            laying.return_through_archive(
                holder, back, calling, EXTERNAL_RETRIEVE_AE_DESTINATION, is_sender_recorded=True
            )
        elif reached:
            laying.send_directly(holder)
            if mixed:
                laying.add_note(f"{holder} may send what is local once more")
            if self._redirected:
                laying.add_note(f"{holder} is {ALT_C_MOVE_SCP} too, so dcmExternalRetrieveAEDestination is ignored")
        if back:
            branch = Branch.MIXED_VIA_ARCHIVE if mixed else Branch.EXTERNAL_VIA_ARCHIVE
        else:
            branch = Branch.MIXED_DIRECT if mixed else Branch.EXTERNAL_DIRECT
        return laying.build(state, branch, holder, named_by)

    def _build_unrecorded_path(self, state: StudyState) -> RetrievePath:
        """Return the way of purged objects for which no external archive is recorded: also what is local stays."""
        laying = self._create_builder()
        laying.add_failure(_create_no_archive_recorded())
        return laying.build(state, Branch.NOTHING)

    def _build_path_without_request(self, state: StudyState) -> RetrievePath:
        who = f"{self._question.calling_ae_title} is {ALT_C_MOVE_SCP}: the archive leaves what is not here to it"
        if state is StudyState.PARTIAL:
            laying = self._create_builder()
            laying.send_local()
            laying.add_note(who)
            return laying.build(state, Branch.LOCAL, default_outcome=PathOutcome.PARTIAL)
        failure = RouteFailure(EMPTY_SUCCESS, who, "ask under another title (--calling)")
        return RetrievePath(state, Branch.NOTHING, PathOutcome.FAILED, failures=(failure,))

    def _build_alternative_path(self) -> RetrievePath:
        state = StudyState.UNCONFIGURED_STORAGE
        if not self._alternative:
            return self._not_accessible(state)
        if self._question.calling_ae_title == self._alternative:
            return self._build_path_without_request(state)
        laying = self._create_builder()
        if laying.request_move(self._alternative, self._question.calling_ae_title, ""):
            laying.send_directly(self._alternative)
        return laying.build(state, Branch.ALTERNATIVE, self._alternative, (ALT_C_MOVE_SCP,))

    def _not_accessible(self, state: StudyState) -> RetrievePath:
        """Return the way of objects that the archive can neither read nor fetch: it calls the destination all the same.

        An external archive that is recorded for them is not asked: its title counts for purged objects only
        (``RetrieveServiceImpl.removeNotAccessableMatches``).
        """
        laying = self._create_builder()
        if laying.associate():
            why = (
                f"the files are on a storage that is not configured here, and there is no {ALT_C_MOVE_SCP}; "
                "an external archive that is recorded is not asked"
            )
            set_it = format_command("set", self._question.archive_ae.device.name, f"{ALT_C_MOVE_SCP}=AET")
            step = f"configure the storage again, or name an archive that has the study: {set_it}"
            laying.add_failure(RouteFailure(NOT_ACCESSIBLE, why, step))
        way = laying.build(state, Branch.NOTHING)
        not_set_up = any(failure.response == NOT_ACCESSIBLE for failure in way.failures)
        return replace(way, outcome=PathOutcome.UNCONFIGURED) if not_set_up else way

    def _unknown(self) -> RetrievePath:
        state = StudyState.UNKNOWN
        if not self._fallback:
            why = "a study that the archive does not know is answered like one without images: no dcmFallbackCMoveSCP"
            set_it = format_command("set", self._question.archive_ae.device.name, f"{FALLBACK_C_MOVE_SCP}=AET")
            step = f"where another archive is to be asked: {set_it}"
            return RetrievePath(
                state, Branch.NOTHING, PathOutcome.UNCONFIGURED, failures=(RouteFailure(EMPTY_SUCCESS, why, step),)
            )
        laying = self._create_builder()
        laying.applies_capability_limits = False  # there is nothing yet that could be kept back
        self._fall_back(laying)
        branch = Branch.FALLBACK_VIA_ARCHIVE if self._fallback_back else Branch.FALLBACK_DIRECT
        return laying.build(state, branch, self._fallback, (FALLBACK_C_MOVE_SCP,))

    def _incomplete(self) -> RetrievePath:
        state = StudyState.INCOMPLETE
        laying = self._create_builder()
        retries = get_setting(self._question.archive_ae, FALLBACK_C_MOVE_SCP_RETRIES) or "0"
        why = ""
        if not (self._fallback and self._fallback_back):
            why = "to fetch the rest takes dcmFallbackCMoveSCP and dcmFallbackCMoveSCPDestination"
        elif retries.startswith("-"):
            why = f"dcmFallbackCMoveSCPRetries is {retries}, which is never"
        if why:
            laying.send_local()
            laying.add_note(f"only what is here is sent: {why}")
            return laying.build(state, Branch.LOCAL, default_outcome=PathOutcome.UNCONFIGURED)
        calling = self._fallback_calling()
        if laying.request_move(self._fallback, calling, self._fallback_back):
            laying.send_local()
            self._return_from_fallback(laying, calling)
            until = "at each request" if retries == "0" else f"until that has failed {retries} times"
            laying.add_note(
                f"the rest is asked for {until} (dcmFallbackCMoveSCPRetries); what is here already is ignored"
            )
        return laying.build(state, Branch.LOCAL_AND_FALLBACK, self._fallback, (FALLBACK_C_MOVE_SCP,))

    def _fall_back(self, laying: PathBuilder) -> None:
        calling = self._fallback_calling()
        if not laying.request_move(self._fallback, calling, self._fallback_back):
            return
        if self._fallback_back:
            self._return_from_fallback(laying, calling)
        else:
            laying.send_directly(self._fallback)

    def _return_from_fallback(self, laying: PathBuilder, calling: str) -> None:
        attribute = FALLBACK_C_MOVE_SCP_DESTINATION
        laying.return_through_archive(self._fallback, self._fallback_back, calling, attribute, is_sender_recorded=False)

    def _fallback_calling(self) -> str:
        return (
            get_setting(self._question.archive_ae, FALLBACK_C_MOVE_SCP_CALLING_AET) or self._question.calling_ae_title
        )


def _create_no_archive_recorded() -> RouteFailure:
    return RouteFailure(
        _UNKNOWN_AE,
        f"according to the archive's database, no external archive has the purged objects ({NO_EXTERNAL_ARCHIVE} is "
        "recorded)",
        "send the study to this archive again, from a system that has it",
    )


def _create_no_recording_configured() -> RouteFailure:
    return RouteFailure(
        _UNKNOWN_AE,
        "nothing in the configuration has the archive record who holds what it purges: no exporter with dcmStgCmtSCP, "
        "no storage with dcmExternalRetrieveAET",
        f"specify with --external AET who holds it according to the archive's database (QIDO attribute 77771045); "
        f"{NO_EXTERNAL_ARCHIVE} is nobody",
    )
