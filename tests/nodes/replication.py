"""A real provider with a real consumer (RFC 4533) on loopback, and writes to the provider."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.directory.ldap import LdapDirectory, connect
from dcmcfg.directory.server import Directory
from dcmcfg.lab.slapd import Slapd
from tests import running_slapd
from tests.connecting import server_of
from tests.patience import comes_true
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd

#: The modes of the consumer: it follows each write, or only when it is started.
FOLLOWING, STANDING = 'refreshAndPersist retry="1 +"', 'refreshOnly interval=01:00:00:00 retry="1 +"'


@dataclass(frozen=True)
class Replication:
    provider: RunningSlapd
    consumer: RunningSlapd

    def open_provider(self) -> LdapDirectory:
        return connect(server_of(self.provider))

    def open_consumer(self) -> Directory:
        return connect(server_of(self.consumer))

    def modify(self, ldif: str, *, server: RunningSlapd | None = None) -> None:
        """Change the provider, or *server*, with ldapmodify."""
        path = self.provider.slapd.folder / "change.ldif"
        path.write_text(ldif, "utf-8")
        done = (server or self.provider).run_client("ldapmodify", "-f", str(path))
        assert done.returncode == 0, done.stderr

    def describe(self, dn: str, description: str, *, server: RunningSlapd | None = None) -> None:
        """Replace dicomDescription of the entry *dn*."""
        self.modify(
            f"dn: {dn}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: {description}\n",
            server=server,
        )

    def is_in_step(self) -> bool:
        return sorted(map(str, self.consumer.entries())) == sorted(map(str, self.provider.entries()))


@contextmanager
def replication(folder: Path, mode: str = FOLLOWING) -> Iterator[Replication]:
    """Run a provider with the lab's tree and a consumer in *mode*, which has got the tree."""
    provider = running_slapd.provider(folder / "provider")
    consumer = Slapd(
        folder / "consumer",
        port=free_port(),
        root_password=PASSWORD,
        extra_database=f"syncrepl rid=001 provider={provider.url} type={mode}\n"
        f'  searchbase="{provider.suffix}" bindmethod=simple binddn="{provider.root_dn}" credentials={PASSWORD}',
    )
    consumer.prepare()
    with provider, consumer:
        both = Replication(RunningSlapd(provider), RunningSlapd(consumer))
        suffix = ("-LLL", "-s", "base", "-b", both.provider.base_dn, "contextCSN")
        expected = both.provider.run_client("ldapsearch", *suffix).stdout
        assert comes_true(lambda: both.consumer.run_client("ldapsearch", *suffix).stdout == expected)
        assert both.is_in_step()
        yield both
