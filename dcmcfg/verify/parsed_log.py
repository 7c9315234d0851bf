"""The content of another program's log about one study.

Kept apart: verify.external_log imports the readers of logs, and all use it: a cycle in external_log.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from dcmcfg.verify.evidence import MoveRecord
from dcmcfg.verify.legs import TransferLeg


@dataclass(frozen=True)
class ParsedLog:
    """The content of a log since the C-MOVE was sent.

    ``move_records`` are the C-MOVEs that the external archive served, or that the archive sent because of the C-MOVE of
    dcmcfg. ``legs`` are the C-STOREs of the study, ``ae_titles`` the AE titles under which the program was called.
    ``is_from_archive`` is True for the log of the archive that received the C-MOVE; then ``has_request`` is True if the
    log contains that C-MOVE. ``shows_messages`` is False if the log contains no DIMSE message at all.
    """

    move_records: tuple[MoveRecord, ...] = ()
    legs: tuple[TransferLeg, ...] = ()
    ae_titles: frozenset[str] = frozenset()
    _: KW_ONLY
    is_from_archive: bool = False
    has_request: bool = False
    shows_messages: bool = False
