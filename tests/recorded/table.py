"""The pages ``docs/project/fidelity*.md``: each recording, how it is used, what is true, what dcmcfg says.

``python -m tests.recorded.table`` writes them from the table of what really happened and the answers that the tests
compare; it needs no recordings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.recorded.control_truth import (
    BROKEN,
    FAILED_STARTS,
    NEVER_SENT,
    POLLED,
    ExpectedOutput,
)
from tests.recorded.control_truth import read_expected_outputs as said_of_control
from tests.recorded.outputs import read_expected_output, route_of
from tests.recorded.truth import NOT_ASKED_BY_VERIFY, TRUTH, Truth
from tests.recorded.uses import HTTP, OTHER_DIMSE, Use

_FOLDER = Path(__file__).parents[2] / "docs" / "project"
_WRITTEN = "<!-- Written by tests/recorded/table.py -->"
_HEAD = f"""\
# Fidelity

{_WRITTEN}

This page shows how tests compare dcmcfg with recordings of a real dcm4chee-arc 5.35.1.

| use of a recording | meaning |
|---|---|
| replayed | A replayer acts as the archive over DICOM and HTTP on loopback. The test runs the real command against \
the replayer, and compares the verdict with the facts |
| compared with the stand-in | A test compares the responses of the lab's stand-in archive with the recording |
| data only | No test uses the recording |

The replayer has these rules:

| case | rule |
|---|---|
| C-FIND and QIDO-RS | The response shows the state of the study before or after the C-MOVE |
| a request without a recorded response | The test fails |
| pauses | The pauses of the replayer are shorter than the recorded pauses |
| the recorded destination returned errors, or broke the association | The test does not use dcmcfg as the receiver |

## Recordings

| recordings | number | use | results |
|---|---|---|---|
"""
_MOVES = f"""\
# Fidelity of verify and route

{_WRITTEN}

This page shows the verdict of `dcmcfg verify` for each recorded C-MOVE of a real dcm4chee-arc 5.35.1.
[Fidelity](fidelity.md) explains the recordings.

For each recording, the tests run `verify` and `route --study` against the replayer. The tables show the verdict of
`verify` with evidence from the archive's database. Another test compares the lab's stand-in archive with each
recording.

The tests also run `verify` in these ways:

- without evidence from the database
- with Instance Availability NEARLINE
- with the log of the external archive
- with `--require-route`

## How to read the tables

| word | meaning |
|---|---|
| LONGTERM, WORKSTATION | the external archive, and the destination |
| local | the study is in the archive's own storage |
| purged | only the external archive has the files of the study |
| set, unset | `dcmExternalRetrieveAEDestination` is set, or not set |
| delivered | instances that WORKSTATION received, and instances of the study (usually three) |
| verified | The headline of `verify` is "verified: 3 of 3 instances received by WORKSTATION", with the route. \
Exit code 0 |
| any other verdict | The headline of `verify` is "NOT verified", with the verdict. Exit code 1 |
| nothing arrived | nothing arrived at WORKSTATION |

The tables shorten these verdicts:

| short | verdict of `verify` |
|---|---|
"""
_CONTROL = f"""\
# Fidelity of status and reload

{_WRITTEN}

This page shows the answers of `dcmcfg status` and `dcmcfg reload` for each recording of the control service (`ctrl`) of
a real dcm4chee-arc 5.35.1. [Fidelity](fidelity.md) explains the recordings.

For each recording, the tests run `status` or `reload` against the replayer.

| word | meaning |
|---|---|
| ports | the DICOM and HL7 ports of the archive after the request |
| in force | the archive uses the configuration with the change |
| stand-in: equal | A test compares the recording with the stand-in archive of the lab. The responses are equal |
| stand-in: a reason | No test compares the recording with the stand-in, for this reason |

The tables shorten these answers of dcmcfg:

