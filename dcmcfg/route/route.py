"""The route of a C-MOVE through an archive, from the configuration alone.

Facts are those of ``CommonCMoveSCP``, ``RetrieveServiceImpl``, ``CMoveSCUImpl`` and ``CStoreForwardSCUImpl`` of 5.35.
Where the objects of a study are, and which archive is recorded for them, stands in the database; so there is a way
for each state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.model.retrieve_settings import effective
from dcmcfg.route.ae_lookup import EXTERNAL_RETRIEVE
from dcmcfg.route.command import command
from dcmcfg.route.connection_matching import listening
from dcmcfg.route.external_archives import external_archives
from dcmcfg.route.path import NOT_ACCESSIBLE, SILENCE, Branch, Failure, Outcome, Route, Way
from dcmcfg.route.path_builder import Laying, address_of
from dcmcfg.route.request import NOBODY, Question, StudyState
from dcmcfg.route.request_checks import refused

_ALTERNATIVE = "dcmAltCMoveSCP"
_FALLBACK = "dcmFallbackCMoveSCP"
#: As long as an Error Comment (0000,0902) may be; what follows is cut.
_UNKNOWN_AE = "A702 org.dcm4che3.conf.api.ConfigurationNotFoundException: Unknown AE"


def find_route(
    configuration: Configuration, question: Question, states: Sequence[StudyState] = tuple(StudyState)
) -> Route:
    """Return what the archive does with the request, for each of *states* in their order."""
    listens = listening(question.asked)
    where = address_of(listens) if listens else None
    found = refused(question, configuration)
    if isinstance(found, Failure):
        return Route(question, where, found)
    site = _Ways(configuration, question, found)
    return Route(question, where, None, tuple(way for state in states for way in site.ways(state)))


def setting(ae: NetworkAE, name: str) -> str:
    """Return the one value of *name* that counts for *ae*, empty where it is not set."""
    return next(iter(effective(ae, name).values), "")


class _Ways:
    """The ways of one request whose destination is known."""

    def __init__(self, configuration: Configuration, question: Question, destination: NetworkAE) -> None:
        self._configuration = configuration
        self._question = question
        self._destination = destination
        asked = question.asked
        self._alternative = setting(asked, _ALTERNATIVE)
        self._fallback = setting(asked, _FALLBACK)
        self._redirected = setting(asked, EXTERNAL_RETRIEVE)
        self._fallback_back = setting(asked, "dcmFallbackCMoveSCPDestination")

    def ways(self, state: StudyState) -> Iterator[Way]:
        """Yield the ways in *state*: for purged objects one for each archive that may be recorded."""
        match state:
            case StudyState.LOCAL:
                laying = self._laying()
                laying.send()
                yield laying.way(state, Branch.LOCAL)
            case StudyState.PURGED | StudyState.PARTIAL:
                yield from self._recorded(state)
            case StudyState.ELSEWHERE:
                yield self._elsewhere()
            case StudyState.INCOMPLETE:
                yield self._incomplete()
            case StudyState.UNKNOWN:
                yield self._unknown()

    def _laying(self) -> Laying:
        return Laying(self._configuration, self._question, self._destination)

    def _recorded(self, state: StudyState) -> Iterator[Way]:
        given = self._question.external
        configured = external_archives(self._question.asked.device)
        if self._alternative and self._question.calling == self._alternative:
            yield self._left_to_the_alternative(state)
            return
        if given == NOBODY:
            yield self._from_nobody(state)
            return
        candidates = configured if given is None else {given: configured.get(given, ("--external",))}
        for holder, named_by in candidates.items():
            yield self._from_holder(state, holder, named_by)
        if not candidates:
            yield Way(state, Branch.NOTHING, Outcome.NOT_SET_UP, failures=(_nothing_records(),))

    def _from_holder(self, state: StudyState, holder: str, named_by: tuple[str, ...]) -> Way:
        """Return the way of what is purged.

        Where a part is local, the archive calls *holder* under its own title, before it calls the destination; without
        an association to *holder* the local instances are not sent either.
        """
        mixed = state is StudyState.PARTIAL
        back = "" if holder == self._alternative else self._redirected
        laying = self._laying()
        calling = None if mixed else self._question.calling
        reached = laying.ask(holder, calling, back)
        if reached and mixed:
            laying.send()
            laying.note(f"{holder} is asked first, for the whole study, also for what is local")
            laying.note(f"if {holder} rejects the association, nothing is sent, not even what is local (A702)")
        if back and reached:
            laying.come_back(holder, back, calling, EXTERNAL_RETRIEVE, restored=True)
        elif reached:
            laying.send_from(holder)
            if mixed:
                laying.note(f"{holder} may send what is local once more")
            if self._redirected:
                laying.note(f"{holder} is {_ALTERNATIVE} too, so dcmExternalRetrieveAEDestination is ignored")
        if back:
            branch = Branch.MIXED_BACK if mixed else Branch.EXTERNAL_BACK
        else:
            branch = Branch.MIXED_DIRECT if mixed else Branch.EXTERNAL_DIRECT
        return laying.way(state, branch, holder, named_by)

    def _from_nobody(self, state: StudyState) -> Way:
        """Return the way of purged objects for which no external archive is recorded: also what is local stays."""
        laying = self._laying()
        laying.stop(_nobody_recorded())
        return laying.way(state, Branch.NOTHING)

    def _left_to_the_alternative(self, state: StudyState) -> Way:
        who = f"{self._question.calling} is {_ALTERNATIVE}: the archive leaves what is not here to it"
        if state is StudyState.PARTIAL:
            laying = self._laying()
            laying.send()
            laying.note(who)
            return laying.way(state, Branch.LOCAL, otherwise=Outcome.IN_PART)
        failure = Failure(SILENCE, who, "ask under another title (--calling)")
        return Way(state, Branch.NOTHING, Outcome.FAILS, failures=(failure,))

    def _elsewhere(self) -> Way:
        state = StudyState.ELSEWHERE
        if not self._alternative:
            return self._not_accessible(state)
        if self._question.calling == self._alternative:
            return self._left_to_the_alternative(state)
        laying = self._laying()
        if laying.ask(self._alternative, self._question.calling, ""):
            laying.send_from(self._alternative)
        return laying.way(state, Branch.ALTERNATIVE, self._alternative, (_ALTERNATIVE,))

    def _not_accessible(self, state: StudyState) -> Way:
        """Return the way of objects that the archive can neither read nor fetch: it calls the destination all the same.

        An external archive that is recorded for them is not asked: its title counts for purged objects only
        (``RetrieveServiceImpl.removeNotAccessableMatches``).
        """
        laying = self._laying()
        if laying.associate():
            why = (
                f"the files are on a storage that is not configured here, and there is no {_ALTERNATIVE}; "
                "an external archive that is recorded is not asked"
            )
            set_it = command("set", self._question.asked.device.name, f"{_ALTERNATIVE}=AET")
            step = f"configure the storage again, or name an archive that has the study: {set_it}"
            laying.stop(Failure(NOT_ACCESSIBLE, why, step))
        way = laying.way(state, Branch.NOTHING)
        not_set_up = any(failure.answer == NOT_ACCESSIBLE for failure in way.failures)
        return replace(way, outcome=Outcome.NOT_SET_UP) if not_set_up else way

    def _unknown(self) -> Way:
        state = StudyState.UNKNOWN
        if not self._fallback:
            why = "a study that the archive does not know is answered like one without images: no dcmFallbackCMoveSCP"
            set_it = command("set", self._question.asked.device.name, f"{_FALLBACK}=AET")
            step = f"where another archive is to be asked: {set_it}"
            return Way(state, Branch.NOTHING, Outcome.NOT_SET_UP, failures=(Failure(SILENCE, why, step),))
        laying = self._laying()
        laying.restricts = False  # there is nothing yet that could be kept back
        self._fall_back(laying)
        branch = Branch.FALLBACK_BACK if self._fallback_back else Branch.FALLBACK_DIRECT
        return laying.way(state, branch, self._fallback, (_FALLBACK,))

    def _incomplete(self) -> Way:
        state = StudyState.INCOMPLETE
        laying = self._laying()
        retries = setting(self._question.asked, "dcmFallbackCMoveSCPRetries") or "0"
        why = ""
        if not (self._fallback and self._fallback_back):
            why = "to fetch the rest takes dcmFallbackCMoveSCP and dcmFallbackCMoveSCPDestination"
        elif retries.startswith("-"):
            why = f"dcmFallbackCMoveSCPRetries is {retries}, which is never"
        if why:
            laying.send()
            laying.note(f"only what is here is sent: {why}")
            return laying.way(state, Branch.LOCAL, otherwise=Outcome.NOT_SET_UP)
        calling = self._fallback_calling()
        if laying.ask(self._fallback, calling, self._fallback_back):
            laying.send()
            self._come_back_from_fallback(laying, calling)
            until = "at each request" if retries == "0" else f"until that has failed {retries} times"
            laying.note(f"the rest is asked for {until} (dcmFallbackCMoveSCPRetries); what is here already is ignored")
        return laying.way(state, Branch.RETRY_BACK, self._fallback, (_FALLBACK,))

    def _fall_back(self, laying: Laying) -> None:
        calling = self._fallback_calling()
        if not laying.ask(self._fallback, calling, self._fallback_back):
            return
        if self._fallback_back:
            self._come_back_from_fallback(laying, calling)
        else:
            laying.send_from(self._fallback)

    def _come_back_from_fallback(self, laying: Laying, calling: str) -> None:
        attribute = "dcmFallbackCMoveSCPDestination"
        laying.come_back(self._fallback, self._fallback_back, calling, attribute, restored=False)

    def _fallback_calling(self) -> str:
        return setting(self._question.asked, "dcmFallbackCMoveSCPCallingAET") or self._question.calling


def _nobody_recorded() -> Failure:
    return Failure(
        _UNKNOWN_AE,
        f"according to the archive's database, no external archive has the purged objects ({NOBODY} is recorded)",
        "send the study to this archive again, from a system that has it",
    )


def _nothing_records() -> Failure:
    return Failure(
        _UNKNOWN_AE,
        "nothing in the configuration has the archive record who holds what it purges: no exporter with dcmStgCmtSCP, "
        "no storage with dcmExternalRetrieveAET",
        f"specify with --external AET who holds it according to the archive's database (QIDO attribute 77771045); "
        f"{NOBODY} is nobody",
    )
