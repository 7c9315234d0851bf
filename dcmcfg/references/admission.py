"""The lists of which an empty one lets everybody in, and one with a value nobody else."""

from __future__ import annotations

from typing import NamedTuple


class Admission(NamedTuple):
    """Who such a list of the archive is about, in a word of the singular, and what becomes of one that it lacks."""

    attribute: str
    who: str
    others: str


#: C801 is of dcm4chee-arc's RetrieveService, 1/1/3 of its AssociationHandler, AR of dcm4che's HL7Application.
#: dicomPreferredCallingAETitle and …CalledAETitle only say what is preferred, and refuse nobody.
ADMISSIONS = (
    Admission("dcmAcceptedMoveDestination", "destination", "refused (C801)"),
    Admission("dcmAcceptedCallingAETitle", "caller", "rejected (1/1/3)"),
    Admission("hl7AcceptedSendingApplication", "sending application", "answered with AR"),
)
