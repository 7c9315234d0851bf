"""The page ``docs/project/fidelity.md``: each recording, how it is used, what is true, what dcmcfg says.

``python -m tests.recorded.table`` writes it from the table of what really happened and the answers that the tests
compare; it needs no recordings.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.recorded.control_truth import NEVER_SENT
from tests.recorded.control_truth import read_expected_outputs as said_of_control
from tests.recorded.outputs import read_expected_output, route_of
from tests.recorded.truth import NOT_ASKED_BY_VERIFY, TRUTH, Truth
from tests.recorded.uses import HTTP, OTHER_DIMSE, Use

PAGE = Path(__file__).parents[2] / "docs" / "project" / "fidelity.md"
_HEAD = """\
# Fidelity

<!-- Written by tests/recorded/table.py -->

This page shows how tests compare dcmcfg with recordings of a real dcm4chee-arc 5.35.1. Each recording has one
of these uses:

- **replayed**: a replayer acts as the archive over DICOM and HTTP on loopback. The test runs the real command against
  the replayer, and compares the verdict with the facts.
- **compared with the stand-in**: a test compares the responses of the lab's stand-in archive with the recording.
- **data only**: no test uses the recording.

The replayer answers C-FIND and QIDO-RS according to the state of the study before and after the C-MOVE. If a request
has no recorded response, the test fails. The pauses of the replayer are shorter than the recorded pauses. If the
recorded destination returned errors or broke the association, the test does not use dcmcfg as the receiver.

Studies have three instances. *Unset* means that `dcmExternalRetrieveAEDestination` is not set.

"""
_MOVES = """\
## C-MOVE

For each of these recordings, the tests run `verify` and `route --study` against the replayer. The table shows the
verdict of `verify` with evidence from the archive's database. The tests also run `verify` without this evidence, with
Instance Availability NEARLINE, with the log of the external archive, and with `--require-route`. Another test compares
the stand-in with each recording.

| recording | situation | facts | headline of `verify` | route | exit code |
|---|---|---|---|---|---|
"""
_OTHERS = "\n## Other DIMSE recordings\n\n| recording | use | how |\n|---|---|---|\n"
_CONTROL = """
## Control service

For each of these recordings, the tests run `status` and `reload` against the replayer. In a recording of repeated
requests, the number after the name is the position of the response. *In force* means that the configuration with the
change is in force. If a test compares the lab's stand-in with the recording, the last column shows *held*. Otherwise
the last column shows the reason.

| recording | situation | facts afterwards | command | headline of dcmcfg | exit code | stand-in |
|---|---|---|---|---|---|---|
"""
_WEB = "\n## HTTP recordings\n\n| recordings | use | how |\n|---|---|---|\n"


def page() -> str:
    """Return the text of the page."""
    return _HEAD + "".join(_sections())


def _sections() -> Iterator[str]:
    yield _MOVES
    for name, truth in TRUTH.items():
        answer = read_expected_output(name)
        said = answer.headline.removeprefix("dcmcfg: ")
        cells = (name, truth.does, _true(truth), said, route_of(answer) or "-", str(answer.exit_code))
        yield f"| {' | '.join(cells)} |\n"
    yield _OTHERS
    for name, why in NOT_ASKED_BY_VERIFY.items():
        yield f"| {name} | {Use.HELD.value} | {why} |\n"
    yield from (f"| {name} | {use.value} | {how} |\n" for name, (use, how) in OTHER_DIMSE.items())
    yield _CONTROL
    for each in said_of_control():
        row = (each.recording, each.does, each.true, each.command, each.says, str(each.exit_code), each.stand_in)
        yield f"| {' | '.join(row)} |\n"
    for name in NEVER_SENT:
        yield f"| {name} | POST ctrl/{name.partition('-')[0]} | - | - | dcmcfg never sends this request | - | held |\n"
    yield _WEB
    yield from (f"| {name} | {use.value} | {how} |\n" for name, (use, how) in HTTP.items())


def _true(truth: Truth) -> str:
    number = f" of {truth.number}" if truth.number else ""
    warned = ", with a warning" if truth.warned else ""
    return f"{truth.delivered}{number} delivered{warned}; {truth.path.value}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
