"""500 rows with every kind of fault: what is good goes in, each of the others is named, and mended goes in too."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import CliSite
from tests.dicom.dcmtk import LOOPBACK
from tests.echo_scps import UNKNOWN_HOST, echo_scp, silent_listener
from tests.ports import free_port
from tests.sampling import LONG

pytestmark = pytest.mark.real

ROWS = 500 if LONG else 130
Cells = dict[str, str]
COLUMNS = ("title", "host", "port", "tls", "description", "role", "device")


class Peers:
    """What listens, and what does not."""

    def __init__(self, stack: ExitStack) -> None:
        self.addresses = [f"127.0.0.{number}" for number in range(1, 9)]
        self.any_title = stack.enter_context(echo_scp("ANY", addresses=self.addresses))
        self.one_title = stack.enter_context(echo_scp("ONLY", only=True))
        self.silent = stack.enter_context(silent_listener())
        self.refusing = free_port()


def good(peers: Peers, number: int) -> Cells:
    """One that answers, or a modality, which is not called: every tenth listens."""
    title = f"AE{number}"
    if number % 10:
        return {
            "title": title,
            "host": f"ae{number}.example.org",
            "role": "modality",
            "description": f"Room {number}, left",
        }
    address = peers.addresses[number // 10 % len(peers.addresses)]
    return {"title": title, "host": address, "port": str(peers.any_title), "role": "archive" if number % 20 else ""}


#: What is put into a good row that answers, and what is told of it then.
FAULTS: tuple[tuple[Callable[[Peers, int], Cells], str], ...] = (
    (lambda _p, _n: {"title": ""}, "the title is missing"),
    (lambda _p, n: {"title": f"TITLE_IS_TOO_LONG{n}"}, "not an AE title: the title has "),
    (lambda _p, n: {"title": f"A\\{n}"}, "the title contains a backslash"),
    (lambda _p, n: {"title": f"Ä{n}"}, "the title contains a control character or a non-ASCII character"),
    (lambda _p, n: {"title": f"A*{n}"}, "so the archive cannot find the AE"),
    (lambda _p, _n: {"host": ""}, "missing: host"),
    (lambda _p, _n: {"host": "no host"}, "not a host name or IP address"),
    (lambda _p, _n: {"port": ""}, "missing: port (optional only for a modality)"),
    (lambda _p, _n: {"port": "70000"}, "not a TCP port"),
    (lambda _p, _n: {"port": "1O4"}, "not a TCP port"),
    (lambda _p, _n: {"tls": "perhaps"}, "must be yes or no"),
    (lambda _p, _n: {"role": "printer"}, "unknown role"),
    (lambda _p, _n: {"description": "one\nAE,h,1"}, "check for a missing quotation mark"),
    (lambda _p, _n: {"device": 'a"b'}, "so the archive cannot load the device"),
    (
        lambda _p, _n: {"title": "STORESCP"},
        "storescp/STORESCP exists and differs: the address of the AE is ",
    ),
    (
        lambda _p, _n: {"title": "ORPHAN"},
        "the title ORPHAN is in the registry of unique AE titles, but no AE has this title",
    ),
    (lambda p, _n: {"port": str(p.refusing)}, "connection refused: nothing listens at this address"),
    (lambda _p, _n: {"host": UNKNOWN_HOST}, f"the host name {UNKNOWN_HOST} cannot be resolved"),
    (lambda p, _n: {"host": LOOPBACK, "port": str(p.one_title)}, "called AE title not recognised (1/1/7)"),
)


def faulty(peers: Peers) -> Iterator[tuple[Cells, str]]:
    """Rows with what is told of each."""
    for number in range(60):
        change, told = FAULTS[number % len(FAULTS)]
        single = {"STORESCP", "ORPHAN"} & set(change(peers, number).values())
        if number < len(FAULTS) or not single:
            yield good(peers, 1000 + 10 * number) | change(peers, number), told
    yield good(peers, 2000) | {"host": LOOPBACK, "port": str(peers.silent)}, "no answer to the association request"
    for port in ("104", "105", "106"):
        yield {"title": "TWICE", "host": "h", "port": port}, "this row and "


def text_of(rows: list[Cells]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def test_500_rows_with_every_kind_of_fault(
    run: Run, site: CliSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    orphan = "dicomAETitle=ORPHAN,cn=Unique AE Titles Registry,cn=DICOM Configuration,dc=dcm4che,dc=org"
    Path("orphan.ldif").write_text(f"dn: {orphan}\nobjectClass: dicomUniqueAETitle\ndicomAETitle: ORPHAN\n")
    assert run("apply", "orphan.ldif", "--yes").exit_code == 0
    before = site.octets()
    with ExitStack() as stack:
        peers = Peers(stack)
        bad = list(faulty(peers))
        fine = [good(peers, number) for number in range(ROWS - len(bad) - 2)]
        already = {"title": "DCM4CHEE", "device": "dcm4chee-arc"}
        rows = [already, *fine, fine[7]]  # one of them again
        step = len(rows) // len(bad)
        for place, (row, _) in enumerate(bad):
            rows.insert(1 + place * (step + 1), row)
        assert len(rows) == ROWS
        Path("many.csv").write_text(text_of(rows), "utf-8")

        result = run("import", "many.csv", "--probe", "--yes", "--json")
        content = json.loads(result.stdout)
        assert result.exit_code == 1, result.stderr[-2000:]
        assert [each["ae_title"] for each in content["rejected"]] == [row["title"] or None for row, _ in bad]
        for (_, reason), each in zip(bad, content["rejected"], strict=True):
            assert reason in each["reason"]
        assert f"{fine[7]['title']} is a duplicate of many.csv:" in result.stderr
        assert f"rejected: {len(bad) - 20} more rows" in result.stderr

        after = site.octets()
        devices = {dn for dn in after.keys() - before.keys() if dn.startswith("dicomDeviceName=")}
        assert {dn.partition(",")[0] for dn in devices} == {f"dicomDeviceName={row['title'].lower()}" for row in fine}
        assert len(after) - len(before) == 4 * len(fine)

        again = run("import", "many.csv", "--rejects", "again.csv", "--yes")
        assert again.exit_code == 1
        assert f"{len(fine) + 2} entries are unchanged" in again.stdout
        # Without --probe, what only did not answer goes in now.
        unanswered = sum("refused" in reason or "resolved" in reason or "(1/1/7)" in reason for _, reason in bad) + 1
        assert f"{4 * unanswered} to add" in again.stdout

        rejects = list(csv.DictReader(io.StringIO(Path("many.rejects.csv").read_text("utf-8"))))
        assert len(rejects) == len(bad)
        fixed_rows = [good(peers, 5000 + 10 * number) | {"reason": row["reason"]} for number, row in enumerate(rejects)]
        text = io.StringIO()
        writer = csv.DictWriter(text, (*COLUMNS, "reason"))
        writer.writeheader()
        writer.writerows(fixed_rows)
        Path("many.rejects.csv").write_text(text.getvalue(), "utf-8")
        last = run("import", "many.rejects.csv", "--probe", "--yes")
        assert (last.exit_code, f"{4 * len(bad)} to add, " in last.stdout) == (0, True), last.stderr
    for _ in range(3):
        assert run("undo", "--yes").exit_code == 0
    assert site.octets() == before
