"""How associations are secured, as profile and environment say."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dcmcfg.errors import MalformedInput
from dcmcfg.settings.secret import Secret
from dcmcfg.settings.sources import Source, Sources

#: Settings of it; none is an option of every command, those that call peers have their own.
DICOM_TLS = ("tls_ca", "tls_cert", "tls_key", "tls_key_passphrase", "tls_key_passphrase_file")


@dataclass(frozen=True)
class DicomTls:
    """Whom to trust and what to show, PEM files all; ``key`` is None where it stands in the certificate's file."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    passphrase: Secret | None = field(default=None, repr=False)


NO_DICOM_TLS = DicomTls()


def resolve_dicom_tls(sources: Sources) -> DicomTls:
    """Return what *sources* say: whom to trust from the strongest that says so, the certificate and its key from one.

    Raises :class:`MalformedInput` for a key, or the passphrase of one, without the certificate that it belongs to.
    """
    shown = _strongest(sources, "tls_cert")
    for source in sources.others:
        for setting in DICOM_TLS[2:]:
            if setting in source.values and "tls_cert" not in source.values:
                raise MalformedInput(
                    "it goes with a certificate, and there is none beside it",
                    on=source.origin(setting),
                    next_step="set tls_cert in the same place",
                )
    trusted = _strongest(sources, "tls_ca")
    return DicomTls(
        trusted.path("tls_ca") if trusted else None,
        shown.path("tls_cert") if shown else None,
        shown.path("tls_key") if shown else None,
        shown.secret("tls_key_passphrase") if shown else None,
    )


def _strongest(sources: Sources, key: str) -> Source | None:
    return next((source for source in sources.others if key in source.values), None)
