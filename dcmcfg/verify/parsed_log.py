"""What the log of another program shows of one study.

Kept apart: verify.external_log imports the readers of logs, and all use it: a cycle in external_log.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from dcmcfg.verify.evidence import MoveRecord
from dcmcfg.verify.legs import TransferLeg


@dataclass(frozen=True)
class ParsedLog:
    """What a log shows since the C-MOVE was sent.

    ``move_records`` are the C-MOVEs that the external archive served, or that the archive sent because of ours;
    ``legs`` are the C-STOREs of the study, ``ae_titles`` the AE titles under which the program was called.
    ``is_from_archive`` says that the log is that of the archive that was asked, ``has_request`` that it then shows the
    C-MOVE that we sent. ``shows_messages`` is False where it shows no DIMSE message at all.
    """

    move_records: tuple[MoveRecord, ...] = ()
    legs: tuple[TransferLeg, ...] = ()
    ae_titles: frozenset[str] = frozenset()
    _: KW_ONLY
    is_from_archive: bool = False
    has_request: bool = False
    shows_messages: bool = False
