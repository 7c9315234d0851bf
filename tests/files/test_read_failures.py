"""A file that cannot be read: the error has the reason and the next step."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.errors import DcmcfgError, LdifError
from dcmcfg.files.read_failures import build_read_failure


def read_failure(path: Path) -> LdifError:
    with pytest.raises(OSError) as caught:
        path.read_bytes()
    return build_read_failure(caught.value, path, LdifError)


def test_a_misspelt_name_suggests_the_file_with_the_similar_name(tmp_path: Path) -> None:
    (tmp_path / "export.ldif").touch()
    error = read_failure(tmp_path / "exprt.ldif")
    assert (error.subject, error.message) == (
        str(tmp_path / "exprt.ldif"),
        "cannot read the file (No such file or directory)",
    )
    assert error.next_step == f"did you mean {tmp_path}/export.ldif?"


def test_without_a_similar_name_the_next_step_names_the_folder(tmp_path: Path) -> None:
    (tmp_path / "b.ldif").touch()
    assert read_failure(tmp_path / "x.ldif").next_step == f"check the path: the folder {tmp_path} has no such file"
    missing = tmp_path / "none" / "x.ldif"
    assert read_failure(missing).next_step == f"check the path: the folder {tmp_path}/none does not exist"


def test_a_folder_and_a_refused_file_have_their_own_next_step(tmp_path: Path) -> None:
    assert read_failure(tmp_path).next_step == "specify a file, not a folder"
    error = build_read_failure(PermissionError(13, "Permission denied"), tmp_path / "x", DcmcfgError, name="the plan")
    assert (error.subject, error.next_step) == ("the plan", "run dcmcfg with an account that can read the file")
