"""How long ``dcmcfg verify --studies`` takes with 200 small studies, beside a shell loop of dcmtk's movescu.

Both ask the same archive, dcmtk's dcmqrscp, to send the same studies of two images; as it is installed, and without
Nagle's algorithm on either side of the loop, which makes movescu nine times as fast. movescu has them sent to dcmtk's
storescp, which forks and keeps nothing; dcmcfg to the same, and to its own receiver, where each UID is compared. dcmcfg
reads a real slapd, asks beforehand what each study holds, and has two records of each on the disk. Whole processes, in
turn.
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from archive_setup.archives import OTHER, WITNESS, Site, dcmqrscp, site
from archive_setup.programs import AS_INSTALLED, DCMTK, NO_DELAY, running, seconds_of
from archive_setup.rows import judged, row

from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.studies import StudyLocation, make_small_study

STUDIES, IMAGES = 200, 2
LIMIT = 0.3
SETTINGS: Mapping[str, Mapping[str, str]] = {"as installed": AS_INSTALLED, "without Nagle's algorithm": NO_DELAY}
LOOP = "shell loop of movescu"
OPTIONS: Mapping[str, Sequence[str]] = {
    "dcmcfg verify --studies, to storescp": ("--dest", OTHER),
    "dcmcfg verify --studies --receive": ("--dest", WITNESS, "--receive"),
}


def make_studies(folder: Path, studies: int) -> tuple[Sequence[Path], Path]:
    """Write the studies, and return their files and a list of their UIDs."""
    made = [make_small_study(f"bench-{number}", StudyLocation.LOCAL, IMAGES) for number in range(studies)]
    store = ObjectStore(folder / "files")
    for instance in (each for study in made for each in study.instances):
        store.save(instance)
    listed = folder / "studies.txt"
    listed.write_text("".join(f"{study.uid}\n" for study in made))
    return sorted(path for path in store.folder.rglob("*") if path.is_file()), listed


def loop(of: Site, listed: Path) -> Sequence[str]:
    """Return a shell that calls movescu for each study."""
    movescu = shlex.join(of.movescu("UID")).replace("StudyInstanceUID=UID", 'StudyInstanceUID="$uid"')
    return ("sh", "-ec", f"while read -r uid; do {movescu}; done < {shlex.quote(str(listed))}")


def verified_s(of: Site, listed: Path, studies: int, parallel: int, options: Sequence[str]) -> float:
    """Return the seconds that ``verify`` takes; raises :class:`AssertionError` unless every study has its yes."""
    command = of.verify("--studies", str(listed), "--parallel", str(parallel), "--again", "--json", *options)
    seconds, output = seconds_of(command, of.environment)
    told = json.loads(output)
    if not told["accepted"] or told["instances"] != studies * IMAGES:
        raise AssertionError(told["headline"])
    return seconds


def report(of: Site, listed: Path, environment: Mapping[str, str], given: argparse.Namespace) -> None:
    """Print the figures for one setting of dcmtk, each in turn in each run."""
    taken: dict[str, list[float]] = {name: [] for name in (LOOP, *OPTIONS)}
    for _ in range(given.runs):
        taken[LOOP].append(seconds_of(loop(of, listed), environment)[0])
        for name, options in OPTIONS.items():
            taken[name].append(verified_s(of, listed, given.studies, given.parallel, options))
    medians = {name: statistics.median(each) for name, each in taken.items()}
    print(row(LOOP, medians[LOOP]))
    for name in OPTIONS:
        print(judged(name, medians[name], medians[LOOP], "the loop", LIMIT))


def main() -> None:
    """Print the median of each, and how dcmcfg stands to the loop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1, help="of each; medians are shown")
    parser.add_argument("--studies", type=int, default=STUDIES)
    parser.add_argument("--parallel", type=int, default=4, help="associations of dcmcfg")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files, listed = make_studies(folder, given.studies)
        for number, (setting, environment) in enumerate(SETTINGS.items()):
            print(f"  {given.studies} studies of {IMAGES} images from dcmqrscp, {setting}:")
            with site(folder / str(number), dcmqrscp, environment, files) as of:
                other = (DCMTK / "storescp", "--fork", "--ignore", "-aet", OTHER, str(of.ports.storage))
                with running(other, OTHER, of.ports.storage, environment):
                    report(of, listed, environment, given)


if __name__ == "__main__":
    main()
