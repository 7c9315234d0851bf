"""The replayer: an archive on loopback, DICOM and HTTP, that answers as the real one did in a recording."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pynetdicom import evt

from dcmcfg.lab.listener import get_called_ae_title, listen
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse, install_move_handler
from tests.recorded import archive, web
from tests.recorded.archive import Play
from tests.recorded.recordings import DimseRecording
from tests.recorded.site import Ports, Site
from tests.recorded.stored import StoredStudy


@dataclass
class Replayer:
    """``url`` is the archive's base URL. One recording is played at a time; requests besides have no answer."""

    ports: Ports
    url: str = ""
    _play: Play | None = None
    strays: list[str] = field(default_factory=list)
    http: web.Web = field(init=False)

    def __post_init__(self) -> None:
        self.http = web.Web(self._present, lambda: self._play.availability if self._play else "ONLINE")

    @contextmanager
    def playing(
        self,
        site: Site,
        recording: DimseRecording,
        *,
        receives: bool = True,
        nearline: bool = False,
        record: Path | None = None,
    ) -> Iterator[Play]:
        """Play *recording* while the block runs, on the tree that it was recorded with.

        With *receives*, WORKSTATION is dcmcfg's own receiver. Raises AssertionError at the end for each request that
        the recordings do not answer.
        """
        availability = "NEARLINE" if nearline else "ONLINE"
        self.http.unanswered.clear()
        self.http.requests.clear()
        with site.configured(recording, nearline=nearline):
            play = Play(recording, availability, site.workstation if receives else None, record)
            self._play = play
            try:
                yield play
            finally:
                self._play = None
        unanswered = [*play.unanswered, *self.http.unanswered, *self.strays]
        self.strays.clear()
        assert not unanswered, f"not answered by the recordings: {unanswered}"

    def on_find(self, event: evt.Event) -> Iterator[tuple[Any, Dataset | None]]:
        """Answer a C-FIND."""
        if self._play is None:
            self.strays.append("C-FIND while nothing is played")
            yield 0xC000, None
            return
        yield from archive.find(self._play, event)

    def on_move(self, exchange: MoveExchange) -> MoveResponse | None:
        """Answer a C-MOVE."""
        if self._play is None:
            self.strays.append("C-MOVE while nothing is played")
            return MoveResponse(0xC000)
        return archive.move(self._play, exchange)

    def on_requested(self, event: evt.Event) -> None:
        """Note who calls an AE that the archive does not have; serve the C-MOVEs of the others."""
        if get_called_ae_title(event.assoc) not in archive.TITLES:
            self.strays.append(f"association to {get_called_ae_title(event.assoc)}")
        install_move_handler(event.assoc, self.on_move)

    def _present(self) -> StoredStudy | None:
        return self._play.present() if self._play else None


@contextmanager
def running(ports: Ports) -> Iterator[Replayer]:
    """Run a replayer on *ports*."""
    replayer = Replayer(ports)
    handlers: list[Any] = [
        (evt.EVT_REQUESTED, replayer.on_requested),
        (evt.EVT_C_FIND, replayer.on_find),
    ]
    with ExitStack() as stack:
        replayer.url = stack.enter_context(web.serving(replayer.http, ports.http))
        stack.enter_context(listen("DCM4CHEE", ports.archive, handlers, archive.contexts(), any_called_ae_title=True))
        yield replayer
