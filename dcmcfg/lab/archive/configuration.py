"""A device as the archive loads it: AEs and connections with the settings that the simulation uses."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field

from dcmcfg.dn import NormalDN
from dcmcfg.lab.archive.loaded_lists import LoadedLists


@dataclass(frozen=True)
class Connection:
    """A network connection; ``dn`` is a normal form, time-outs are in seconds, None for no limit."""

    dn: NormalDN
    host: str
    port: int | None
    _: KW_ONLY
    installed: bool
    bind_address: str | None = None
    protocol: str = "DICOM"
    cipher_suites: tuple[str, ...] = ()
    tls_versions: tuple[str, ...] = ()
    needs_client_certificate: bool = True
    retrieve_timeout_s: float | None = None
    store_timeout_s: float | None = None
    accept_timeout_s: float | None = None

    @property
    def tls(self) -> bool:
        """Whether the connection uses TLS."""
        return bool(self.cipher_suites)

    def is_compatible(self, other: Connection) -> bool:
        """Return whether the connections are compatible: both plain, or both TLS with common version and suite."""
        if self.protocol != other.protocol or self.tls != other.tls:
            return False
        # Names are compared as text: the archive knows Java names only.
        suites = set(self.cipher_suites).intersection(other.cipher_suites)
        return not self.tls or bool(suites and set(self.tls_versions).intersection(other.tls_versions))

    def needs_rebind(self, previous: Connection) -> bool:
        """Return whether the change from *previous* requires binding the listener again (``Connection``)."""
        return self._listener_settings != previous._listener_settings

    @property
    def _listener_settings(self) -> tuple[object, ...]:
        address = (self.host, self.bind_address, self.port, self.installed, self.protocol)
        return (*address, self.cipher_suites, self.tls_versions, self.needs_client_certificate)


@dataclass(frozen=True)
class TransferCapability:
    """A SOP class with its role (``SCU`` or ``SCP``) and transfer syntaxes; ``*`` first means any."""

    sop_class: str
    role: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True)
class NetworkAE:
    """A network AE; settings include the values inherited from the device."""

    title: str
    _: KW_ONLY
    installed: bool
    acceptor: bool
    connections: tuple[Connection, ...]
    other_titles: tuple[str, ...] = ()
    accepted_calling_ae_titles: tuple[str, ...] = ()
    accepted_destinations: tuple[str, ...] = ()
    external_retrieve_destination: str | None = None
    alternative_move_scp: str | None = None
    fallback_move_scp: str | None = None
    fallback_destination: str | None = None
    fallback_calling_ae_title: str | None = None
    fallback_retries: int = 0
    restrict_retrieve_silently: bool = False
    send_pending_interval_s: float | None = None
    return_retrieve_aets: tuple[str, ...] = ()
    retrieve_aets: tuple[str, ...] = ()
    object_storages: tuple[str, ...] = ()
    qido_max_results: int = 0
    query_max_results: int = 0
    capabilities: tuple[TransferCapability, ...] = ()

    def find_transfer_syntaxes(self, sop_class: str, role: str) -> tuple[str, ...] | None:
        """Return the listed transfer syntaxes for *sop_class* as *role*: only ``*`` for any, None if not listed."""
        listed = [each for each in self.capabilities if (each.sop_class, each.role) == (sop_class, role)]
        if not listed:
            return None
        # The archive treats ``*`` as a wild card only in first place.
        accepts_any = any(each.transfer_syntaxes[:1] == ("*",) for each in listed)
        return ("*",) if accepts_any else tuple(syntax for each in listed for syntax in each.transfer_syntaxes)

    @property
    def has_scp_capabilities(self) -> bool:
        """Whether the AE lists any SOP class as SCP and therefore rejects SOP classes that are not listed."""
        return any(each.role == "SCP" for each in self.capabilities)


@dataclass(frozen=True)
class WebApplication:
    """A web application of the device: the ``path`` of its URLs and its service classes (``QIDO_RS`` …)."""

    path: str
    services: frozenset[str]


@dataclass(frozen=True)
class Device:
    """A device with its AEs and the settings that only a device has; times in seconds, None for not set."""

    name: str
    connections: tuple[Connection, ...]
    aes: tuple[NetworkAE, ...]
    _: KW_ONLY
    ae_cache_stale_timeout_s: float | None = None
    external_availability: str | None = None
    storages: frozenset[str] = frozenset()
    move_scp_of_store_scu: tuple[tuple[str, str], ...] = ()
    web_applications: tuple[WebApplication, ...] = ()
    lists: LoadedLists = field(default_factory=LoadedLists)

    def has_service(self, path: str, service: str) -> bool:
        """Return whether *path* begins with the path of a web application of the class *service*."""
        return any(service in each.services and path.startswith(each.path) for each in self.web_applications)

    def find_ae(self, title: str) -> NetworkAE | None:
        """Return the AE with exactly this title, or None."""
        return next((each for each in self.aes if each.title == title), None)

    def find_called_ae(self, title: str) -> NetworkAE | None:
        """Return the AE that accepts associations for *title*: by its own title, else ``*``, else dcmOtherAETitle.

        Same as ``AssociationHandler`` and ``Device.getApplicationEntity``.
        """
        others = (each for each in self.aes if title in each.other_titles)
        return self.find_ae(title) or self.find_ae("*") or next(others, None)
