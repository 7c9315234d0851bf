"""Where entries stand in LDIF files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from dcmcfg.dn import DN, NormalDN
from dcmcfg.ldif.reader import read
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.findings import Place


def entry_places(path: Path, schema: Schema, dns: Iterable[DN]) -> Mapping[NormalDN, Place]:
    """Return the places of the entries *dns* in *path*, a file or a folder's ``*.ldif``, by the normal form of the DN.

    The files are read again for that, so standard input has no places. Raises :class:`OSError` when a file is gone.
    """
    wanted = {schema.normal_dn(dn) for dn in dns}
    found: dict[NormalDN, Place] = {}
    for file in sorted(path.glob("*.ldif")) if path.is_dir() else [path]:
        with file.open("rb") as source:
            for record in read(source, str(file)) if wanted else ():
                if isinstance(record, ContentRecord) and (key := schema.normal_dn(record.entry.dn)) in wanted:
                    found.setdefault(key, Place(str(file), record.line))
    return found
