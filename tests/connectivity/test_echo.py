"""Next steps of C-ECHOs to AEs of a tree."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.connectivity.call import CallResult, CallStage
from dcmcfg.connectivity.echo import AeEchoResult, call_at_node, select_targets
from dcmcfg.model.devices import Configuration
from tests.trees import site

UNREACHABLE = CallResult(problem="connection refused", failed_stage=CallStage.TCP, next_step="check it")


def call(result: CallResult, *, node_host: str = "") -> AeEchoResult:
    targets = select_targets(Configuration(site()), ["STORESCP"])
    return AeEchoResult((call_at_node(targets, "storescp", node_host) if node_host else targets)[0], result)


def get_next_step(result: AeEchoResult) -> str:
    assert result.call_result is not None
    return result.call_result.next_step


@pytest.mark.parametrize(("is_named", "connection"), [(True, "storescp/dicom"), (False, "DEVICE/NAME")])
def test_an_unreachable_ae_has_the_command_that_changes_its_address(is_named: bool, connection: str) -> None:
    result = call(UNREACHABLE).add_address_command(is_named=is_named)
    assert get_next_step(result) == (f"check it; to change the address: dcmcfg connection set {connection} HOST:PORT")


def test_only_the_address_of_the_tree_is_changed_there() -> None:
    assert get_next_step(call(UNREACHABLE, node_host="127.9.9.9").add_address_command(is_named=True)) == "check it"
    rejected = replace(UNREACHABLE, failed_stage=CallStage.ASSOCIATION)
    assert get_next_step(call(rejected).add_address_command(is_named=True)) == "check it"
