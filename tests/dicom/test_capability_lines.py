"""Capabilities as lines of a file, and the set that takes everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.dicom.capability_lines import build_storage_scp_capabilities, format_capability_line, read_capabilities
from dcmcfg.edits.network_ae import NewNetworkAE, add_network_ae
from dcmcfg.errors import MalformedInput
from dcmcfg.model.capabilities import find_withheld_sop_classes
from dcmcfg.model.devices import Configuration
from tests.lint.breaking import valid_tree


def read(folder: Path, text: str | bytes) -> list[tuple[str, str, str, tuple[str, ...]]]:
    file = folder / "capabilities"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return [(c.name, c.sop_class, c.role, c.transfer_syntaxes) for c in read_capabilities(file)]


def test_lines_are_read_by_keyword_or_uid_and_comments_left_out(tmp_path: Path) -> None:
    text = (
        "\ufeff# a workstation\n\nscp CTImageStorage ImplicitVRLittleEndian 1.2.840.10008.1.2.1 # both\r\nSCU 1.2.3 *\n"
    )
    assert read(tmp_path, text) == [
        (
            "CT Image Storage SCP",
            "1.2.840.10008.5.1.4.1.1.2",
            "SCP",
            ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1"),
        ),
        ("1.2.3 SCU", "1.2.3", "SCU", ("*",)),
    ]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    line = format_capability_line("SCP", "1.2.840.10008.5.1.4.1.1.2", ("1.2.840.10008.1.2", "1.2.3"))
    assert line == "SCP CTImageStorage ImplicitVRLittleEndian 1.2.3"
    assert read(tmp_path, line)[0][1:] == ("1.2.840.10008.5.1.4.1.1.2", "SCP", ("1.2.840.10008.1.2", "1.2.3"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the file contains no transfer capability"),
        ("# nothing", "the file contains no transfer capability"),
        ("SCP CTImageStorage", "capabilities:1: not a capability"),
        ("\nSCX CTImageStorage *", "capabilities:2: not a capability"),
        (
            "SCP CTImagStorage *",
            ":1: 'CTImagStorage': no SOP class has this name — did you mean CTImageStorage?",
        ),
        ("SCP CTImageStorage JPEG", "capabilities:1: 'JPEG': no transfer syntax has this name"),
        ("SCP 1.2.3 *\nSCP 1.2.3 1.2", "1.2.3 SCP appears twice"),
        (b"\xff\xfe", "not UTF-8 text"),
        ("x" * 1_000_001, "the file has more than 1,000,000 characters"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str | bytes, problem: str) -> None:
    with pytest.raises(MalformedInput, match=problem):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_told_with_what_else_can_be_said(tmp_path: Path) -> None:
    with pytest.raises(
        MalformedInput, match=r"cannot be read .* set --capabilities to 'none', 'storage-scp' or the path of a file"
    ):
        read_capabilities(tmp_path / "storage-spc")


def test_an_ae_with_the_template_is_sent_everything_that_an_archive_may_send() -> None:
    capabilities = build_storage_scp_capabilities(Configuration(valid_tree()))
    assert len({each.name for each in capabilities}) == len({each.sop_class for each in capabilities})
    tree = valid_tree().with_changes(
        add_network_ae(Configuration(valid_tree()), NewNetworkAE("WS1", "ws1", 104, capabilities=capabilities)).changes
    )
    ae = Configuration(tree).get_device("ws1").get_network_ae("WS1")
    assert find_withheld_sop_classes(Configuration(tree), ae.capabilities, ae) == ()
    assert len(ae.capabilities) == len(capabilities)
