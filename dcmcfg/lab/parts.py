"""The parts of a lab, in starting order."""

from __future__ import annotations

import sys

from dcmcfg.lab.site import LOOPBACK, Site
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.supervisor import LabPart
from dcmcfg.lab.tree import load_site_entries
from dcmcfg.ldif.writer import format_entry


def prepare_parts(site: Site, password: str) -> tuple[LabPart, ...]:
    """Load the site's directory, and return the parts, ready to start.

    The archive is the last part: it reads the directory when it starts, and its peers must be available then. Raises
    :class:`~dcmcfg.errors.LabError`, also if slapd is not installed.
    """
    slapd = Slapd(site.slapd_folder, port=site.ports.ldap, root_password=password)
    slapd.prepare()
    slapd.load_ldif(
        "".join(format_entry(entry) for entry in load_site_entries(site.ports)), source_name="the lab's tree"
    )
    ports = site.ports
    archive = f"DCM4CHEE@{LOOPBACK}"
    taking = f", tokens of {site.token_requirements.issuer}" if site.token_requirements else ""
    return (
        LabPart("slapd", site.ldap_url, slapd.command, ports.ldap),
        _make_python_part(site, "storage", f"STORESCP@{LOOPBACK}:{ports.storage}"),
        _make_python_part(site, "external", f"LONGTERM@{LOOPBACK}:{ports.external}"),
        _make_python_part(
            site,
            "archive",
            f"{archive}:{ports.archive}, {archive}:{ports.archive_tls} TLS, {site.archive_url}{taking}",
        ),
    )


def _make_python_part(site: Site, module: str, address: str) -> LabPart:
    """Return the part that runs ``dcmcfg.lab.<module>`` with this Python; -P makes it independent of the folder."""
    return LabPart(module, address, (sys.executable, "-P", "-u", "-m", f"dcmcfg.lab.{module}", str(site.folder)))
