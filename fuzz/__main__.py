"""Run the targets on mutated seeds: ``python -m fuzz [TARGET]... [--seconds N] [--seed N]``.

An input that a target answers with anything but its declared errors, or not within a second, is kept in ``fuzz/found``,
and the exit code is 1. Inputs that led to an answer not seen before (another error, at another place) become seeds.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from fuzz.mutate import mutated
from fuzz.targets import TARGETS, Target, place

#: What an input of 64 KiB may take, in seconds of this process: a busy machine is no fault.
LIMIT_S = 1.0
_FOUND = Path(__file__).parent / "found"
_MOST_SEEDS = 5000


class TooSlow(Exception):
    """The time for one input is over."""


def fuzzed(name: str, target: Target, seconds: float, chance: random.Random) -> int:
    """Run *target* for *seconds*; returns how many kinds of failure were found, each kept in a file."""
    seeds = list(target.seeds())
    seen: set[str] = set()
    failures: dict[str, bytes] = {}
    runs = 0
    slowest = 0.0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        octets = seeds[runs] if runs < len(seeds) else mutated(chance.choice(seeds), seeds, chance)
        runs += 1
        began = time.process_time()
        answer, failed = answer_of(target, octets)
        took = time.process_time() - began
        slowest = max(slowest, took)
        if took > 2 * LIMIT_S:  # in one call to C, where no signal is heard
            answer, failed = "too slow", True
        if failed and answer not in failures:
            failures[answer] = octets
            keep(name, octets, answer)
        if answer not in seen and len(seeds) < _MOST_SEEDS:
            seen.add(answer)
            seeds.append(octets)
    told = f"{runs} inputs, {runs / seconds:.0f} a second, {len(seen)} kinds of answer, slowest {slowest * 1000:.0f} ms"
    print(f"{name}: {told}, {len(failures)} failures", flush=True)
    return len(failures)


def answer_of(target: Target, octets: bytes) -> tuple[str, bool]:
    """Return what *target* says to *octets* in short, and whether that is a failure."""
    signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
    try:
        return target.run(octets), False
    except target.errors as error:
        return place(error), False
    except TooSlow:
        return "too slow", True
    except Exception as error:  # noqa: BLE001 — whatever it is, it is what we look for
        return place(error), True
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def keep(name: str, octets: bytes, answer: str) -> None:
    """Write *octets* to a file of their own, and say where it is."""
    _FOUND.mkdir(exist_ok=True)
    file = _FOUND / f"{name}-{hashlib.sha256(octets).hexdigest()[:12]}"
    file.write_bytes(octets)
    print(f"{name}: {answer}: {file}", file=sys.stderr, flush=True)


def over(_number: int, _frame: FrameType | None) -> None:
    """Raise :class:`TooSlow`, as the handler of SIGPROF."""
    raise TooSlow


def main() -> int:
    """Run what the command line asks for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all when none is named")
    parser.add_argument("--seconds", type=float, default=60, help="for all targets together")
    parser.add_argument("--seed", type=int, default=None, help="of the random numbers; told when not given")
    asked = parser.parse_args()
    if unknown := set(asked.targets) - set(TARGETS):
        parser.error(f"no target {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    names = asked.targets or list(TARGETS)
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"--seed {seed}", flush=True)
    signal.signal(signal.SIGPROF, over)
    chance = random.Random(seed)
    return 1 if sum([fuzzed(name, TARGETS[name], asked.seconds / len(names), chance) for name in names]) else 0


if __name__ == "__main__":
    raise SystemExit(main())
