"""TLS options for associations that dcmcfg requests or accepts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from dcmcfg.cli.options.site_command import option_group, section_option
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.terminal import prompt_hidden
from dcmcfg.dicom.tls import TlsFiles
from dcmcfg.errors import DicomError
from dcmcfg.settings import Secret, Settings
from dcmcfg.settings.exposure import find_key_exposures, find_secret_exposures

R = TypeVar("R")
_FILE = click.Path(path_type=Path)
#: Options for incoming associations over TLS; outgoing ones use these and ``--tls-any-host``.
_SHARED_OPTIONS = ("tls_ca", "tls_cert", "tls_key", "tls_key_passphrase_file")
_CALL_OPTIONS = ("tls_any_host", *_SHARED_OPTIONS)


@dataclass(frozen=True, kw_only=True)
class TlsOptions:
    """The TLS options; raises :class:`click.UsageError` for a key or passphrase without ``--tls-cert``."""

    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_key_passphrase_file: Path | None = None
    tls_any_host: bool = False

    def __post_init__(self) -> None:
        certificate_options = {"--tls-key": self.tls_key, "--tls-key-passphrase-file": self.tls_key_passphrase_file}
        for option, value in certificate_options.items():
            if value is not None and self.tls_cert is None:
                raise click.UsageError(f"{option} requires --tls-cert")

    @property
    def is_given(self) -> bool:
        """Whether at least one option was given."""
        return self != TlsOptions()

    def refuse_unused(self, *, calls_with_tls: bool, receives_with_tls: bool = False) -> None:
        """Raise :class:`click.UsageError` for an unused option, because without TLS nothing is verified.

        ``calls_with_tls`` is true if dcmcfg requests an association over TLS, ``receives_with_tls`` if it accepts one.
        Environment and profile are not checked, because they apply to the whole site.
        """
        used = _CALL_OPTIONS if calls_with_tls else _SHARED_OPTIONS if receives_with_tls else ()
        unused = next((each for each in _CALL_OPTIONS if getattr(self, each) and each not in used), None)
        if unused is not None:
            option = f"--{unused.replace('_', '-')}"
            raise click.UsageError(f"{option} requires --tls: without TLS, dcmcfg verifies no certificate")

    def get_tls_files(self, settings: Settings) -> TlsFiles:
        """Return the TLS files for associations: from the options, else environment and profile, else ``--ca-file``.

        Warns of a private key or a passphrase that others can read.
        """
        dicom_tls = settings.dicom_tls
        certificate, key, passphrase = dicom_tls.certificate_file, dicom_tls.key_file, dicom_tls.passphrase
        # A certificate from the command line replaces key and passphrase too, because they belong together.
        if self.tls_cert is not None:
            certificate, key = self.tls_cert, self.tls_key
            option = "--tls-key-passphrase-file"
            passphrase = Secret(option, path=self.tls_key_passphrase_file) if self.tls_key_passphrase_file else None
        if certificate is not None:
            exposed_file = key or certificate  # without a key file, the certificate file contains the key
            for warning in (*find_key_exposures(exposed_file), *find_secret_exposures(passphrase, "passphrase")):
                print_message(f"warning: {warning}")
        return TlsFiles(
            self.tls_ca or dicom_tls.ca_file or settings.ca_file,
            certificate,
            key,
            _make_passphrase_reader(passphrase, key or certificate),
            check_host=not self.tls_any_host,
            require_crl=settings.require_crl,
        )


def _make_passphrase_reader(passphrase: Secret | None, key_file: Path | None) -> Callable[[], str]:
    """Return the function that OpenSSL calls if the key in *key_file* is encrypted."""

    def read_passphrase() -> str:
        if passphrase is not None:
            return passphrase.read()
        if not sys.stdin.isatty():
            raise DicomError(
                "the private key is protected by a passphrase",
                subject=str(key_file),
                next_step="specify a file with the passphrase of the key: --tls-key-passphrase-file FILE",
            )
        return prompt_hidden(f"Passphrase of {key_file}")

    return read_passphrase


_option = section_option("DICOM TLS")


def over_tls_option(help_text: str) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Return the decorator of the flag ``--tls``, whose parameter is ``over_tls``."""
    return _option("--tls", "over_tls", is_flag=True, help=help_text)


tls_options = option_group(
    "tls",
    TlsOptions,
    [
        _option(
            "--tls-ca",
            type=_FILE,
            metavar="FILE",
            help="CA certificates (PEM) for verifying peers. Default: the file of --ca-file.",
        ),
        _option("--tls-cert", type=_FILE, metavar="FILE", help="Certificate (PEM) to present in associations."),
        _option(
            "--tls-key",
            type=_FILE,
            metavar="FILE",
            help="Private key (PEM) of the certificate. Default: the key in the file of --tls-cert.",
        ),
        _option(
            "--tls-key-passphrase-file",
            type=_FILE,
            metavar="FILE",
            help="File that contains the passphrase of the private key.",
        ),
        _option(
            "--tls-any-host",
            is_flag=True,
            help="Do not check the host name in the certificate. Accept any certificate of the CA.",
        ),
    ],
)
