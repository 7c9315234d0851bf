"""Create the certificates of a lab: its own CA, the archive, and a client.

Kept apart: only this module loads trustme.
"""

from __future__ import annotations

from pathlib import Path

import trustme

from dcmcfg.lab.site import LOOPBACK, Site

_PRIVATE = 0o600


def make_certificates(site: Site) -> None:
    """Write the CA certificate, certificates and private keys as PEM files into the site's folder.

    The CA's own key is not stored. The other keys are RSA keys, because the cipher suites of a stock archive require an
    RSA key of the called AE.
    """
    site.tls_folder.mkdir(mode=0o700)
    authority = trustme.CA()
    site.ca_certificate.write_bytes(authority.cert_pem.bytes())
    _write(
        authority.issue_cert(LOOPBACK, "localhost", common_name=site.device, key_type=trustme.KeyType.RSA),
        site.archive_certificate,
        site.archive_key,
    )
    _write(
        authority.issue_cert("dcmcfg", common_name="dcmcfg", key_type=trustme.KeyType.RSA),
        site.client_certificate,
        site.client_key,
    )


def _write(leaf: trustme.LeafCert, certificate: Path, key: Path) -> None:
    certificate.write_bytes(b"".join(each.bytes() for each in leaf.cert_chain_pems))
    # The file gets its mode before it holds the key.
    key.touch(mode=_PRIVATE)
    key.write_bytes(leaf.private_key_pem.bytes())
