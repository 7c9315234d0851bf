"""Findings about entries at the lines of the LDIF files that hold them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dcmcfg.dn import DN, NormalDN
from dcmcfg.ldif.reader import read
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.ldif_files import STDIN
from dcmcfg.ldif_places import located
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.findings import Finding, Place


def placed(findings: Sequence[Finding], path: Path, schema: Schema) -> tuple[Finding, ...]:
    """Return *findings*, in their order, each at the line of its value in *path*, a file or a folder's ``*.ldif``.

    Those of standard input, or of a file that went meanwhile, have no place.
    """
    try:
        places = entry_places(path, schema, (each.dn for each in findings)) if str(path) != STDIN else {}
    except OSError:
        places = {}
    at_entries = [replace(each, place=places.get(schema.normal_dn(each.dn))) for each in findings]
    return tuple(located(at_entries, schema, {Path(place.file) for place in places.values()}))


def entry_places(path: Path, schema: Schema, dns: Iterable[DN]) -> Mapping[NormalDN, Place]:
    """Return the places of the entries *dns* in *path* by the normal form of the DN.

    The files are read again for that. Raises :class:`OSError` when one is gone.
    """
    wanted = {schema.normal_dn(dn) for dn in dns}
    found: dict[NormalDN, Place] = {}
    for file in sorted(path.glob("*.ldif")) if path.is_dir() else [path]:
        with file.open("rb") as source:
            for record in read(source, str(file)) if wanted else ():
                if isinstance(record, ContentRecord) and (key := schema.normal_dn(record.entry.dn)) in wanted:
                    found.setdefault(key, Place(str(file), record.line))
    return found
