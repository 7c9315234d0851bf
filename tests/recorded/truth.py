"""What really happened in each recording with a C-MOVE, and which verdicts on the route are true of it.

The table is data. ``test_truth.py`` holds it to the recordings: delivered is what WORKSTATION answered with 0000 or
B000, and the way is the one that the legs of the recording show.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ActualPath(Enum):
    """How the instances that arrived came to WORKSTATION; the value is what the page says."""

    NOTHING = "nothing was sent"
    LOCAL = "from the archive's own storage"
    RECALLED = "from the external archive, through the archive"
    STRAIGHT = "from the external archive, straight to the destination"
    BOTH = "in part from the archive's own storage, in part from the external archive through the archive"
    LOCAL_PART = "only the instances in the archive's own storage"
    KEPT = "recalled to the archive, not forwarded"
    FALLBACK = "from the fallback archive"


class EvidenceSource(Enum):
    """Who tells ``verify`` what happened, beside the archive's own answers to C-FIND and C-MOVE."""

    DATABASE = "our receiver and the archive's database"
    RECEIVER = "our receiver"
    NEARLINE = "our receiver, and Instance Availability NEARLINE"
    RECORD = "our receiver and the external archive's record"
    BOTH = "our receiver, the archive's database and the external archive's record"
    REPORT = "the archive's database, without our receiver"


SHOWN, NOT_SHOWN, NOT_TRIED = "shown", "not shown", "not tried"


@dataclass(frozen=True)
class Truth:
    """*delivered* of *number* instances arrived; *number* is 0 where the archive never lists any.

    ``local`` means that the archive had the files of all before. ``success`` means that all were delivered, and that
    the archive reported so; ``warned`` that the destination stored them with a warning. ``does`` says in a few words
    what was done, ``arguments`` are those that ``verify`` needs for the same request.
    """

    does: str
    delivered: int
    number: int
    path: ActualPath
    local: bool = False
    success: bool = False
    warned: bool = False
    from_outside: int = 0  # of the delivered ones
    own_destination: bool = False  # WORKSTATION misbehaved: no receiver of dcmcfg's can take its place
    cancelled: bool = False
    arguments: tuple[str, ...] = ()
    destination: str = "WORKSTATION"

    def findings(self, witness: EvidenceSource) -> frozenset[str]:
        """Return the findings on the route that are true when *witness* tells of it.

        Not shown is never wrong where something came from outside and nobody saw it who can tell. Instance
        Availability shows nothing.
        """
        if self.local:
            if witness in (EvidenceSource.DATABASE, EvidenceSource.BOTH) and self.delivered:
                return frozenset({NOT_TRIED})
            return frozenset({NOT_TRIED, NOT_SHOWN})
        if not self.from_outside:
            return frozenset({NOT_SHOWN})
        match witness:
            case EvidenceSource.RECEIVER | EvidenceSource.NEARLINE:
                return frozenset({NOT_SHOWN})
            case EvidenceSource.DATABASE | EvidenceSource.REPORT if self.path is ActualPath.FALLBACK:
                return frozenset({NOT_SHOWN})  # a modality that stores the study meanwhile leaves the same traces
            case _ if self.path is ActualPath.FALLBACK:
                return frozenset({SHOWN, NOT_SHOWN})  # shown only as what it is: see the tests
            case EvidenceSource.RECORD if self.path is ActualPath.BOTH:
                return frozenset({NOT_SHOWN})  # the record counts local instances as well
            case EvidenceSource.DATABASE | EvidenceSource.RECORD | EvidenceSource.BOTH if self.success:
                return frozenset({SHOWN})
            case EvidenceSource.REPORT if self.success and self.path is not ActualPath.STRAIGHT:
                return frozenset({SHOWN})
            case _:
                return frozenset({SHOWN, NOT_SHOWN})


def _nothing(does: str, **more: object) -> Truth:
    return Truth(does, 0, 3, ActualPath.NOTHING, **more)  # type: ignore[arg-type]


def _recalled(does: str, number: int = 3, **more: object) -> Truth:
    return Truth(does, number, number, ActualPath.RECALLED, success=True, from_outside=number, **more)  # type: ignore[arg-type]


def _local(does: str, **more: object) -> Truth:
    return Truth(does, 3, 3, ActualPath.LOCAL, local=True, success=True, **more)  # type: ignore[arg-type]


def _refused(does: str, **more: object) -> Truth:
    return _nothing(does, local=True, **more)


