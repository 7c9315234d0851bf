"""The destinations that a proper archive may send to, when nobody of ours listens there."""

from __future__ import annotations

from dataclasses import dataclass

from tests.peers import storing
from tests.peers.storing import Storing

_MR = "1.2.840.10008.5.1.4.1.1.4"


@dataclass(frozen=True)
class Destination:
    """``does`` completes the sentence "The destination ...", ``sop_classes`` are those it takes, all where empty.

    One that ``takes_long`` is met by verify alone: a movescu beside it would wait as long again.
    """

    name: str
    does: str
    storing: Storing
    sop_classes: tuple[str, ...] = ()
    title: str = "WORKSTATION"
    takes_long: bool = False


EVERY_DESTINATION = (
    Destination("stores", "stores every instance", storing.always(0x0000)),
    Destination("refuses-half", "refuses every other instance (A700)", storing.every_other(0xA700)),
    Destination("is-full", "is full (answers A700 to each C-STORE)", storing.always(0xA700)),
    Destination("coerces", "stores each instance with a warning (B000)", storing.always(0xB000)),
    Destination("takes-mr-only", "accepts only another SOP class", storing.always(0x0000), (_MR,)),
    Destination("is-another", "has another AE title", storing.always(0x0000), title="ANOTHER"),
    Destination("hangs", "receives an instance and does not respond", storing.hangs, takes_long=True),
    Destination("aborts-stores", "aborts the association at the first instance", storing.aborts),
)
