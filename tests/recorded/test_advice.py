"""What ``verify`` says next at each recording: the words that must be there, and those that must not.

The answers are those that ``test_answers.py`` compares with what the real command says.
"""

from __future__ import annotations

import pytest

from tests.recorded.outputs import read_expected_output
from tests.recorded.truth import TRUTH

_UNKNOWN_CALLER = (
    "Most often, the external archive does not know the calling AE title and ends the association. The archive used "
    "the calling AE title of this run, {calling}"
)
_WORK_ORDER = "run dcmcfg work-order --external LONGTERM --calling {calling}"
_NO_FINAL_STRAIGHT = (
    "the archive sends no final response if the external archive LONGTERM closes the connection, aborts the "
    "association or requests a release after a C-MOVE request"
)
_NO_FINAL_BACK = "if the external archive LONGTERM ends the association after a pending"
_MAPPING = "dcmcfg set dcm4chee-arc dcmCStoreSCUOfCMoveSCP+=LONGTERM=LONGTERM"
_RECALLED = "into the archive's own storage, but WORKSTATION did not accept the study"
_PASSED_ON = "most likely, the external archive LONGTERM sent this response, and the archive passed the response on"
_ABORTED = "LONGTERM aborted the association, or did not answer the association request within dcmAAACTimeout"
_UNLOADABLE = "the archive cannot load the device of LONGTERM from LDAP"
_DROPPED = "the archive itself omitted the instances, and opened no association to another AE for these instances"
_ENDED = (_UNKNOWN_CALLER.format(calling="DCMCFG"), _WORK_ORDER.format(calling="DCMCFG"))

SAID: dict[str, tuple[str, ...]] = {
    "move-caller-unknown-to-longterm": (
        _UNKNOWN_CALLER.format(calling="VIEWER"),
        _WORK_ORDER.format(calling="VIEWER"),
    ),
    "external-set-closes-on-move": _ENDED,
    "external-set-no-context": _ENDED,
    "external-set-releases-on-move": _ENDED,
    "external-unset-closes-on-move": (_NO_FINAL_STRAIGHT, "a longer time-out does not help"),
    "external-unset-releases-on-move": (_NO_FINAL_STRAIGHT, "a longer time-out does not help"),
    "external-unset-aborts-after-pending": (_NO_FINAL_STRAIGHT, "a longer time-out does not help"),
    "external-set-aborts-after-pending": (_NO_FINAL_BACK, "a longer time-out does not help"),
    "returns-then-aborts": (_NO_FINAL_BACK, "a longer time-out does not help"),
    "move-destination-port-70000": ("the archive cannot load the device of WORKSTATION from LDAP",),
    "external-set-port-70000": (_UNLOADABLE,),
    "external-unset-port-70000": (_UNLOADABLE,),
    "external-set-aborts-association": (_ABORTED,),
    "external-unset-aborts-association": (_ABORTED,),
    "external-set-silent-on-connect": (_ABORTED,),
    "external-unset-silent-on-connect": (_ABORTED,),
    "external-unset-no-context": ("accepted the association, but not the presentation context for C-MOVE",),
    "move-partly-purged-by-recall": ("the archive recalled 2 instances", "did not forward these instances", _MAPPING),
    "mixed-aborts": ("the archive sent only the instances in its own storage", "the calling AE title DCM4CHEE"),
    "mixed-rejects": ("LONGTERM or WORKSTATION rejected the association", "--calling DCM4CHEE"),
    "returns-late": (
        "the archive did not forward the instances, because it could not assign the instances to this request",
        "must come after the last C-STORE",
    ),
    "returns-with-other-originator": ("the Move Originator AE Title (0000,1030) must be DCMCFG", _MAPPING),
    "returns-then-fails": (
        "sent a part of the study to DCM4CHEE, and the archive forwarded this part",
        "never sent the rest",
    ),
    "move-unconfigured-storage": (
        "on the storage fs9, which is not in the LDAP configuration",
        "sent no C-MOVE to an external archive",
    ),
    "move-unconfigured-storage-alt": ("The archive sent a C-MOVE to LONGTERM (dcmAltCMoveSCP)",),
    "fallback-nodest-calling-aet": (
        "Its fallback archive FALLBACK (dcmFallbackCMoveSCP) sent 3 instances",
        "--expect N",
    ),
    "fallback-dest-unknown-everywhere": ("its fallback archive FALLBACK (dcmFallbackCMoveSCP) sent nothing",),
    "fallback-unknown-ae": ("no AE has the title NOSUCH: dcmcfg ae add NOSUCH@HOST:PORT",),
    "destination-rejects-purged": (_RECALLED,),
    "destination-no-context-purged": (_RECALLED,),
    "destination-aborts-on-store-purged": (_RECALLED,),
    "destination-status-b000-purged": ("WORKSTATION stored the instances with a warning",),
    "restricted-local": (_DROPPED, "dcmcfg route --dest WORKSTATION"),
    "restricted-purged": (_DROPPED, "dcmcfg route --dest WORKSTATION"),
    "restricted-silently-local": ("dcmRestrictRetrieveSilently is set",),
    "cancel-set": ("the archive ignores C-CANCEL while it recalls a study to DCM4CHEE",),
    **{
        f"external-{mode}-status-{status}": (_PASSED_ON,)
        for mode in ("set", "unset")
        for status in ("0122", "a701", "a900", "fe00-counters")
    },
}
#: Words that blame what was not at fault, or advise what does not help.
NEVER: dict[str, tuple[str, ...]] = {
    "move-unconfigured-storage": ("LONGTERM",),
    "fallback-nodest-calling-aet": ("view",),
    "fallback-unknown-ae": ("could not send to WORKSTATION", "is purged"),
    "restricted-purged": ("LONGTERM",),
    "returns-then-fails": ("could not forward",),
    "external-unset-closes-on-move": ("the archive may still be retrieving", "a longer dcmRetrieveTimeout"),
    "external-set-aborts-after-pending": ("the archive may still be retrieving", "a longer dcmRetrieveTimeout"),
    "external-set-status-0122": ("the archive's transfer capabilities",),
    "mixed-rejects": ("the calling title of this C-MOVE",),
}


@pytest.mark.parametrize("name", SAID)
def test_it_says_what_to_do(name: str) -> None:
    steps = _steps(name)
    assert all(words.lower() in steps.lower() for words in SAID[name]), steps


@pytest.mark.parametrize("name", NEVER)
def test_it_blames_nobody_else(name: str) -> None:
    steps = _steps(name)
    assert not any(words.lower() in steps.lower() for words in NEVER[name]), steps


@pytest.mark.parametrize("name", [name for name, truth in TRUTH.items() if not truth.success])
def test_what_failed_has_a_next_step(name: str) -> None:
    assert TRUTH[name].cancelled or _steps(name)


def _steps(name: str) -> str:
    """Return the next steps as one line: those of a cancelled run are folded at the width of a terminal."""
    lines = read_expected_output(name).text.splitlines()
    labels = ("Next step", "!   Next step")
    first = next((number for number, line in enumerate(lines) if line.startswith(labels)), len(lines))
    return " ".join(line.strip() for line in lines[first:])