_EXTERNAL = {
    "aborts-after-pending": "LONGTERM aborts after two pending responses",
    "aborts-association": "LONGTERM aborts instead of accepting the association",
    "closes-on-move": "LONGTERM closes the TCP connection after the C-MOVE-RQ",
    "no-context": "LONGTERM accepts no presentation context",
    "not-installed": "LONGTERM's device has dicomInstalled FALSE",
    "pending-then-0000": "LONGTERM sends two pending responses, then 0000 with completed 3, but no instance",
    "port-70000": "LONGTERM's device has the port 70000",
    "rejects-1-1-3": "LONGTERM rejects the calling AE title",
    "rejects-1-1-7": "LONGTERM rejects the called AE title",
    "releases-on-move": "LONGTERM requests a release instead of responding",
    "silent-on-connect": "LONGTERM accepts the TCP connection, but sends nothing",
    "status-0000": "LONGTERM answers 0000, but sends no instance",
    "status-0122": "LONGTERM answers 0122",
    "status-a701": "LONGTERM answers A701",
    "status-a801": "LONGTERM answers A801",
    "status-a900": "LONGTERM answers A900",
    "status-b000-counters": "LONGTERM answers B000 with completed 2 and failed 1, but sends no instance",
    "status-c001": "LONGTERM answers C001 with a comment",
    "status-fe00-counters": "LONGTERM answers FE00",
    "tls-only": "LONGTERM's connection has a cipher that the archive does not have",
}

