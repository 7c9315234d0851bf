"""Draw the picture of the page about maps in a lab of its own: ``python docs/draw_map.py``.

The script starts a lab, adds modalities and workstations with dcmcfg, writes ``docs/how-to/map.svg`` with ``dcmcfg
map``, and removes the lab. The picture is a real output: nothing in it is drawn by hand.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

_PICTURE = Path(__file__).parent / "how-to" / "map.svg"
_TYPES = {"CT": 3, "MR": 2, "US": 6, "DX": 4}
#: Commands that make the site of the lab a small hospital.
_SETUP = (
    "ae add READING1@reading1.example.org:104 --description 'Reading room 1'",
    "ae add READING2@reading2.example.org:104 --description 'Reading room 2'",
    "ae add VNA@vna.example.org:104 --role archive --description 'Archive of the region'",
    "set dcm4chee-arc dcmFallbackCMoveSCP=VNA",
    "set-external-retrieve DCM4CHEE",
    "set AE:WORKLIST dcmAcceptedCallingAETitle+=CT1 dcmAcceptedCallingAETitle+=CT2 dcmAcceptedCallingAETitle+=MR1",
)


def main() -> None:
    """Draw the picture."""
    with tempfile.TemporaryDirectory() as folder:
        kinds = ("CONFIG", "STATE", "DATA", "CACHE")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DCMCFG_")},
            **{f"XDG_{kind}_HOME": str(Path(folder, kind.lower())) for kind in kinds},
            "XDG_RUNTIME_DIR": folder,
            "DCMCFG_PROFILE": "lab",
        }
        _run(environment, "lab up")
        try:
            for kind, count in _TYPES.items():
                for number in range(1, count + 1):
                    name = f"{kind}{number}"
                    _run(environment, f"ae add {name}@{name.lower()}.example.org --role modality --yes --no-reload")
                    _run(environment, f"set {name.lower()} dicomPrimaryDeviceType={kind} --yes --no-reload")
            for command in _SETUP:
                _run(environment, f"{command} --yes --no-reload")
            _run(environment, f"map -o {shlex.quote(str(_PICTURE))}")
        finally:
            _run(environment, "lab down")


def _run(environment: dict[str, str], command: str) -> None:
    words = [sys.executable, "-m", "dcmcfg", *shlex.split(command)]
    subprocess.run(words, check=True, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 — the commands above


if __name__ == "__main__":
    main()
