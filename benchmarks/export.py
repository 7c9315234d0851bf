"""What an export costs: of 100,000 entries beside ldapsearch and ldap3, of the default tree beside Python's start.

Whole processes, run in turn; use the ratio of the shortest times if other programs run on the machine.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from dcmcfg.lab.large_tree import generate_large_ldif
from dcmcfg.lab.slapd import Slapd

PASSWORD = "benchmark"
PROGRAM = (sys.executable, "-m", "dcmcfg")
DEFAULT_FILES = ("init-baseDN", "init-config", "default-config", "default-ui-config")
#: Search as ldap3 does it alone, in pages of 1000; the entries are thrown away.
LDAP3 = """
import sys, ldap3
host, port, user, password, base = sys.argv[1:]
server = ldap3.Server(host, port=int(port), get_info=ldap3.NONE)
with ldap3.Connection(server, user, password, check_names=False, auto_encode=False) as connection:
    cookie = None
    while cookie != b"":
        connection.search(base, "(objectClass=*)", attributes=["*"], paged_size=1000, paged_cookie=cookie)
        cookie = connection.result["controls"]["1.2.840.113556.1.4.319"]["value"]["cookie"]
"""


class Cost(NamedTuple):
    """Wall time and processor time in seconds, largest resident memory in MB."""

    wall: float
    processor: float
    memory: float


@contextmanager
def running(fill: Callable[[Slapd], None]) -> Iterator[Slapd]:
    """Run a server that *fill* has loaded, in a process of its own: what is spawned counts our memory as its own."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        slapd = Slapd(Path(folder), port=port, root_password=PASSWORD)
        slapd.prepare()
        loading = multiprocessing.get_context("fork").Process(target=fill, args=(slapd,))
        loading.start()
        loading.join()
        with slapd:
            yield slapd


def environment(slapd: Slapd) -> dict[str, str]:
    """Return what makes dcmcfg work on *slapd*."""
    return os.environ | {"DCMCFG_LDAP_URL": slapd.url, "DCMCFG_BIND_PASSWORD": PASSWORD}


def cheapest(commands: Mapping[str, tuple[str, ...]], runs: int, env: dict[str, str]) -> dict[str, Cost]:
    """Return the lowest cost of each command, run in turn; exit code 1 is an answer too."""
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            costs[name].append(cost(command, env))
    return {name: Cost(*map(min, zip(*each, strict=True))) for name, each in costs.items()}


def cost(command: tuple[str, ...], env: dict[str, str]) -> Cost:
    """Run *command* and return its cost."""
    begun = time.perf_counter()
    pid = os.posix_spawn(command[0], command, env, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - begun
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise subprocess.CalledProcessError(status, command)
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)


def large_tree(count: int, runs: int) -> None:
    """Print the cost of exporting *count* entries, and the ratios beside their limits."""
    with running(lambda slapd: slapd.load_ldif(generate_large_ldif(count))) as slapd:
        host, port = slapd.url.removeprefix("ldap://").split(":")
        identity = ("-x", "-H", slapd.url, "-D", slapd.root_dn, "-w", PASSWORD, "-b", slapd.suffix)
        commands = {
            "ldapsearch -LLL": ("/usr/bin/ldapsearch", "-LLL", *identity),
            "ldap3, paged": (sys.executable, "-c", LDAP3, host, port, slapd.root_dn, PASSWORD, slapd.suffix),
            "export-ldif": (*PROGRAM, "export-ldif"),
            "export-ldif, secrets too": (*PROGRAM, "export-ldif", "--with-secrets"),
        }
        found = cheapest(commands, runs, environment(slapd))
    print(f"{count} entries; the best of {runs} runs")
    show(found)
    ours = found["export-ldif"]
    print(f"  export : ldapsearch    {ours.wall / found['ldapsearch -LLL'].wall:6.2f}   (limit 4)")
    print(f"  export : ldap3 alone   {ours.wall / found['ldap3, paged'].wall:6.2f}   (limit 0.35)")
    print(f"  export, memory         {ours.memory:6.0f}   (limit 150 MB)")


def default_tree(upstream: Path, runs: int) -> None:
    """Print the cost of export and diff of the archive's default configuration beside that of Python's start."""
    files = [upstream / "5.33.1" / f"{name}.ldif" for name in DEFAULT_FILES]
    with running(lambda slapd: slapd.load_files(files)) as slapd:
        file = str(slapd.folder / "export.ldif")
        cost((*PROGRAM, "export-ldif", "-o", file), environment(slapd))
        commands = {
            "import click, ldap3": (sys.executable, "-c", "import click, ldap3"),
            "export-ldif": (*PROGRAM, "export-ldif"),
            "diff FILE": (*PROGRAM, "diff", file),
        }
        found = cheapest(commands, runs, environment(slapd))
    print(f"default configuration; the best of {runs} runs")
    show(found)
    floor = found["import click, ldap3"]
    for name, limit in (("export-ldif", 2.5), ("diff FILE", 4)):
        ours = found[name]
        print(
            f"  {name} : Python's start  {ours.wall / floor.wall:5.2f}   (limit {limit}; "
            f"of processor time {ours.processor / floor.processor:.2f})"
        )


def show(found: Mapping[str, Cost]) -> None:
    """Print the costs, one a line."""
    for name, each in found.items():
        print(f"  {name:<26} {each.wall:7.3f} s  {each.processor:7.3f} s of processor  {each.memory:6.0f} MB")


def main() -> None:
    """Measure both trees; the default one only where its files are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    large_tree(options.entries, options.runs)
    upstream = os.environ.get("DCMCFG_UPSTREAM")
    if upstream:
        default_tree(Path(upstream), 3 * options.runs)
    else:
        print("DCMCFG_UPSTREAM is not set: the default configuration is not measured")


if __name__ == "__main__":
    main()
