"""How many instances of 512 KiB a second the receiver of ``verify`` takes, beside dcmtk's and pynetdicom's storescp.

One sender for all: one association, octets prepared beforehand, the next instance when the last one is answered. PDUs
are as long as the acceptor takes, up to 16 KiB as dcm4che sends them by default, and up to 128 KiB, which is as long as
dcmtk ever sends them. Each SCP is a process of its own. dcmtk receives without Nagle's algorithm: as it is
installed each of its answers waits 40 ms for an acknowledgement, so that it takes 22 instances a second. Rounds are
short, each SCP has its turn in each, and ratios are those of one round: medians. Processor time is that of the SCP.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from archive_setup.rows import verdict

from dcmcfg.dicom.peer import DicomTimeouts
from dcmcfg.dicom.storage.receiver import Receiver
from dcmcfg.lab.ports import choose_ports

OCTETS = 512 << 10
LOOPBACK, TITLE = "127.0.0.1", "STORESCP"
#: By full path: the virtual environment has programs of pynetdicom with the same names.
DCMTK = Path("/usr/bin/storescp")
LONGEST_PDUS = (16 << 10, 128 << 10)
WARM = 30
LIMIT = 1.0
_START_S = 20.0
_CT, _IMPLICIT, _UID = b"1.2.840.10008.5.1.4.1.1.2", b"1.2.840.10008.1.2", b"1.2.826.0.1.3680043.10.1.%012d"


# ---- the sender


def _item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def _request() -> bytes:
    syntaxes = _item(0x30, _CT) + _item(0x40, _IMPLICIT)
    user = _item(0x51, b"\0\0\0\0") + _item(0x52, b"1.2.826.0.1.3680043.10.2")
    body = struct.pack(">Hxx16s16s32x", 1, TITLE.encode().ljust(16), b"BENCHMARK".ljust(16))
    body += _item(0x10, b"1.2.840.10008.3.1.1.1") + _item(0x20, b"\1\0\0\0" + syntaxes) + _item(0x50, user)
    return struct.pack(">BxL", 1, len(body)) + body


def _element(group: int, number: int, value: bytes) -> bytes:
    padded = value + b"\0" * (len(value) % 2)
    return struct.pack("<HHL", group, number, len(padded)) + padded


def _command_set(uid: bytes) -> bytes:
    us = {0x0100: 1, 0x0110: 1, 0x0700: 0, 0x0800: 1}
    elements = {0x0002: _CT, **{tag: struct.pack("<H", value) for tag, value in us.items()}, 0x1000: uid}
    encoded = b"".join(_element(0, tag, value) for tag, value in elements.items())
    return _element(0, 0, struct.pack("<L", len(encoded))) + encoded


def _data_set(uid: bytes) -> bytes:
    head = _element(8, 0x16, _CT) + _element(8, 0x18, uid) + _element(0x10, 0x10, b"Bench^Mark")
    head += _element(0x20, 0xD, b"1.2.826.0.1.3680043.10.1") + _element(0x20, 0xE, b"1.2.826.0.1.3680043.10.1.1")
    values = {0x02: 1, 0x10: 512, 0x11: 512, 0x100: 16, 0x101: 16, 0x102: 15, 0x103: 0}
    image = b"".join(_element(0x28, tag, struct.pack("<H", value)) for tag, value in values.items())
    return head + image + _element(0x7FE0, 0x10, bytes(range(256)) * (OCTETS // 256))


def _pdus(content: bytes, longest: int, *, is_command: bool) -> Iterator[bytes]:
    room = longest - 6
    for start in range(0, len(content), room):
        piece = content[start : start + room]
        control = is_command + 2 * (start + room >= len(content))
        yield struct.pack(">BxLLBB", 4, len(piece) + 6, len(piece) + 2, 1, control) + piece


class Sender:
    """An association that has been accepted; PDUs are no longer than the acceptor and *longest* allow."""

    def __init__(self, port: int, longest: int) -> None:
        self._socket = socket.create_connection((LOOPBACK, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(_request())
        accepted = self._pdu(2)
        place = accepted.index(b"\x51\0\0\4") + 4
        self._longest = min(int.from_bytes(accepted[place : place + 4], "big") or longest, longest)
        self._number = 0

    def send(self, instances: int) -> float:
        """Return the seconds that *instances* take."""
        uid = _UID % 0
        pdus = (*_pdus(_command_set(uid), self._longest, is_command=True),)
        message = bytearray(b"".join((*pdus, *_pdus(_data_set(uid), self._longest, is_command=False))))
        first = message.index(uid)
        second = message.index(uid, first + 1)
        begun = time.perf_counter()
        for _ in range(instances):
            self._number += 1
            message[first : first + len(uid)] = message[second : second + len(uid)] = _UID % self._number
            self._socket.sendall(message)
            answer = self._pdu(4)
            if struct.pack("<HHLH", 0, 0x0900, 2, 0) not in answer:
                raise AssertionError("an instance was not taken")
        return time.perf_counter() - begun

    def release(self) -> None:
        """End the association."""
        self._socket.sendall(b"\5\0\0\0\0\4\0\0\0\0")
        self._pdu(6)
        self._socket.close()

    def _pdu(self, kind: int) -> bytes:
        head = self._socket.recv(6, socket.MSG_WAITALL)
        if head[:1] != bytes((kind,)):
            raise AssertionError(f"a PDU {head!r} where {kind} was expected")
        return self._socket.recv(int.from_bytes(head[2:], "big"), socket.MSG_WAITALL)


# ---- the receivers


@dataclass(frozen=True)
class Scp:
    """A storage SCP: its command, in which PORT and FOLDER stand for both."""

    name: str
    command: Sequence[str]
    is_ours: bool = False
    keeps: bool = False

    def run(self, port: int, folder: Path) -> subprocess.Popen[bytes]:
        words = [word.replace("PORT", str(port)).replace("FOLDER", str(folder)) for word in self.command]
        environment = os.environ | {"TCP_NODELAY": "1"}  # as dcmtk calls it
        return subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _ours(*options: str) -> Sequence[str]:
    return (sys.executable, __file__, "--serve-port", "PORT", *options)


def _dcmtk(*options: str) -> Sequence[str]:
    return (str(DCMTK), "--max-pdu", "131072", *options, "PORT")


def _pynetdicom(*options: str) -> Sequence[str]:
    return (sys.executable, "-m", "pynetdicom", "storescp", "--max-pdu", "131072", *options, "PORT")


DISCARDING = (
    Scp("dcmtk storescp --ignore", _dcmtk("--ignore")),
    Scp("pynetdicom storescp --ignore", _pynetdicom("--ignore")),
    Scp("verify --receive", _ours(), is_ours=True),
    Scp("verify --receive --json (SHA-256)", _ours("--sha256"), is_ours=True),
)
KEEPING = (
    Scp("dcmtk storescp", _dcmtk("-od", "FOLDER"), keeps=True),
    Scp("dcmtk storescp +B", _dcmtk("+B", "-od", "FOLDER"), keeps=True),
    Scp("pynetdicom storescp", _pynetdicom("-od", "FOLDER"), keeps=True),
    Scp("verify --keep", _ours("--keep", "FOLDER"), is_ours=True, keeps=True),
    Scp("verify --keep --json (SHA-256)", _ours("--keep", "FOLDER", "--sha256"), is_ours=True, keeps=True),
)


def serve(port: int, keep: Path | None, *, sha256: bool) -> None:
    """Receive until the process is ended."""
    with Receiver(TITLE, LOOPBACK, port, DicomTimeouts(), save_folder=keep, sha256=sha256):
        while True:
            time.sleep(60)


@contextmanager
def running(scp: Scp, folder: Path) -> Iterator[tuple[int, psutil.Process]]:
    """Yield port and process of *scp*."""
    port = choose_ports().storage
    process = scp.run(port, folder)
    try:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port)):
                break
            time.sleep(0.05)
        yield port, psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


class Course:
    """An SCP that runs, and what it has shown so far."""

    def __init__(self, scp: Scp, folder: Path, port: int, process: psutil.Process, longest: int) -> None:
        self.scp = scp
        self.rates: list[float] = []
        self._folder = folder
        self._process = process
        self._sender = Sender(port, longest)
        self._sender.send(WARM)
        self._instances = 0
        self._used_before = self._used()

    def go_on(self, instances: int) -> None:
        """Send so many."""
        self.rates.append(instances / self._sender.send(instances))
        self._instances += instances

    def end(self) -> float:
        """Return the microseconds of processor time for an instance; everything was kept that should be."""
        used = (self._used() - self._used_before) / self._instances * 1e6
        self._sender.release()
        kept = sum(each.is_file() for each in self._folder.rglob("*"))
        if self.scp.keeps and kept != self._instances + WARM:
            raise AssertionError(f"{self.scp.name} kept {kept} files of {self._instances + WARM}")
        return used

    def _used(self) -> float:
        times = self._process.cpu_times()
        return times.user + times.system


def report(scps: Sequence[Scp], longest: int, instances: int, rounds: int) -> None:
    """Print the figures of *scps*, and ours to the fastest of the others in the same round."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        courses = []
        for number, scp in enumerate(scps):
            folder = Path(name, str(number))
            folder.mkdir()
            courses.append(Course(scp, folder, *stack.enter_context(running(scp, folder)), longest))
        for _ in range(rounds):
            for course in courses:
                course.go_on(instances)
        others = [course.rates for course in courses if not course.scp.is_ours]
        fastest = [max(rates) for rates in zip(*others, strict=True)]
        for course in courses:
            ratios = [ours / other for ours, other in zip(course.rates, fastest, strict=True)]
            ratio = statistics.median(ratios)
            told = f"{ratio:6.2f} {verdict(LIMIT, is_met=ratio >= LIMIT)}" if course.scp.is_ours else ""
            print(f"  {course.scp.name:<34} {statistics.median(course.rates):7,.0f} /s  {course.end():6,.0f} µs{told}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21, help="medians are shown")
    parser.add_argument("--instances", type=int, default=100, help="in each round; a quarter where they are kept")
    parser.add_argument("--serve-port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--sha256", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--keep", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve_port is not None:
        serve(given.serve_port, given.keep, sha256=given.sha256)
        return
    if not DCMTK.exists():
        print(f"{DCMTK} is not there: nothing to compare with")
        return
    for longest in LONGEST_PDUS:
        for what, scps, instances in (
            ("nothing kept", DISCARDING, given.instances),
            ("as files", KEEPING, given.instances // 4),
        ):
            print(f"{what}, PDUs of {longest >> 10} KiB (rate, processor time, to the fastest other):")
            report(scps, longest, instances, given.rounds)


if __name__ == "__main__":
    main()
