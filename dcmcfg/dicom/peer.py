"""The address of a peer, and time-outs."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, fields

from dcmcfg.errors import MalformedInput


@dataclass(frozen=True)
class Peer:
    """A DICOM application entity at its address; ``str()`` is ``AET@host:port``.

    ``address_source`` is the source of the address, such as an option; ``""`` if it comes from LDAP.
    ``connection_name`` is then the name of its connection for ``connection set``, ``""`` if that is unknown. Raises
    :class:`MalformedInput` for an empty host or a port outside 1 to 65535.
    """

    ae_title: str
    host: str
    port: int
    address_source: str = field(default="", compare=False, repr=False)
    _: KW_ONLY
    connection_name: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.host:
            raise MalformedInput("the host is missing", subject=str(self))
        if not 1 <= self.port <= 65535:
            raise MalformedInput("not a TCP port", subject=str(self), next_step="use a port from 1 to 65535")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.ae_title}@{host}:{self.port}"


@dataclass(frozen=True)
class DicomTimeouts:
    """Time-outs in seconds.

    ``connect`` applies to the TCP connection, ``acse`` to the answer to an association request or release, ``dimse`` to
    the next response to a request, and ``network`` to any octet on an idle association. The archive's own
    dcmRetrieveTimeout is 300 s on a stock installation. The last two are longer, so that a slow recall from tape ends
    with the archive's response. Raises :class:`MalformedInput` for a value that is not above zero.
    """

    connect: float = 10
    acse: float = 30
    dimse: float = 360
    network: float = 360

    def __post_init__(self) -> None:
        for item in fields(self):
            seconds = getattr(self, item.name)
            # A comparison with NaN is always false, so `seconds <= 0` would accept it.
            if not seconds > 0:
                raise MalformedInput(f"the {item.name} time-out must be above zero", subject=f"{seconds} s")
