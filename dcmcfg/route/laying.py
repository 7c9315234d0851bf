"""A way as it is laid, message by message, with what stops each and who has to know whom."""

from __future__ import annotations

from dcmcfg.devices import STORAGE_SOP_CLASSES, Configuration, Connection, NetworkAE
from dcmcfg.retrieve_settings import effective
from dcmcfg.route.astray import astray
from dcmcfg.route.command import command
from dcmcfg.route.connecting import connection_to, letting_in, listening, rejection, why_not
from dcmcfg.route.negotiating import KeptBack, kept_back
from dcmcfg.route.question import Question, StudyState
from dcmcfg.route.resolving import Obstacle, Unresolved, resolve
from dcmcfg.route.titles import called_title, calling_title
from dcmcfg.route.way import SILENCE, Address, Branch, Failure, Need, Outcome, Step, Way

_JAVA_NOT_FOUND = "A702 org.dcm4che3.conf.api.ConfigurationNotFoundException: "
_INCOMPATIBLE = "A702 org.dcm4che3.net.IncompatibleConnectionException: No compatible"
_COMMENT_LENGTH = 64
_MAPPING = "dcmCStoreSCUOfCMoveSCP"
_SPELT_OUT = 5  # SOP classes in a command


def address_of(connection: Connection) -> Address:
    """Return where *connection*, which has a port, is called."""
    return Address(connection.host, connection.port or 0, connection.tls)


