"""The request for a recall, and whether a recall is due.

Kept apart: a check without a recall does not load the modules of ``verify``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dcmcfg.monitoring.recall_record import RecallRecord

if TYPE_CHECKING:
    from dcmcfg.verify.evidence_sources import EvidenceSources

#: Seconds until the next attempt after one that sent no C-MOVE, if the interval is not shorter.
_RETRY_S = 900.0


@dataclass(frozen=True, kw_only=True)
class RecallRequest:
    """The recall that a run requests: to ``destination_ae_title``, at most once in ``interval_s`` seconds.

    Without a ``study_uid``, a purged study is searched. With ``is_stored_only``, only the stored result is reported.
    ``open_evidence_sources`` returns the sources of evidence for the archive AE with the given title.
    """

    destination_ae_title: str
    calling_ae_title: str
    open_evidence_sources: Callable[[str], EvidenceSources]
    study_uid: str = ""
    interval_s: float
    is_stored_only: bool = False

    def is_due(self, record: RecallRecord, now: datetime) -> bool:
        """Return whether a recall is due at *now*; also if *record* is from the future, because a clock was wrong."""
        started, result = record.last_start, record.result
        if self.is_stored_only:
            return False
        if started is None or started > now:
            return True
        was_sent = bool(record.unfinished_since) or result is None or result.is_sent
        interval_s = self.interval_s if was_sent else min(self.interval_s, _RETRY_S)
        return (now - started).total_seconds() >= interval_s
