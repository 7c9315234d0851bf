"""``verify`` run on a recording, with the witnesses that a test wants."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from tests.recorded import stored
from tests.recorded.recordings import DimseRecording, dimse
from tests.recorded.replayer import Replayer
from tests.recorded.site import Site
from tests.recorded.truth import TRUTH, EvidenceSource, Truth

#: Seconds that stand for the 8 to 14 s after which the recorded client gave up, and those for every other answer.
SILENCE_S, PATIENCE_S = "3", "30"
Run = Callable[..., Result]


def names(source: EvidenceSource) -> list[str]:
    """Return the recordings that can be played with *source*, without those that the client cancels."""
    return [name for name, truth in TRUTH.items() if not truth.cancelled and _is_there(name, truth, source)]


def _is_there(name: str, truth: Truth, source: EvidenceSource) -> bool:
    match source:
        case EvidenceSource.REPORT:
            return True
        case EvidenceSource.RECORD | EvidenceSource.BOTH:
            return not truth.own_destination and not name.startswith("fallback")
        case _:
            return not truth.own_destination


def arguments(recording: DimseRecording, source: EvidenceSource, record: Path | None = None) -> tuple[str, ...]:
    """Return the command line of ``verify`` for the request of *recording*."""
    truth = TRUTH[recording.name]
    study = stored.study_uid(recording)
    request = next(each for each in stored.messages(recording, "client-archive") if each["what"] == "C-MOVE-RQ")
    instance = request["dataset"].get("SOPInstanceUID", "")
    own = [each.replace("{first}", instance) for each in truth.arguments]
    seen = {
        EvidenceSource.DATABASE: ("--receive",),
        EvidenceSource.RECEIVER: ("--receive", "--no-qido"),
        EvidenceSource.NEARLINE: ("--receive", "--no-qido"),
        EvidenceSource.RECORD: ("--receive", "--no-qido", "--external-log", str(record)),
        EvidenceSource.BOTH: ("--receive", "--external-log", str(record)),
        EvidenceSource.REPORT: (),
    }[source]
    patience = PATIENCE_S if recording.summary["client"]["final"] else SILENCE_S
    return ("verify", "--study", study, "--dest", truth.destination, "--timeout-s", patience, *own, *seen)


def verify(
    name: str, source: EvidenceSource, run: Run, replayer: Replayer, site: Site, folder: Path, *more: str
) -> Result:
    """Run ``verify`` on the recording *name* with *source* and the options *more*."""
    recording = dimse(name)
    record = folder / "moves.jsonl" if source in (EvidenceSource.RECORD, EvidenceSource.BOTH) else None
    if record is not None:
        record.touch()
    receives = source is not EvidenceSource.REPORT
    nearline = source is EvidenceSource.NEARLINE
    with replayer.playing(site, recording, receives=receives, nearline=nearline, record=record):
        return run(*arguments(recording, source, record), *more)


def evidence_source_of(name: str) -> EvidenceSource:
    """Return the witness with which the page shows *name*: our receiver and the database where both can be."""
    silent = TRUTH[name].own_destination or name.startswith("move-destination-")  # verify refuses to listen there
    return EvidenceSource.REPORT if silent else EvidenceSource.DATABASE
