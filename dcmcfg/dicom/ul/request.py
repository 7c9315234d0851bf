"""Send cancels for a request, and read its responses (PS3.7 Section 9.3)."""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.dicom.ul.association import NOT_A_RESPONSE, Association, AssociationEnded
from dcmcfg.dicom.ul.command_set import (
    ERROR_COMMENT,
    RESPONSE_BIT,
    STATUS,
    CommandField,
    CommandSet,
    encode_cancel_request,
)


@dataclass(frozen=True)
class DimseResponse:
    """A response with its data set as encoded, None if there is none."""

    status: int
    command: CommandSet
    data_set: bytes | None

    @property
    def comment(self) -> str:
        """The Error Comment (0000,0902); ``""`` if absent."""
        return self.command.text(ERROR_COMMENT)


@dataclass(frozen=True)
class DimseRequest:
    """A request of kind ``command_field`` on ``association``, in the presentation context ``context_id``."""

    association: Association
    command_field: CommandField
    context_id: int
    message_id: int

    def wait_for_response(self, seconds: float) -> DimseResponse | None:
        """Return the next response within *seconds*; None if :meth:`Association.wake` is called before.

        Raises :class:`~dcmcfg.dicom.ul.association.AssociationEnded` if the association ends without one.
        """
        message = self.association.wait_for_response(self.message_id, seconds)
        if message is None:
            return None
        status = message.command.number(STATUS)
        if message.command.field != self.command_field | RESPONSE_BIT or status is None:
            self.association.abort(NOT_A_RESPONSE)
            raise AssociationEnded(NOT_A_RESPONSE)
        return DimseResponse(status, message.command, message.data_set)

    def cancel(self) -> None:
        """Send a C-CANCEL; raises :class:`~dcmcfg.dicom.ul.association.AssociationEnded`."""
        self.association.send(self.context_id, encode_cancel_request(self.message_id))
