"""How long ``dcmcfg import`` takes to plan 500 rows, and to probe 500 peers one by one and many at once.

Planning is from the octets of the file to the plan, on the lab's tree and on one of 15,000 entries, without server and
without the start of the program. Peers are SCPs in a process of their own, on 20 loopback addresses since one address
is called by one at a time: they answer at once, or as late as a device that has to wake up. A hundred silent ones take
connections and say nothing, half a second each.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at run time

from dcmcfg.connectivity.call import PeerEndpoint
from dcmcfg.connectivity.probe import DEFAULT_PARALLEL, PROBE_TIMEOUTS, probe_all
from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.files.trees import read_ldif_tree
from dcmcfg.lab.large_tree import generate_large_ldif
from dcmcfg.lab.tree import list_site_files
from dcmcfg.model.tree import Tree
from dcmcfg.onboard import onboard
from dcmcfg.onboarding.additions import CipherSuiteSource
from dcmcfg.onboarding.reader import SheetFileType, read_sheet
from dcmcfg.schema.definitions import load_bundled_schema

ROWS = 500
ADDRESSES = tuple(f"127.0.0.{number}" for number in range(1, 21))
SILENT = 100
LATE_S = 0.1
IMPATIENCE = DicomTimeouts(connect=0.5, acse=0.5, dimse=0.5, network=0.5)
SERVE = "--serve-port"


def forms() -> Iterator[tuple[str, SheetFileType, bytes]]:
    """Yield the same rows in each form, as (name, form, octets)."""
    rows = [(f"NEW{number}", f"new{number}.example.org", 104 + number % 20) for number in range(ROWS)]
    text = "".join(f"{title},{host},{port}\n" for title, host, port in rows)
    yield "CSV", SheetFileType.CSV, f"title,host,port\n{text}".encode()
    text = "".join(f"- title: {title}\n  host: {host}\n  port: {port}\n" for title, host, port in rows)
    yield "YAML", SheetFileType.YAML, text.encode()
    text = ",\n".join(f'"{title} room" : [ "{title}", "{host}", {port} ] // x' for title, host, port in rows)
    yield "Orthanc", SheetFileType.JSON, f'{{ "DicomModalities": {{\n{text.replace(" // x,", ", // x")}\n}} }}'.encode()


def planned(tree: Tree, form: SheetFileType, octets: bytes) -> float:
    """Return the seconds until there is a plan."""
    begun = time.perf_counter()
    found = onboard(tree, read_sheet("rows", octets, form).rows, CipherSuiteSource("dcm4chee-arc"))
    seconds = time.perf_counter() - begun
    if found.rejected or len(found.plan.steps) < 4 * ROWS:
        raise AssertionError("not every row was planned")
    return seconds


def report_planning(name: str, tree: Tree, runs: int) -> None:
    """Print rows per second in each form."""
    print(f"{ROWS} rows to a plan, {name}, {len(tree.entries):,} entries:")
    for kind, form, octets in forms():
        seconds = statistics.median(planned(tree, form, octets) for _ in range(runs))
        print(f"  {kind:<10} {seconds * 1000:8.1f} ms  {ROWS / seconds:9,.0f} rows/s")


def serve(port: int, seconds: float) -> None:
    """Answer C-ECHO *seconds* late at *port* of every address, until standard input ends."""
    entity = AE("BENCHMARK")
    entity.add_supported_context(Verification)
    entity.maximum_associations = 2 * len(ADDRESSES)

    def answer(_event: evt.Event) -> int:
        time.sleep(seconds)
        return 0x0000

    for address in ADDRESSES:
        entity.start_server((address, port), block=False, evt_handlers=[(evt.EVT_C_ECHO, answer)])
    print("ready", flush=True)
    sys.stdin.read()


@contextmanager
def served(seconds: float) -> Iterator[Sequence[PeerEndpoint]]:
    """Yield 500 peers that answer so late."""
    with socket.create_server((ADDRESSES[0], 0)) as free:
        port: int = free.getsockname()[1]
    command = [sys.executable, __file__, SERVE, str(port), "--late", str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None or process.stdin is None or process.stdout.readline() != "ready\n":
            raise RuntimeError("the peers did not start")
        yield [PeerEndpoint(Peer(f"AE{n}", ADDRESSES[n % len(ADDRESSES)], port)) for n in range(ROWS)]
        process.stdin.close()


@contextmanager
def silent() -> Iterator[Sequence[PeerEndpoint]]:
    """Yield 100 peers at sockets that say nothing."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server((each, 0), backlog=ROWS)) for each in ADDRESSES]
        where = [each.getsockname()[:2] for each in sockets]
        yield [PeerEndpoint(Peer(f"AE{n}", *where[n % len(where)])) for n in range(SILENT)]


def probed(callees: Sequence[PeerEndpoint], parallel: int, timeouts: DicomTimeouts, *, answering: bool) -> float:
    """Return the seconds until every verdict is known."""
    begun = time.perf_counter()
    verdicts = probe_all(callees, "DCM4CHEE", parallel=parallel, timeouts=timeouts)
    seconds = time.perf_counter() - begun
    if any(verdict.is_success != answering for verdict in verdicts):
        raise AssertionError(next(verdict.problem for verdict in verdicts if verdict.is_success != answering))
    return seconds


def report_probing(
    name: str, callees: Sequence[PeerEndpoint], timeouts: DicomTimeouts, parallel: int, *, answering: bool
) -> None:
    """Print how long 1 and *parallel* at once take, and the ratio."""
    alone = probed(callees, 1, timeouts, answering=answering)
    together = probed(callees, parallel, timeouts, answering=answering)
    print(f"{len(callees)} peers, {name}:")
    print(f"  1 at once  {alone:8.1f} s")
    print(f"  {parallel:<2} at once {together:8.1f} s  {alone / together:5.1f} times as fast")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of planning; medians are shown")
    parser.add_argument("--parallel", type=int, default=DEFAULT_PARALLEL, help="peers called at once")
    parser.add_argument("--late", type=float, default=LATE_S, help="seconds that a late peer takes to answer")
    parser.add_argument(SERVE, type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve_port is not None:
        serve(given.serve_port, given.late)
        return
    with TemporaryDirectory() as name:
        folder = Path(name)
        for number, file in enumerate(list_site_files()):
            (folder / f"{number}.ldif").write_bytes(file.read_bytes())
        report_planning("the lab's tree", read_ldif_tree(folder, load_bundled_schema()), given.runs)
        large = folder / "large"
        large.write_bytes(generate_large_ldif(15_000))
        report_planning("many devices", read_ldif_tree(large, load_bundled_schema()), given.runs)
    with served(0) as callees:
        report_probing("who answer at once", callees, PROBE_TIMEOUTS, given.parallel, answering=True)
    with served(given.late) as callees:
        report_probing(f"who answer after {given.late:g} s", callees, PROBE_TIMEOUTS, given.parallel, answering=True)
    with silent() as callees:
        report_probing("who keep silent for 0.5 s", callees, IMPATIENCE, given.parallel, answering=False)


if __name__ == "__main__":
    main()
