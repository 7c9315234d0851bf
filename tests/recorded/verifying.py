"""``verify`` run on a recording, with the witnesses that a test wants."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from tests.recorded import stored
from tests.recorded.recordings import DimseRecording, dimse
from tests.recorded.replayer import Replayer
from tests.recorded.site import Site
from tests.recorded.truth import TRUTH, Truth, Witness

#: Seconds that stand for the 8 to 14 s after which the recorded client gave up, and those for every other answer.
SILENCE_S, PATIENCE_S = "3", "30"
Run = Callable[..., Result]


def names(witness: Witness) -> list[str]:
    """Return the recordings that can be played with *witness*, without those that the client cancels."""
    return [name for name, truth in TRUTH.items() if not truth.cancelled and _is_there(name, truth, witness)]


def _is_there(name: str, truth: Truth, witness: Witness) -> bool:
    match witness:
        case Witness.REPORT:
            return True
        case Witness.RECORD | Witness.BOTH:
            return not truth.own_destination and not name.startswith("fallback")
        case _:
            return not truth.own_destination


def arguments(recording: DimseRecording, witness: Witness, record: Path | None = None) -> tuple[str, ...]:
    """Return the command line of ``verify`` for the request of *recording*."""
    truth = TRUTH[recording.name]
    study = stored.study_uid(recording)
    request = next(each for each in stored.messages(recording, "client-archive") if each["what"] == "C-MOVE-RQ")
    instance = request["dataset"].get("SOPInstanceUID", "")
    own = [each.replace("{first}", instance) for each in truth.arguments]
    seen = {
        Witness.DATABASE: ("--receive",),
        Witness.RECEIVER: ("--receive", "--no-qido"),
        Witness.NEARLINE: ("--receive", "--no-qido"),
        Witness.RECORD: ("--receive", "--no-qido", "--external-log", str(record)),
        Witness.BOTH: ("--receive", "--external-log", str(record)),
        Witness.REPORT: (),
    }[witness]
    patience = PATIENCE_S if recording.summary["client"]["final"] else SILENCE_S
    return ("verify", "--study", study, "--dest", truth.destination, "--timeout-s", patience, *own, *seen)


def verify(name: str, witness: Witness, run: Run, replayer: Replayer, site: Site, folder: Path, *more: str) -> Result:
    """Run ``verify`` on the recording *name* with *witness* and the options *more*."""
    recording = dimse(name)
    record = folder / "moves.jsonl" if witness in (Witness.RECORD, Witness.BOTH) else None
    if record is not None:
        record.touch()
    receives = witness is not Witness.REPORT
    nearline = witness is Witness.NEARLINE
    with replayer.playing(site, recording, receives=receives, nearline=nearline, record=record):
        return run(*arguments(recording, witness, record), *more)


def witness_of(name: str) -> Witness:
    """Return the witness with which the page shows *name*: our receiver and the database where both can be."""
    silent = TRUTH[name].own_destination or name.startswith("move-destination-")  # verify refuses to listen there
    return Witness.REPORT if silent else Witness.DATABASE