TRUTH: dict[str, Truth] = {
    "move-called-as-received": _recalled(
        "purged; the called AE title is AS_RECEIVED", arguments=("--ae", "AS_RECEIVED")
    ),
    "move-caller-unknown-to-longterm": _nothing(
        "purged; LONGTERM does not know the caller VIEWER and aborts", arguments=("--calling", "VIEWER")
    ),
    "move-destination-dangling": _refused("local; WORKSTATION refers to a connection that does not exist"),
    "move-destination-not-accepted": _refused("local; dcmAcceptedMoveDestination does not list WORKSTATION"),
    "move-destination-not-installed": _refused("local; WORKSTATION's device has dicomInstalled FALSE"),
    "move-destination-port-70000": _refused("local; WORKSTATION's device has the port 70000"),
    "move-destination-port-missing": _refused("local; WORKSTATION's connection has no port"),
    "move-destination-unknown": _refused(
        "local; the tree has no AE NOSUCH", destination="NOSUCH", own_destination=True
    ),
    "move-local": _local("local"),
    "move-local-by-movescu": _local("local; the calling AE title is MOVESCU", arguments=("--calling", "MOVESCU")),
    "move-partly-purged-by-recall": Truth("one of three is local", 1, 3, ActualPath.LOCAL_PART),
    "move-purged-one-instance": _recalled("purged; one instance", 1, arguments=("--image", "{first}")),
    "move-purged-recorded-aet-unknown": _nothing(
        "purged; the recorded external AE GONEARC is not in the LDAP configuration"
    ),
    "move-purged-set": _recalled("purged"),
    "move-purged-unset-longterm-does-not-know": _nothing("purged, unset; LONGTERM does not know WORKSTATION"),
    "move-purged-unset-longterm-knows": Truth(
        "purged, unset; LONGTERM knows WORKSTATION", 3, 3, ActualPath.STRAIGHT, success=True, from_outside=3
    ),
    "move-recalled-again": _local("recalled before, local now"),
    "move-set-destination-unknown-to-longterm": _nothing(
        "purged; dcmExternalRetrieveAEDestination is NOWHERE, and LONGTERM does not know this AE"
    ),
    "move-set-on-ae": _recalled("purged; dcmExternalRetrieveAEDestination on the AE only"),
    "move-unconfigured-storage": _nothing("on a storage that is not configured"),
    "move-unconfigured-storage-alt": _nothing("on a storage that is not configured; dcmAltCMoveSCP LONGTERM"),
    "move-unknown-study": Truth("the archive does not know the study", 0, 0, ActualPath.NOTHING),
    **{f"external-set-{name}": _nothing(f"purged; {does}") for name, does in _EXTERNAL.items()},
    **{f"external-unset-{name}": _nothing(f"purged, unset; {does}") for name, does in _EXTERNAL.items()},
    "returns-late": Truth("purged; LONGTERM answers 0000 and sends the instances later", 0, 3, ActualPath.KEPT),
    "returns-then-aborts": Truth(
        "purged; LONGTERM sends two of three instances and aborts", 2, 3, ActualPath.RECALLED, from_outside=2
    ),
    "returns-then-fails": Truth(
        "purged; LONGTERM sends two of three instances and answers A702", 2, 3, ActualPath.RECALLED, from_outside=2
    ),
    "returns-with-other-originator": Truth("purged; LONGTERM sends another Move Originator", 0, 3, ActualPath.KEPT),
    "returns-without-originator-mapped": _recalled(
        "purged; LONGTERM sends no Move Originator; dcmCStoreSCUOfCMoveSCP LONGTERM=LONGTERM"
    ),
    "destination-aborts-on-store-local": _refused(
        "local; WORKSTATION aborts on the first C-STORE", own_destination=True
    ),
    "destination-aborts-on-store-purged": Truth(
        "purged; WORKSTATION aborts on the first C-STORE", 0, 3, ActualPath.KEPT, own_destination=True
    ),
    "destination-no-context-local": _refused("local; WORKSTATION accepts no context", own_destination=True),
    "destination-no-context-purged": Truth(
        "purged; WORKSTATION accepts no context", 0, 3, ActualPath.KEPT, own_destination=True
    ),
    "destination-rejects-local": _refused("local; WORKSTATION rejects the association", own_destination=True),
    "destination-rejects-purged": Truth(
        "purged; WORKSTATION rejects the association", 0, 3, ActualPath.KEPT, own_destination=True
    ),
    "destination-status-b000-local": Truth(
        "local; WORKSTATION answers B000", 3, 3, ActualPath.LOCAL, local=True, warned=True, own_destination=True
    ),
    "destination-status-b000-purged": Truth(
        "purged; WORKSTATION answers B000", 3, 3, ActualPath.RECALLED, from_outside=3, warned=True, own_destination=True
    ),
    "mixed-aborts": Truth("one of three is local; LONGTERM aborts on the C-MOVE-RQ", 1, 3, ActualPath.LOCAL_PART),
    "mixed-mapped": Truth(
        "one of three is local; dcmCStoreSCUOfCMoveSCP LONGTERM=LONGTERM",
        3,
        3,
        ActualPath.BOTH,
        success=True,
        from_outside=2,
    ),
    "mixed-rejects": _nothing("one of three is local; LONGTERM rejects the association"),
    "cancel-local": Truth("local; C-CANCEL", 2, 3, ActualPath.LOCAL, local=True, cancelled=True),
    "cancel-set": _nothing("purged; LONGTERM is silent; C-CANCEL", cancelled=True),
    "cancel-set-forwarding": _recalled("purged; C-CANCEL while the archive forwards", cancelled=True),
    "fallback-dest": Truth(
        "unknown to the archive; dcmFallbackCMoveSCPDestination DCM4CHEE",
        3,
        3,
        ActualPath.FALLBACK,
        success=True,
        from_outside=3,
    ),
    "fallback-dest-unknown-everywhere": Truth("unknown to the archive and to FALLBACK", 0, 0, ActualPath.NOTHING),
    "fallback-nodest-calling-aet": Truth(
        "unknown to the archive; dcmFallbackCMoveSCPCallingAET DCM4CHEE", 3, 0, ActualPath.FALLBACK, from_outside=3
    ),
    "fallback-unknown-ae": Truth(
        "unknown to the archive; the tree has no fallback AE NOSUCH", 0, 0, ActualPath.NOTHING
    ),
    "pending-1s-set": _recalled("purged; dcmSendPendingCMoveInterval PT1S"),
    "pending-none-local": _local("local; no dcmSendPendingCMoveInterval"),
    "restricted-local": _refused("local; WORKSTATION lists MR only"),
    "restricted-purged": _nothing("purged; WORKSTATION lists MR only"),
    "restricted-silently-local": _refused("local; WORKSTATION lists MR only, dcmRestrictRetrieveSilently TRUE"),
    "restricted-silently-purged": _nothing("purged; WORKSTATION lists MR only, dcmRestrictRetrieveSilently TRUE"),
}

#: Recordings with a C-MOVE that ``verify`` cannot ask for, and why.
NOT_ASKED_BY_VERIFY = {
    "move-two-studies-local-and-purged": "`verify` requests only one study in one C-MOVE",
    "move-without-level": "`verify` always sends the level",
}
