"""The parts of a lab, in starting order."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import replace

from dcmcfg.lab.config_slapd import ConfigSlapd
from dcmcfg.lab.release_site import read_release_site
from dcmcfg.lab.site import LOOPBACK, Site
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.supervisor import LabPart
from dcmcfg.lab.tree import load_site_entries
from dcmcfg.ldif.writer import format_entry

#: Makes a slapd in a folder, with the options of :class:`Slapd`.
_SlapdMaker = Callable[..., Slapd]


def prepare_parts(site: Site, password: str, config_password: str = "") -> tuple[LabPart, ...]:
    """Load the site's directory, and return the parts, ready to start.

    The archive is the last part: it reads the directory when it starts, and its peers must be available then.
    *config_password* is for a site that was installed with a release. Raises :class:`~dcmcfg.errors.LabError`, also if
    slapd is not installed.
    """
    if site.release is not None:
        installed = read_release_site(site.release, site.ports)
        entries = installed.entries
        make_slapd: _SlapdMaker = functools.partial(
            ConfigSlapd, schema_files=installed.schema_files, config_password=config_password
        )
    else:
        entries, make_slapd = load_site_entries(site.ports), Slapd
    slapd = make_slapd(
        site.slapd_folder,
        port=site.ports.ldap,
        root_password=password,
        modules=("syncprov",) if site.replica_lag_s is not None else (),
        extra_database="overlay syncprov" if site.replica_lag_s is not None else "",
    )
    slapd.prepare()
    slapd.load_ldif("".join(map(format_entry, entries)), source_name="the lab's tree")
    ports = site.ports
    return (
        LabPart("slapd", site.ldap_url, slapd.command, ports.ldap),
        *(_prepare_replica(each, slapd, make_slapd, password) for each in site.nodes if site.replica_lag_s is not None),
        _make_python_part(site, "storage", f"STORESCP@{LOOPBACK}:{ports.storage}"),
        _make_python_part(site, "external", f"LONGTERM@{LOOPBACK}:{ports.external}"),
        *map(_make_archive_part, site.nodes),
    )


def _prepare_replica(node: Site, provider: Slapd, make_slapd: _SlapdMaker, password: str) -> LabPart:
    """Prepare the replica that *node* reads: that of node 1 follows at once, the others after some time."""
    lag_s = node.replica_lag_s or 0
    hours, rest = divmod(lag_s, 3600)
    interval = f"{hours:02}:{rest // 60:02}:{rest % 60:02}"
    # A replica in refreshOnly mode polls its provider; the interval of 0 seconds would not.
    mode = "refreshAndPersist" if node.node == 1 or not lag_s else f"refreshOnly interval=00:{interval}"
    replica = make_slapd(
        node.replica_folder,
        port=node.ports.ldap,
        address=node.replica_address,
        root_password=password,
        extra_database=f'syncrepl rid={node.node:03} provider={provider.url} type={mode} retry="1 +"\n'
        f'  searchbase="{provider.suffix}" bindmethod=simple binddn="{provider.root_dn}" credentials={password}\n'
        f"updateref {provider.url}",
    )
    replica.prepare()
    return LabPart(f"replica-{node.node}", node.node_ldap_url, replica.command, node.ports.ldap)


def _make_archive_part(node: Site) -> LabPart:
    archive = f"DCM4CHEE@{node.node_address}"
    taking = f", tokens of {node.token_requirements.issuer}" if node.token_requirements else ""
    address = f"{archive}:{node.ports.archive}, {archive}:{node.ports.archive_tls} TLS, {node.archive_url}{taking}"
    part = _make_python_part(node, "archive", address)
    if node.node == 1:
        return part
    return replace(part, name=f"archive-{node.node}", command=(*part.command, str(node.node)))


def _make_python_part(site: Site, module: str, address: str) -> LabPart:
    """Return the part that runs ``dcmcfg.lab.<module>`` with this Python; -P makes it independent of the folder."""
    return LabPart(module, address, (sys.executable, "-P", "-u", "-m", f"dcmcfg.lab.{module}", str(site.folder)))
