"""A verification that advice is wanted for, with what each kind of advice asks of it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cached_property

from dcmcfg.route.command import command
from dcmcfg.verify.called_ae import at_its_place, came_back, holders
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.external_request import asked_fallback, sends_straight
from dcmcfg.verify.file_evidence import Files, FilesBefore, files_before
from dcmcfg.verify.verdict import Received, Reported, Route, RouteFinding

SUCCESS = 0x0000


def lacking(destination: str) -> str:
    """Return whom to ask for the SOP classes that are kept from *destination*."""
    return f"dcmcfg route --dest {shlex.quote(destination)} names the SOP classes that one side lacks"


@dataclass(frozen=True)
class Case:
    """The evidence, with what the judge made of its parts."""

    evidence: Evidence
    reported: Reported
    received: Received
    route: Route

    @property
    def destination(self) -> str:
        return self.evidence.question.destination

    @property
    def quoted(self) -> str:
        """The destination as a command line takes it."""
        return shlex.quote(self.destination)

    @property
    def lacking(self) -> str:
        return lacking(self.destination)

    @property
    def archive(self) -> str:
        return self.evidence.question.archive.ae_title

    @property
    def back_to(self) -> str | None:
        """The AE that the external archive is told to send to; None where it sends straight to the destination."""
        return self.evidence.route.destination

    @cached_property
    def files(self) -> FilesBefore:
        return files_before(self.evidence)

    @property
    def sent_straight(self) -> bool:
        """Whether it is the external archive that had to send to the destination, as far as is known."""
        return sends_straight(self.evidence)

    @property
    def came_back(self) -> bool:
        """Whether some of it came from the external archive to the archive, whatever became of it then."""
        return self.back_to in self.evidence.route.archive_titles and came_back(self.evidence)

    @property
    def unconfigured(self) -> bool:
        """Whether the files of the study are on a storage that the tree does not configure."""
        return self.files.finding is Files.UNCONFIGURED

    @property
    def asked_fallback(self) -> bool:
        """Whether the archive did not know the study, and has a fallback archive to ask."""
        return asked_fallback(self.evidence)

    @property
    def device(self) -> str:
        """The archive's device as a command takes it."""
        return self.evidence.route.device or "DEVICE"

    @property
    def add_mapping(self) -> str:
        """The command that has the archive forward what the external archive sends without a match to the request."""
        named = sorted(holders(self.evidence))
        title = named[0] if len(named) == 1 else "AET"
        return command("add-value", self.device, f"dcmCStoreSCUOfCMoveSCP={title}={title}")

    @property
    def listened(self) -> bool:
        """Whether this run was the destination."""
        return self.evidence.received is not None

    @property
    def external(self) -> str:
        """The external archive, by its name where that is known."""
        named = ", ".join(sorted(holders(self.evidence)))
        return f"the external archive {named}" if named else "the external archive"

    @property
    def sender(self) -> str:
        """Who had to send to the destination."""
        return self.external if self.sent_straight else f"the archive {self.archive}"

    @property
    def contradicted(self) -> bool:
        return self.route.finding is RouteFinding.CONTRADICTED

    @property
    def work_order(self) -> str:
        """The command that tells what the external archive's administrator has to enter."""
        named = sorted(holders(self.evidence))
        title = shlex.quote(named[0]) if len(named) == 1 else "AET"
        return f"dcmcfg work-order --external {title}"

    @property
    def set_external_retrieve(self) -> str:
        """The command that has external archives send to the archive."""
        return command("set-external-retrieve", self.archive)

    @property
    def astray(self) -> str:
        """What mends a way that does not lead back; "" where it does, or the study need not have gone it."""
        route = self.evidence.route
        away = self.evidence.expected and self.files.finding is not Files.HERE
        return f"{route.astray}; {route.mending}" if route.astray and away else ""

    def at_its_place(self, title: str) -> str:
        """Return *title* with the address at which the archive looks for it, where the tree has one."""
        return at_its_place(self.evidence, title)
