"""How the recordings without a C-MOVE are used: a registry that each test of recordings keeps current."""

from __future__ import annotations

from enum import Enum


class Use(Enum):
    """How a recording is used."""

    REPLAYED = "replayed"
    HELD = "compared with the stand-in"
    BOTH = "replayed, compared with the stand-in"
    DATA = "data only"


_ARCHIVING = (Use.DATA, "dcmcfg takes no part in archiving")
_GET = (Use.DATA, "dcmcfg sends no C-GET")
_REPLAYED_FIND = (Use.BOTH, "`route --study`")

OTHER_DIMSE: dict[str, tuple[Use, str]] = {
    "echo": (Use.BOTH, "`echo`"),
    "find-study-local": _REPLAYED_FIND,
    "find-study-purged": _REPLAYED_FIND,
    "find-study-purged-star": _REPLAYED_FIND,
    "find-study-unknown": _REPLAYED_FIND,
    "find-bad-level": (Use.HELD, "A900 with comment and offending element"),
    "find-called-worklist": (Use.HELD, "no context accepted"),
    "find-calling-not-accepted": (Use.HELD, "rejected 1/1/3"),
    "get-local": _GET,
    "get-purged": _GET,
    "archiving-LONGTERM-answers-C-STORE-A700": _ARCHIVING,
    "archiving-LONGTERM-rejects-the-association": _ARCHIVING,
    "archiving-commitment-refused": _ARCHIVING,
    "archiving-commitment-requested,-no-result-yet": _ARCHIVING,
    "archiving-commitment-result-with-one-failed-instance": _ARCHIVING,
    "archiving-store-export-commitment": _ARCHIVING,
}

#: By file below ``http/``.
HTTP: dict[str, tuple[Use, str]] = {
    "qido": (Use.BOTH, "`verify`, `route --study`: the replayer makes each of its answers from these recordings"),
    "qido-spelling": (Use.HELD, "include fields"),
    "qido-query": (Use.HELD, "paging, filters, errors"),
    "ctrl": (Use.REPLAYED, "`status`, `reload`; see [status and reload](fidelity-control.md)"),
    "ctrl-broken": (Use.REPLAYED, "`reload`; see [status and reload](fidelity-control.md)"),
    "rest": (Use.DATA, "dcmcfg uses none of these resources"),
    "wado": (Use.DATA, "dcmcfg does not use WADO"),
}