class Laying:
    """The steps of one request so far; what is sent from here goes from the AE that was asked."""

    def __init__(self, configuration: Configuration, question: Question, destination: NetworkAE) -> None:
        self._configuration = configuration
        self._question = question
        self._asked = question.asked
        self._destination = destination
        self._steps: list[Step] = []
        self._failures: list[Failure] = []
        self._needs: list[Need] = []
        self._notes: list[str] = []
        self._sends_locally = False
        self._back_to: NetworkAE | None = None
        self.restricts = True

    def note(self, text: str) -> None:
        """Add something to know that stops nothing."""
        self._notes.append(text)

    def way(
        self,
        state: StudyState,
        branch: Branch,
        holder: str = "",
        named_by: tuple[str, ...] = (),
        *,
        otherwise: Outcome = Outcome.ARRIVES,
    ) -> Way:
        """Return what was laid; with nothing that stops it, it ends in *otherwise*."""
        held = None
        if self.restricts:
            held = kept_back(
                self._asked,
                self._destination,
                self._back_to,
                locally=self._sends_locally,
                only=self._question.sop_classes,
            )
        if held is not None and not held.sent:
            self._nothing_goes(held)
        outcome = otherwise
        if self._failures:
            outcome = Outcome.IN_PART if self._sends_locally else Outcome.FAILS
        elif held is not None and self._question.sop_classes is not None and len(held.sent) < len(held.all):
            outcome = Outcome.IN_PART
        needs = tuple(dict.fromkeys(self._needs))
        failures, notes = tuple(dict.fromkeys(self._failures)), tuple(dict.fromkeys(self._notes))
        return Way(state, branch, outcome, holder, named_by, tuple(self._steps), failures, needs, held, notes)

    def send(self) -> None:
        """Have the archive send what is local to the destination."""
        self._sends_locally = self._deliver()

    def _deliver(self) -> bool:
        """Have the archive send to the destination, and tell whether it can."""
        asked, destination = self._asked, self._destination
        connection = connection_to(destination, asked)
        if connection is None:
            step = "give both a connection of the same kind, then dcmcfg reload"
            self._failures.append(Failure(_INCOMPATIBLE, why_not(destination, asked), step))
        calling = calling_title(asked, destination.title)
        called = called_title(asked, destination.title)
        where = address_of(connection) if connection else None
        self._steps.append(Step("C-STORE", asked.title, destination.title, calling, called, where))
        self._needs.append(Need(destination.title, "accept", calling, service="C-STORE"))
        self._warn_of_rejection(destination, calling)
        return connection is not None

    def ask(self, holder: str, calling: str | None, back: str) -> bool:
        """Have the archive ask *holder*, and tell whether it can.

        Without *calling* it asks under its own title, without *back* with the request's own Move Destination.
        """
        asked = self._asked
        calling = calling or calling_title(asked, holder)
        where = self._where(holder)
        move_destination = back or self._question.destination
        called = called_title(asked, holder)
        self._steps.append(Step("C-MOVE", asked.title, holder, calling, called, where, move_destination))
        self._needs.append(Need(holder, "accept", calling))
        peer = self._configuration.network_ae(holder)
        if peer is not None:
            self._warn_of_rejection(peer, calling)
        if any(ae.title == holder for ae in asked.device.network_aes):
            why = f"{holder} is an AE of this archive: the request comes back to it, and nothing was found that ends it"
            self._failures.append(Failure("", why, "name the other archive"))
            return False
        return where is not None

    def send_from(self, holder: str) -> None:
        """Have *holder* send straight to the destination: it must know it, and the archive sees nothing of it."""
        destination = self._destination
        connection = listening(destination)
        where = address_of(connection) if connection else None
        self._steps.append(Step("C-STORE", holder, destination.title, holder, destination.title, where))
        self._needs.append(Need(holder, "know", destination.title, where, "C-STORE"))
        self._needs.append(Need(destination.title, "accept", holder, service="C-STORE"))

    def come_back(self, holder: str, title: str, calling: str | None, attribute: str, *, restored: bool) -> None:
        """Have *holder* send to the AE *title* of the archive, which forwards to the destination.

        ``calling`` is the title that *holder* was called under, None where the archive keeps no key for it;
        ``restored`` objects are known and taken back only from the AE recorded for them.
        """
        device = self._asked.device
        ae = device.answering(title)
        sender = self._store_scu(holder, restored=restored)
        connection = listening(ae) if ae is not None else None
        where = address_of(connection) if connection else None
        receiver = ae.title if ae is not None else title
        self._steps.append(Step("C-STORE", holder, receiver, sender, title, where))
        self._needs.append(Need(holder, "know", title, where, "C-STORE"))
        if ae is None:
            wrong = astray(self._configuration, self._asked, title, attribute, holder)
            self._failures += [wrong] if wrong else []
            return
        self._back_to = ae
        if failure := _cannot_take_in(ae, sender, attribute):
            self._failures.append(failure)
        name = "dcmUserIdentityNegotiation"
        if (ae.entry.text(name) or device.entry.text(name)) == "REQUIRED":
            self.note(f"{ae.title} asks every caller for a user identity ({name})")
        if failure := self._not_forwarded(holder, sender, calling, restored=restored):
            self._failures.append(failure)
            return
        self._deliver()

    # ---- what stops it

    def _nothing_goes(self, held: KeptBack) -> None:
        silent = effective(self._asked, "dcmRestrictRetrieveSilently").values == ("TRUE",)
        answer = SILENCE if silent else "A702, all failed"
        if held.not_taken:
            why = f"{self._destination.title} lists SCP capabilities, and none of what {self._asked.title} sends"
            step = self._adding(held.not_taken)
        elif not held.not_let_in:
            why = f"{self._asked.title} has no storage SCU capability"
            step = "add the capabilities, or share those of another AE"
        else:
            return  # told already: the AE that the objects come back to is no storage SCP
        # Looked at before anybody is asked, so nothing else comes to pass.
        self._failures = [Failure(answer, why, step)]
        self._steps, self._needs, self._notes, self._sends_locally = [], [], [], False

    def _adding(self, lacking: tuple[str, ...]) -> str:
        """Return the command that gives the destination what it lacks: by UID where the study says which."""
        known = self._question.sop_classes is not None
        wanted = lacking[:_SPELT_OUT] if known else ("SOP-CLASS",)
        more = f"; {len(lacking) - _SPELT_OUT} more are below" if known and len(lacking) > _SPELT_OUT else ""
        add = command("capability", "add", self._destination.title, *wanted, "--role", "scp")
        return f"{add} adds {'them' if known else 'what it takes'}{more}"

    def _warn_of_rejection(self, ae: NetworkAE, calling: str) -> None:
        accepted = ae.entry.texts("dcmAcceptedCallingAETitle")
        if accepted and calling not in accepted:
            self.note(f"as the tree has it, {ae.title} does not accept {calling} (dcmAcceptedCallingAETitle)")

    def _where(self, holder: str) -> Address | None:
        """Return where *holder* is called, None where the archive cannot; why is noted as what stops it."""
        found = resolve(self._configuration, holder)
        if isinstance(found, Unresolved):
            self._failures.append(Failure(_not_found(found), found.why, found.next_step))
            return None
        connection = connection_to(found, self._asked)
        if connection is None:
            step = "give both a connection of the same kind, then dcmcfg reload"
            self._failures.append(Failure(_INCOMPATIBLE, why_not(found, self._asked), step))
            return None
        return address_of(connection)

    # ---- how what comes back is recognised

    def _mapping(self) -> list[tuple[str, str]]:
        pairs = (value.partition("=") for value in self._asked.device.entry.texts(_MAPPING))
        return [(scu, scp) for scu, equals, scp in pairs if equals]

    def _store_scu(self, holder: str, *, restored: bool) -> str:
        """Return the title that *holder* is taken to store under: its own unless the mapping knows only another."""
        scus = [scu for scu, scp in self._mapping() if scp == holder]
        sender = holder if holder in scus or not scus else scus[0]
        if restored and sender != holder:
            why = f"{holder} stores as {sender} ({_MAPPING}), and is recorded as {holder}: such objects are ignored"
            step = f"have the commitment recorded as {sender}, or {holder} store under its own title"
            self._failures.append(Failure(SILENCE, why, step))
        return sender

    def _not_forwarded(self, holder: str, sender: str, calling: str | None, *, restored: bool) -> Failure | None:
        """Return why what arrives is not matched with the request (``CStoreForwardSCUImpl``), or None."""
        pairs = self._mapping()
        waits_under = holder if any(scp == holder for _, scp in pairs) else calling
        arrives_under = next((scp for scu, scp in pairs if scu == sender), calling or "")
        if waits_under == arrives_under:
            if sender not in {scu for scu, _ in pairs}:
                self.note(f"{holder} must send {calling} as Move Originator AE Title (0000,1030); else {_MAPPING}")
            return None
        if waits_under is None:
            why = f"part is local, so what {holder} sends is stored and not forwarded without {_MAPPING}"
        else:
            why = f"{_MAPPING} maps {sender} to {arrives_under}, the request waits for {waits_under}"
        step = command("add-value", self._asked.device.name, f"{_MAPPING}={sender}={holder}")
        return Failure("only what is local is counted" if restored and calling is None else SILENCE, why, step)


