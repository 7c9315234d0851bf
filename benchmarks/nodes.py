"""How much longer ``dcmcfg apply`` takes when the reload of a node is confirmed, and its replica is waited for.

Whole processes, in turn, on one lab: an archive of one node that reads a replica (syncrepl, refreshAndPersist). Each
run changes the description of the archive's AE, which ``GET /aets`` shows. Beside it stands a run that only reloads the
same archive, without replica and confirmation. ``POST ctrl/reload`` alone is the reload itself. Processor time is that
of dcmcfg; if other programs run on the machine, it is more reliable than the time on the clock.
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from dcmcfg.lab import lifecycle
from dcmcfg.lab.site import Site
from dcmcfg.settings import write_profile

AE = "dicomAETitle=DCM4CHEE,dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
#: Seconds beside a run that only reloads.
LIMIT_S = 0.2
ALONE = "POST ctrl/reload"
ONLY_RELOAD = "apply, reload only"
CONFIRMED = "apply, replica and confirmation"
MARKED = "apply, replica and --confirm marker"
#: Name → the profile, and the options of ``apply``.
RUNS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    ONLY_RELOAD: ("single", ("--confirm", "none")),
    "apply, replica": ("lab", ("--confirm", "none")),
    CONFIRMED: ("lab", ()),
    MARKED: ("lab", ("--confirm", "marker")),
}
#: On the clock, and of processor time.
Seconds = tuple[float, float]
_numbers = itertools.count()


def _read_processor_time() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def reload_alone(site: Site) -> Seconds:
    """Return the time of a reload; it needs no processor time of dcmcfg."""
    started = time.perf_counter()
    request = urllib.request.Request(f"{site.archive_url}/ctrl/reload", method="POST")
    with urllib.request.urlopen(request) as response:
        response.read()
    return time.perf_counter() - started, 0.0


def apply(name: str, folder: Path) -> Seconds:
    """Return the time of ``apply`` with the options of the run *name*, for a change of its own."""
    profile, options = RUNS[name]
    file = folder / "change.ldif"
    file.write_text(
        f"dn: {AE}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: text {next(_numbers)}\n-\n"
    )
    command = (sys.executable, "-m", "dcmcfg", "apply", str(file), "--yes", "--profile", profile, *options)
    started, processor_before = time.perf_counter(), _read_processor_time()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    seconds = time.perf_counter() - started, _read_processor_time() - processor_before
    if name in (CONFIRMED, MARKED) and "GET /" not in done.stdout:
        raise AssertionError(f"not confirmed: {done.stdout}")
    return seconds


def report(taken: Sequence[Mapping[str, Seconds]]) -> None:
    """Print the best of each on the clock and of processor time, and how they stand to a run that only reloads."""
    for number, kind in enumerate(("on the clock", "processor")):
        best = {name: min(one[name][number] for one in taken) for name in taken[0]}
        base = best[ONLY_RELOAD]
        print(f"one node, one replica, {kind}:")
        for name, value in best.items():
            if name == ALONE:
                print(f"  {name:<38} {value:7.3f} s")
                continue
            limit = f"    (limit {LIMIT_S:+.1f} s)" if name in (CONFIRMED, MARKED) else ""
            print(f"  {name:<38} {value:7.3f} s  {value - base:+.3f} s  {value / base:5.2f}{limit}")


def main() -> None:
    """Print the best of each, the differences and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="of each; the best are shown")
    runs: int = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in ("CONFIG", "STATE", "DATA", "CACHE"):
            os.environ[f"XDG_{kind}_HOME"] = str(folder / kind.lower())
        lab, _ = lifecycle.up(folder / "lab", lambda _: None, owner_pid=os.getpid(), replica_lag_s=0)
        try:
            site = lab.site
            write_profile(
                "single",
                {
                    "ldap_url": site.ldap_url,
                    "base_dn": site.base_dn,
                    "bind_dn": site.bind_dn,
                    "bind_password_file": str(site.password_file),
                    "device": site.device,
                    "archive_url": site.archive_url,
                },
            )
            taken = [{ALONE: reload_alone(site)} | {each: apply(each, folder) for each in RUNS} for _ in range(runs)]
        finally:
            lifecycle.down(folder / "lab")
    report(taken)


if __name__ == "__main__":
    main()
