"""Debian's Orthanc as a peer: it lets in and knows only whom its configuration names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dcmcfg.dicom.peer import Peer
from tests.dicom.dcmtk import LOOPBACK, running

_NOTHING_BY_ITSELF = {f"DicomAlwaysAllow{service}": False for service in ("Echo", "Find", "Get", "Move", "Store")}


@contextmanager
def orthanc(
    folder: Path,
    ae_title: str,
    port: int,
    more: Mapping[str, str],
    option: str = "--verbose",
    *,
    checks_called: bool = True,
) -> Iterator[Peer]:
    """Run Orthanc as *ae_title*; *more* are files of its folder of configurations, by name. It keeps what it has.

    Its log is ``orthanc.log`` in *folder*; *option* says how much is in it. It may answer to any AE title, unless it
    *checks_called*.
    """
    configurations = folder / "configurations"
    configurations.mkdir(parents=True, exist_ok=True)
    basis = {
        "Name": ae_title,
        "DicomAet": ae_title,
        "DicomPort": port,
        "DicomCheckCalledAet": checks_called,
        "HttpServerEnabled": False,
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "Plugins": [],
        **_NOTHING_BY_ITSELF,
    }
    for name, text in {"basis.json": json.dumps(basis), **more}.items():
        (configurations / name).write_text(text)
    with running(["/usr/sbin/Orthanc", option, configurations], port, folder / "orthanc.log"):
        yield Peer(ae_title, LOOPBACK, port)