def _not_found(found: Unresolved) -> str:
    """Return the answer as the archive gives it, the comment cut where (0000,0902) ends."""
    match found.obstacle:
        case Obstacle.UNKNOWN:
            return _cut(f"{_JAVA_NOT_FOUND}Unknown AE: {found.title}")
        case Obstacle.NOT_INSTALLED:
            return _cut(f"{_JAVA_NOT_FOUND}AE: {found.title} not installed")
        case Obstacle.UNREADABLE:
            return "A702 java.lang.IllegalArgumentException"


def _cut(answer: str) -> str:
    status, _, comment = answer.partition(" ")
    return f"{status} {comment[:_COMMENT_LENGTH]}".rstrip()


def _cannot_take_in(ae: NetworkAE, sender: str, attribute: str) -> Failure | None:
    """Return why *ae*, the archive's own, does not take in what *sender* brings, or None."""
    answer = "A702, all failed"
    if wrong := rejection(ae, sender):
        step = f"{letting_in(ae, sender)}, or name another AE in {attribute}"
        return Failure(answer, f"the other archive is rejected: {wrong}", step)
    if not ae.takes_storage:
        storage = [each.title for each in ae.device.network_aes if each.takes_storage]
        why = f"{ae.title} has no storage SCP capability ({STORAGE_SOP_CLASSES}*)"
        return Failure(answer, why, f"set {attribute} to another AE of the archive: {', '.join(storage) or 'none has'}")
    if not effective(ae, "dcmObjectStorageID").values and "dcmObjectStorageID" not in ae.device.entry:
        return Failure(answer, f"{ae.title} has no dcmObjectStorageID", f"set it, or another AE in {attribute}")
    return None
