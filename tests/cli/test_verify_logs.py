"""``dcmcfg verify`` with the logs of real external archives, and the C-STOREs that it reports leg by leg."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.studies import get_standard_study
from tests.cli.conftest import Run
from tests.cli.labs import name_in_environment, recalling_lab
from tests.dicom.dcmtk import dcmqrscp, storescu
from tests.lab.purging import purge
from tests.lab.running_site import RunningSite
from tests.peers.outputs import without_times

pytestmark = pytest.mark.real
JPEG_LS, EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
PATTERN = """\
log4cplus.rootLogger = INFO, file
log4cplus.appender.file = log4cplus::FileAppender
log4cplus.appender.file.File = {file}
log4cplus.appender.file.Append = true
log4cplus.appender.file.ImmediateFlush = true
log4cplus.appender.file.layout = log4cplus::PatternLayout
log4cplus.appender.file.layout.ConversionPattern = %D{{%Y-%m-%d %H:%M:%S.%q}} %5p: %m%n
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with recalling_lab(tmp_path_factory.mktemp("lab"), "archive") as lab:
        yield lab


@pytest.fixture(autouse=True)
def named(site: RunningSite, monkeypatch: pytest.MonkeyPatch) -> None:
    name_in_environment(site, monkeypatch)
    monkeypatch.setattr("dcmcfg.verify.receiver_options.LATE_ARRIVAL_WAIT_S", 0.8)


@pytest.fixture
def external(site: RunningSite) -> Iterator[None]:
    """The lab's own external archive, until the test ends."""
    with site.process("external"):
        yield


@contextmanager
def dcmtk(site: RunningSite, folder: Path, name: str, logging: Sequence[str | Path], *proposed: str) -> Iterator[None]:
    """dcmtk's archive as LONGTERM, which holds the study *name*; it is purged from the lab's archive."""
    purge(site.site, get_standard_study(name).uid)
    files = ObjectStore(folder / "files")
    knows = {"DCM4CHEE": site.archive}
    compressed = ("-xt", "+xt") if name == "jpeg-ls" else proposed
    sent_in = ("-xt",) if name == "jpeg-ls" else ("-xb",) if "+xb" in proposed else ()
    port = site.site.ports.external
    with dcmqrscp(folder, knows=knows, port=port, logging=logging, options=compressed) as external:
        sent = [files.save(each) for each in get_standard_study(name).instances]
        if "+xb" in proposed:
            for path in sent:
                subprocess.run(("/usr/bin/dcmconv", "+tb", path, path), check=True)
        done = storescu(external, sent, options=sent_in)
        assert done.returncode == 0, done.stderr
        yield


def verified(run: Run, name: str, log: Path, *options: str) -> dict[str, Any]:
    where = ("--dest", "WORKSTATION", "--receive", "--no-qido", "--external-log", str(log), "--json")
    verdict: dict[str, Any] = json.loads(
        run("verify", "--study", get_standard_study(name).uid, *where, *options).stdout
    )
    return verdict


def summaries(verdict: dict[str, Any]) -> list[tuple[object, ...]]:
    return [
        (
            leg["calling_ae_title"],
            leg["called_ae_title"],
            leg["evidence_source"],
            each["count"],
            each["transfer_syntax_uid"],
            each["status"],
        )
        for leg in verdict["legs"]
        for each in leg["summary"]
    ]


def test_dcmtks_log_shows_who_asked_and_how_many_were_stored(run: Run, site: RunningSite, tmp_path: Path) -> None:
    with dcmtk(site, tmp_path, "three", ("-v",)):
        verdict = verified(run, "three", tmp_path / "dcmqrscp.log")
    assert verdict["headline"].endswith("route shown")
    expected_line = "the external archive's log: C-MOVE from DCMCFG, Move Destination DCM4CHEE, 3 completed"
    assert verdict["route"]["reasons"][0] == expected_line
    assert summaries(verdict) == [
        ("LONGTERM", "DCM4CHEE", "LONGTERM's log", 3, None, 0),
        ("DCM4CHEE", "WORKSTATION", "our receiver", 3, EXPLICIT, 0),
    ]


def test_dcmtks_log_at_debug_has_the_transfer_syntax_of_the_files(run: Run, site: RunningSite, tmp_path: Path) -> None:
    with dcmtk(site, tmp_path, "jpeg-ls", ("-d",)):
        verdict = verified(run, "jpeg-ls", tmp_path / "dcmqrscp.log")
    assert verdict["headline"].endswith("route shown")
    (logged, received) = verdict["legs"]
    assert [each["file_transfer_syntax_uid"] for each in logged["stores"]] == [JPEG_LS] * 2
    assert [each["transfer_syntax_uid"] for each in received["stores"]] == [JPEG_LS] * 2
    assert not any("reached WORKSTATION in" in note for note in verdict["notes"])


def test_another_transfer_syntax_than_that_of_the_files_is_a_note(run: Run, site: RunningSite, tmp_path: Path) -> None:
    with dcmtk(site, tmp_path, "three", ("-d",), "+xb"):
        verdict = verified(run, "three", tmp_path / "dcmqrscp.log")
    assert verdict["verified"] is True
    assert (
        "3 instances reached WORKSTATION in the transfer syntax Explicit VR Little Endian, but LONGTERM stores them in "
        "Explicit VR Big Endian. Possible reasons: LONGTERM does not offer Explicit VR Big Endian, or an AE on the "
        "path does not accept Explicit VR Big Endian (see the transfer capabilities of the AEs in LDAP)"
    ) in verdict["notes"]


