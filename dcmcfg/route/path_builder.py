"""A way as it is laid, message by message, with what stops each and who has to know whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from dcmcfg.model.devices import STORAGE_SOP_CLASSES, Configuration, Connection, NetworkAE
from dcmcfg.model.retrieve_settings import effective
from dcmcfg.route.ae_lookup import Obstacle, Unresolved, astray, called_title, calling_title, resolve
from dcmcfg.route.capability_limits import KeptBack, kept_back
from dcmcfg.route.command import command
from dcmcfg.route.connection_matching import connection_to, letting_in, listening, rejection, why_not
from dcmcfg.route.path import (
    ALL_FAILED,
    LOCAL_ONLY,
    SILENCE,
    Address,
    Branch,
    Failure,
    Need,
    Outcome,
    Step,
    Way,
)
from dcmcfg.route.request import Question, StudyState

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
        self._reaches_destination = True
        self._back_to: NetworkAE | None = None
        self.restricts = True

    def note(self, text: str) -> None:
        """Add a note that changes nothing of the outcome."""
        self._notes.append(text)

    def stop(self, failure: Failure) -> None:
        """Have the request end with *failure*."""
        self._failures.append(failure)

    def way(
        self,
        state: StudyState,
        branch: Branch,
        holder: str = "",
        named_by: tuple[str, ...] = (),
        *,
        otherwise: Outcome = Outcome.ARRIVES,
    ) -> Way:
        """Return the way of these steps; without a failure its outcome is *otherwise*."""
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

    def send(self) -> bool:
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
            self.note(f"what {holder} stores is kept: the study is local afterwards")
        self._store(connection)

    def _destination_connection(self, answer: str) -> Connection | None:
        """Return where the destination is called; without a connection the request ends in *answer*."""
        connection = connection_to(self._destination, self._asked)
        if connection is None:
            self._reaches_destination = False
            step = "give both a connection of the same kind, then dcmcfg reload"
            self.stop(Failure(answer, why_not(self._destination, self._asked), step))
        return connection

    def _store(self, connection: Connection | None) -> None:
        calling = self._call("C-STORE", connection)
        self._needs.append(Need(self._destination.title, "accept", calling, service="C-STORE"))

    def _call(self, message: Literal["A-ASSOCIATE", "C-STORE"], connection: Connection | None) -> str:
        """Add *message* to the destination; return the AE title that the archive calls it with."""
        asked, destination = self._asked, self._destination
        calling = calling_title(asked, destination.title)
        called = called_title(asked, destination.title)
        where = address_of(connection) if connection else None
        self._steps.append(Step(message, asked.title, destination.title, calling, called, where))
        self._warn_of_rejection(destination, calling)
        return calling

    def ask(self, holder: str, calling: str | None, back: str) -> bool:
        """Have the archive send a C-MOVE to *holder*; return whether it can.

        Without *calling* the calling AE title is the archive's own, without *back* the Move Destination is the
        request's.
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
        sender = self._store_scu(holder)
        connection = listening(ae) if ae is not None else None
        where = address_of(connection) if connection else None
        receiver = ae.title if ae is not None else title
        self._steps.append(Step("C-STORE", holder, receiver, sender, title, where))
        self._needs.append(Need(holder, "know", title, where, "C-STORE"))
        self._back_to = ae
        failures = [] if ae is None or not restored else [*_ignored(holder, sender)]
        if ae is None:
            wrong = astray(self._configuration, self._asked, title, attribute, holder)
            failures += [wrong] if wrong else []
            if title == self._destination.title:
                self.note(f"{holder} sends straight to {title} then, and the archive counts no instance")
        else:
            refused = _cannot_take_in(ae, sender, attribute)
            failures += [refused] if refused else []
            name = "dcmUserIdentityNegotiation"
            if (ae.entry.text(name) or device.entry.text(name)) == "REQUIRED":
                self.note(f"{ae.title} asks every caller for a user identity ({name})")
            lost = self._not_forwarded(holder, sender, calling)
            failures += [lost] if lost else []
            if lost is None and self._reaches_destination:
                self._forward(holder)
        for each in failures:
            self.stop(replace(each, answer=LOCAL_ONLY) if restored and self._sends_locally else each)

    # ---- what stops it

    def _nothing_goes(self, held: KeptBack) -> None:
        silent = effective(self._asked, "dcmRestrictRetrieveSilently").values == ("TRUE",)
        answer = SILENCE if silent else ALL_FAILED
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

    def _store_scu(self, holder: str) -> str:
        """Return the title that *holder* is expected to store under: its own unless the mapping has only another."""
        scus = [scu for scu, scp in self._mapping() if scp == holder]
        return holder if holder in scus or not scus else scus[0]

    def _not_forwarded(self, holder: str, sender: str, calling: str | None) -> Failure | None:
        """Return why the archive does not match what *holder* stores with the request, None where it does.

        As ``CStoreForwardSCUImpl.forStoreContext``.
        """
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
        return Failure(SILENCE, why, step)


def _ignored(holder: str, sender: str) -> Iterator[Failure]:
    """Yield the failure of objects that come back under another title than the one recorded for them."""
    if sender != holder:
        why = f"{holder} stores as {sender} ({_MAPPING}), and is recorded as {holder}: such objects are ignored"
        step = f"have the commitment recorded as {sender}, or {holder} store under its own title"
        yield Failure(SILENCE, why, step)


def _not_found(found: Unresolved) -> str:
    """Return the answer as the archive gives it, the comment cut where (0000,0902) ends."""
    match found.obstacle:
        case Obstacle.UNKNOWN:
            return _cut(f"{_JAVA_NOT_FOUND}Unknown AE: {found.title}")
        case Obstacle.NOT_INSTALLED:
            return _cut(f"{_JAVA_NOT_FOUND}AE: {found.title} not installed")
        case Obstacle.UNREADABLE:
            return _cut(f"A702 {found.thrown}")


def _cut(answer: str) -> str:
    status, _, comment = answer.partition(" ")
    return f"{status} {comment[:_COMMENT_LENGTH]}".rstrip()


def _cannot_take_in(ae: NetworkAE, sender: str, attribute: str) -> Failure | None:
    """Return why *ae*, the archive's own, does not take in what *sender* brings, or None."""
    answer = ALL_FAILED
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
