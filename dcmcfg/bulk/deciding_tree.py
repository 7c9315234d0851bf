"""What of the tree decides how a C-MOVE goes, as one checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from dcmcfg.devices import Configuration
from dcmcfg.edits.temporary_destination import DESTINATIONS, PREFIX
from dcmcfg.entry import Attribute, Entry
from dcmcfg.export import export_record, exported
from dcmcfg.verify.addresses import Addresses
from dcmcfg.verify.evidence import Question


def deciding_tree(configuration: Configuration, device: str, addresses: Addresses, question: Question) -> str:
    """Return the SHA-256 of the entries that decide, in hexadecimal; the same for equal ones, without their secrets.

    They are those of the archive's *device*, and of each device with an AE that asks, is sent to, or may be asked by
    the archive: of the rest of its tree a hospital changes something each day. What another run adds for a temporary
    destination of its own counts for nothing. Raises :class:`~dcmcfg.errors.NotFound` for the *device*.
    """
    asks = (title for pair in addresses.route.asks for title in pair)
    titles = {question.destination, question.calling, *asks}
    others = {ae.device.name for ae in configuration.network_aes() if ae.title in titles}
    archive = configuration.device(device).name
    digest = hashlib.sha256()
    for name in (archive, *sorted(others - {archive})):
        for entry in exported(configuration.tree, name):
            lasting = Entry(entry.dn, tuple(_lasting(entry)))
            digest.update(export_record(lasting, with_secrets=False).encode())
    return digest.hexdigest()


def _lasting(entry: Entry) -> Iterator[Attribute]:
    """Yield the attributes of *entry* without the titles of temporary destinations."""
    for attribute in entry.attributes:
        values = attribute.values
        if attribute.name.lower() == DESTINATIONS.lower():
            values = tuple(value for value in values if not value.startswith(PREFIX.encode()))
        yield Attribute(attribute.name, values)