def test_implicit_in_place_of_explicit_little_endian_is_no_note(run: Run, site: RunningSite, tmp_path: Path) -> None:
    with dcmtk(site, tmp_path, "three", ("-d",), "-xi"):
        verdict = verified(run, "three", tmp_path / "dcmqrscp.log")
    (logged, received) = verdict["legs"]
    assert [each["file_transfer_syntax_uid"] for each in logged["stores"]] == [EXPLICIT] * 3
    assert [each["transfer_syntax_uid"] for each in received["stores"]] == [IMPLICIT] * 3
    assert not any("reached WORKSTATION in" in note for note in verdict["notes"])


def test_a_pattern_of_log_config_is_read(run: Run, site: RunningSite, tmp_path: Path) -> None:
    configuration, log = tmp_path / "logger.cfg", tmp_path / "file.log"
    configuration.write_text(PATTERN.format(file=log))
    with dcmtk(site, tmp_path, "three", ("-lc", configuration)):
        verdict = verified(run, "three", log)
    assert verdict["route"]["reasons"][0].endswith("C-MOVE from DCMCFG, Move Destination DCM4CHEE, 3 completed")
    assert all(each["time"] for each in verdict["legs"][0]["stores"])


def test_dcmtks_log_without_verbose_tells_nothing(run: Run, site: RunningSite, tmp_path: Path) -> None:
    with dcmtk(site, tmp_path, "three", ()):
        verdict = verified(run, "three", tmp_path / "dcmqrscp.log")
    assert any(" is unknown. Known formats: " in note for note in verdict["notes"])
    assert "the external archive's log was not read" in verdict["route"]["reasons"]


def test_the_log_of_another_archive_contradicts_nothing(
    run: Run, site: RunningSite, external: None, tmp_path: Path
) -> None:
    with dcmqrscp(tmp_path, ae_title="ELSEWHERE") as other:
        files = ObjectStore(tmp_path / "files")
        log = tmp_path / "dcmqrscp.log"
        purge(site.site, get_standard_study("one").uid)
        assert storescu(other, [files.save(each) for each in get_standard_study("one").instances]).returncode == 0
        verdict = verified(run, "one", log)
    assert verdict["verified"] is True
    assert verdict["route"]["finding"] != "contradicted"


def test_the_whole_report_on_a_study_in_jpeg_ls(run: Run, site: RunningSite, external: None, tmp_path: Path) -> None:
    purge(site.site, get_standard_study("jpeg-ls").uid)
    log, save_folder = str(site.site.external_move_log), tmp_path / "kept"
    options = ("--dest", "WORKSTATION", "--keep", str(save_folder), "--external-log", log, "--details")
    result = run("verify", "--study", get_standard_study("jpeg-ls").uid, *options)
    assert result.exit_code == 0, result.output
    ports = site.site.ports
    text = result.stdout.replace(str(ports.archive), "ARCHIVE").replace(str(ports.workstation), "PORT")
    text = re.sub(r"\d\d:\d\d:\d\d\.\d{3}", "HH:MM:SS.mmm", without_times(text.replace(str(save_folder), "KEPT")))
    text = re.sub(r"Implementation: .*", "Implementation: IMPLEMENTATION", text)
    stored = [str(each.SOPInstanceUID) for each in get_standard_study("jpeg-ls").instances]
    first, second = sorted(stored)
    kind = "CT Image Storage, JPEG-LS Lossless Image Compression, 0000"
    two = f"2 \N{MULTIPLICATION SIGN} {kind}"
    setting = "dcmExternalRetrieveAEDestination on device dcm4chee-arc"
    assert text == (
        f"""\
verified: 2 of 2 instances received by WORKSTATION; route shown

Study {get_standard_study("jpeg-ls").uid}
C-MOVE from DCMCFG to DCM4CHEE@127.0.0.1:ARCHIVE, Move Destination WORKSTATION
level STUDY, Study Root, priority medium
Implementation: IMPLEMENTATION
The external archive receives the calling AE title DCMCFG

Reported  0000 success: all sub-operations completed
          completed=2, failed=0, warning=0 (expected: 2)
Received  complete: 2 of 2 instances at WORKSTATION
          Caller: DCM4CHEE, Move Originator DCMCFG (as reported by the caller, not a proof)
          Receiver: WORKSTATION@127.0.0.1:PORT, listening since TIME
          Stored: 2 files in KEPT, each read back
Sent      LONGTERM → DCM4CHEE: {two} (LONGTERM's record)
            {first}: {kind}
            {second}: {kind}
          DCM4CHEE → WORKSTATION: {two} (our receiver)
            HH:MM:SS.mmm {first}: {kind}
            HH:MM:SS.mmm {second}: {kind}
          Stored: KEPT/{get_standard_study("jpeg-ls").uid}/{first}.dcm
          Stored: KEPT/{get_standard_study("jpeg-ls").uid}/{second}.dcm
Route     shown for 2 instances
          Configured: external archive → DCM4CHEE → WORKSTATION ({setting})
          - the external archive's log: C-MOVE from DCMCFG, Move Destination DCM4CHEE, 2 completed
          - before the C-MOVE, the archive's database had no local file for 2 instances
          - after the C-MOVE, the database also has files for 2 instances (recalled)
          - external archive according to the archive's database: LONGTERM
          - Instance Availability before the C-MOVE: NEARLINE, after the C-MOVE: NEARLINE
          - callers of the receiver: DCM4CHEE (as reported by the caller)
Note      the archive retrieved the study into its own storage. To verify the route again, use another study
"""
    )