| short | answer of dcmcfg |
|---|---|
| failed start | The archive failed to start, or it is still starting (HTTP 500, a page of the web server) |
| not reloaded: REASON | The archive could not load the new configuration: REASON. \
The archive keeps its previous configuration |
| listener closed: REASON | The new configuration is in force, but the archive could not open the listener HOST:PORT: \
IOException: Unable to start TCPListener on HOST:PORT; cause: REASON (HTTP 500; dcmcfg reloaded twice). \
Until a reload succeeds, other listeners might be closed too, and the AE cache of the archive still contains old AEs |
"""
_STATUSES = (
    ("A702", "status A702, refused: the sub-operations could not be performed"),
    ("A801, archive", "status A801, refused: the Move Destination is unknown to the archive itself"),
    (
        "A801, external archive",
        "status A801, refused: most likely, the external archive does not know the Move Destination",
    ),
    ("A701", "status A701, refused: out of resources, so the peer could not count the matches"),
    ("A900", "status A900, refused: the identifier does not match the SOP class"),
    ("B000", "status B000, sub-operations completed, some with a failure or a warning"),
    ("C000", "status C000, failed: unable to process the request"),
    ("C001", "status C001, failed: unable to process the request"),
    ("C801", "status C801, refused: the archive does not allow this Move Destination"),
    ("FE00", "status FE00, cancelled"),
    ("0000, none completed", "status 0000, but no instance completed"),
    ("0110", "status 0110, failed: processing failure"),
    ("0122", "status 0122, refused: SOP class not supported"),
    ("no response", "no final response: no response within 3 s"),
)
_NOTHING = "nothing arrived at WORKSTATION"
#: The headings of the groups on the page of C-MOVEs → the first word of the names of the recordings.
_GROUPS = {
    "Basic cases and wrong settings": ("move",),
    "The external archive returns instances": ("returns", "mixed"),
    "The destination fails or restricts": ("destination", "restricted"),
    "Cancel, fallback and pending responses": ("cancel", "fallback", "pending"),
}
_SET, _UNSET = "external-set-", "external-unset-"
_EXTERNAL = """
## The external archive fails

In these recordings, the study is purged, and LONGTERM fails. Nothing was sent: 0 of 3 instances were delivered. The
route is not shown. Every verdict ends with "nothing arrived".

The two recordings of a row are `external-set-NAME` and `external-unset-NAME`.

