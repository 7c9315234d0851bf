"""The protocol log: its levels, and what it costs while it is off."""

from __future__ import annotations

import time

from dcmcfg.protocol_log import PROTOCOL_LOG, enable_protocol_log


def test_levels_add_up_and_end_with_their_block() -> None:
    lines: list[str] = []
    with enable_protocol_log(1, lines.append):
        PROTOCOL_LOG.log("ldap", "search", "success", time.monotonic())
        PROTOCOL_LOG.log_detail("ldap", "attributes: cn")
        with enable_protocol_log(1, lines.append):
            PROTOCOL_LOG.log("ldap", "unbind")
            PROTOCOL_LOG.log_detail("ldap", "attributes: cn")
        PROTOCOL_LOG.log_detail("ldap", "attributes: sn")
    assert (lines[0][:24], lines[0][-3:]) == ("ldap: search: success (0", " s)")
    assert lines[1:] == ["ldap: unbind", "ldap:   attributes: cn"]
    assert PROTOCOL_LOG.level == 0
    PROTOCOL_LOG.log("ldap", "unbind")
    assert len(lines) == 3
