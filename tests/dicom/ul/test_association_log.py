"""The lines of the protocol log for messages of an association."""

from __future__ import annotations

import pytest

from dcmcfg.dicom.ul.association_log import MessageLog
from dcmcfg.dicom.ul.command_set import CommandField, encode_cancel_request, encode_request
from dcmcfg.protocol_log import enable_protocol_log


@pytest.mark.parametrize(("kind", "name"), [(CommandField.C_FIND, "C-FIND"), (CommandField.C_MOVE, "C-MOVE")])
def test_a_cancel_is_logged_with_the_request_that_it_cancels(kind: CommandField, name: str) -> None:
    lines: list[str] = []
    log = MessageLog("A → B")
    with enable_protocol_log(2, lines.append):
        log.log_sent(encode_request(kind, "1.2", 7, {}, has_data_set=True), b"")
        log.log_sent(encode_cancel_request(7), None)
        log.log_sent(encode_cancel_request(8), None)
    assert lines == [
        f"dicom:   sent {name}, message 7, data set of 0 octets",
        "dicom:   sent C-CANCEL, for message 7",
        f"dicom: C-CANCEL A → B: sent, cancels {name} (message 7)",
        "dicom:   sent C-CANCEL, for message 8",
        "dicom: C-CANCEL A → B: sent, cancels request (message 8)",
    ]