| NAME | LONGTERM | verdict, set | verdict, unset |
|---|---|---|---|
"""
#: The reason in the table of what really happened.
_NO_ARCHIVE = "the lab has no web server that runs without its archive"
_NOT_COMPARED = """\
No test compares these recordings with the stand-in archive of the lab, because the web server of the lab cannot run
without the archive.
"""
_LISTENER = re.compile(
    r"The new configuration is in force, but the archive could not open the listener (?P<at>\S+): IOException: "
    r"Unable to start TCPListener on (?P=at); cause: (?P<cause>.*) \(HTTP 500; dcmcfg reloaded twice\)\. Until a "
    r"reload succeeds, other listeners might be closed too, and the AE cache of the archive still contains old AEs"
)
_NOT_RELOADED = re.compile(
    r"The archive could not load the new configuration: (?P<reason>.*)\. The archive keeps its previous configuration"
)
_FAILED_START = "The archive failed to start, or it is still starting (HTTP 500, a page of the web server)"


def pages() -> Mapping[Path, str]:
    """Return the text of each page."""
    return {
        _FOLDER / "fidelity.md": _HEAD + "".join(_overview()),
        _FOLDER / "fidelity-c-move.md": _MOVES + "".join(_moves()),
        _FOLDER / "fidelity-control.md": _CONTROL + "".join(_control()),
    }


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _overview() -> Iterator[str]:
    both = "replayed, compared with the stand-in"
    some = "replayed, compared with the stand-in, or both"
    page = "[verify and route](fidelity-c-move.md)"
    control = "[status and reload](fidelity-control.md)"
    rows = said_of_control()
    yield _row("C-MOVE", str(len(TRUTH)), both, page)
    yield _row("other DIMSE requests", str(len(NOT_ASKED_BY_VERIFY) + len(OTHER_DIMSE)), "see below", "below")
    yield _row("control service: states and requests", str(_count_files(rows, broken=False)), some, control)
    yield _row(
        "control service: reloads of a changed tree",
        str(_count_files(rows, broken=True)),
        "replayed; 15 compared with the stand-in",
        control,
    )
    yield _row("other HTTP requests", "5 files", "see below", "below")
    yield "\n## Other DIMSE recordings\n\n| recording | use | details |\n|---|---|---|\n"
    yield from (_row(name, Use.HELD.value, why) for name, why in NOT_ASKED_BY_VERIFY.items())
    yield from (_row(name, use.value, how) for name, (use, how) in OTHER_DIMSE.items())
    yield "\n## HTTP recordings\n\n| recordings | use | details |\n|---|---|---|\n"
    yield from (_row(name, use.value, how) for name, (use, how) in HTTP.items())


def _count_files(rows: Iterable[ExpectedOutput], *, broken: bool) -> int:
    names = {each.recording.partition(":")[0] for each in rows}
    changed = {name for name in names if _is_changed(name)}
    return len(changed) if broken else len(names - changed) + len(NEVER_SENT)


def _is_changed(name: str) -> bool:
    return name.startswith("reload-") and name not in ("reload-get", "reload-when-stopped")


def _moves() -> Iterator[str]:
    yield from (_row(*each) for each in _STATUSES)
    for heading, prefixes in _GROUPS.items():
        yield f"\n## {heading}\n\n| recording | situation | delivered | path | verdict | route |\n"
        yield "|---|---|---|---|---|---|\n"
        for name, truth in TRUTH.items():
            if name.partition("-")[0] in prefixes:
                route = route_of(read_expected_output(name)) or "-"
                yield _row(name, truth.does, _delivered(truth), truth.path.value, _verdict(name), route)
    yield _EXTERNAL
    for name, truth in TRUTH.items():
        if name.startswith(_SET):
            kind = name.removeprefix(_SET)
            does = truth.does.removeprefix("purged; ").removeprefix("LONGTERM ")
            yield _row(kind, does, *(_undelivered(each + kind) for each in (_SET, _UNSET)))


def _undelivered(name: str) -> str:
    """Return the verdict on *name*, which has the facts of the text above the table."""
    truth = TRUTH[name]
    assert (truth.delivered, truth.number, truth.path.value) == (0, 3, "nothing was sent")
    assert route_of(read_expected_output(name)) == "not shown"
    verdict = _verdict(name)
    assert verdict.endswith("nothing arrived")
    return verdict.removesuffix("; nothing arrived")


def _delivered(truth: Truth) -> str:
    number = f" of {truth.number}" if truth.number else ""
    return f"{truth.delivered}{number}{', with a warning' if truth.warned else ''}"


def _verdict(name: str) -> str:
    answer = read_expected_output(name)
    verified, headline = "verified: ", answer.headline.removeprefix("dcmcfg: ")
    assert answer.exit_code == (0 if headline.startswith(verified) else 1)
    if headline.startswith(verified):
        truth = TRUTH[name]
        instances = "instance" if truth.number == 1 else "instances"
        start = f"{verified}{truth.number} of {truth.number} {instances} received by WORKSTATION; "
        assert headline.startswith(start)
        return "verified"
    assert headline.startswith("NOT verified: ")
    shown = headline.removeprefix("NOT verified: ")
    for short, long in _STATUSES:
        shown = shown.replace(long, short)
    return shown.replace(_NOTHING, "nothing arrived")


def _control() -> Iterator[str]:
    rows = said_of_control()
    by_name: dict[str, list[ExpectedOutput]] = {}
    for each in rows:
        by_name.setdefault(each.recording.partition(":")[0], []).append(each)
    started = [name for name in by_name if name.startswith(FAILED_STARTS)]
    changed = [name for name in by_name if _is_changed(name)]
    assert set(BROKEN) <= set(changed)
    others = [name for name in by_name if name not in (*started, *changed, *POLLED)]
    yield "\n## Requests to a running archive\n\nA test compares each of these recordings with the stand-in "
    yield "archive of the lab. The responses are equal.\n\n"
    yield from _control_table(by_name, others, "equal")
    yield "\nThe stand-in is also compared with the recordings of requests that dcmcfg never sends: "
    yield f"{', '.join(f'`{name}`' for name in NEVER_SENT)} (POST ctrl/start, POST ctrl/stop).\n"
    yield f"\n## A start that failed\n\n{_NOT_COMPARED}\n"
    yield from _control_table(by_name, started, _NO_ARCHIVE)
    yield "\n## Repeated status requests\n\nThe number after the name of a recording is the position of the "
    yield "response.\n\n"
    yield f"{_NOT_COMPARED}\n"
    yield from _control_table(by_name, POLLED, _NO_ARCHIVE)
    yield "\n## Reloads of a changed tree\n\nThe command is `reload`. If all ports are open, the "
    yield "table does not list the ports.\n\n"
    yield "| recording | change | facts afterwards | answer of dcmcfg | exit code | stand-in |\n"
    yield "|---|---|---|---|---|---|\n"
    for name in changed:
        (each,) = by_name[name]
        facts = each.true.removesuffix("; all ports open")
        yield _row(name, each.does, facts, _shorten(each), str(each.exit_code), _stand_in(each))


def _control_table(by_name: Mapping[str, list[ExpectedOutput]], names: Iterable[str], stand_in: str) -> Iterator[str]:
    yield "| recording | situation | ports | command | answer of dcmcfg | exit code |\n|---|---|---|---|---|---|\n"
    for name in names:
        for each in by_name[name]:
            assert _stand_in(each) == stand_in, name
            ports = each.true.removesuffix(" DICOM and HL7 ports open") + (" open" if ":" in each.recording else "")
            yield _row(each.recording, each.does, ports, each.command, _shorten(each), str(each.exit_code))


def _stand_in(each: ExpectedOutput) -> str:
    return "equal" if each.stand_in == "held" else each.stand_in


def _shorten(each: ExpectedOutput) -> str:
    if found := _LISTENER.fullmatch(each.says):
        return f"listener closed: {found['cause']}"
    if found := _NOT_RELOADED.fullmatch(each.says):
        return f"not reloaded: {found['reason']}"
    return each.says.replace(_FAILED_START, "failed start")


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, "utf-8")
