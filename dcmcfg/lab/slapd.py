"""A disposable slapd: the OpenLDAP installation of this machine, run in its own folder without root."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import psutil

from dcmcfg.errors import LabError
from dcmcfg.lab.site import LOOPBACK
from dcmcfg.private_folders import create_private_folder
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.slapd import format_slapd_schema

#: Folders of slapd in distributions; a user's PATH does not always contain them.
_PROGRAM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/lib/openldap", "/opt/openldap/libexec")
#: Folders of dynamically loaded back-ends in distributions (Debian, Fedora and SUSE, Alpine).
_MODULE_FOLDERS = ("/usr/lib/ldap", "/usr/lib64/openldap", "/usr/lib/openldap", "/usr/libexec/openldap")


def find_program(program: str, install_command: str) -> Path:
    """Return the path of *program*; raises :class:`LabError` with *install_command* if it is not installed."""
    search_path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_PROGRAM_FOLDERS])
    path = shutil.which(program, path=search_path)
    if path is None:
        raise LabError("is not installed", subject=program, next_step=f"to install it: {install_command}")
    return Path(path)


def copy_program(source: Path, target: Path) -> None:
    """Copy *source* to *target* unless the copy exists: a running program cannot be overwritten."""
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return
    fresh = target.with_suffix(".new")
    shutil.copy(source, fresh)
    fresh.replace(target)


def make_module_lines(*names: str) -> Iterator[str]:
    """Yield the configuration lines that load the back-ends *names*, if they are modules and not built in."""
    for folder in map(Path, _MODULE_FOLDERS):
        present = [name for name in names if (folder / f"{name}.so").exists() or (folder / f"{name}.la").exists()]
        if present:
            yield f"modulepath {folder}"
            yield from (f"moduleload {name}" for name in present)
            return


#: A simple bind without name and password (RFC 4511 §4.2).
_ANONYMOUS_BIND = bytes.fromhex("300c020101600702010304008000")
_DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL", "--")
_START_TIMEOUT_S = 10.0
_STOP_TIMEOUT_S = 5.0
#: The default of back-mdb, 10 MB, is too small for large trees (slapd-mdb(5)).
_MAX_DATABASE_BYTES = 256 * 1024 * 1024


class Slapd:
    """A slapd on loopback, with configuration, database and log in *folder*.

    Call ``prepare``, then ``load_files`` if needed, then ``start``; a context manager starts and stops it. It runs a
    copy of the slapd binary, because Ubuntu's AppArmor profile applies by path and allows only the service's folders.

    It ends together with the *thread* that started it (PR_SET_PDEATHSIG, prctl(2)), so start it from the main thread.
    Anonymous searches return at most 500 entries, as on a stock server; *root_dn* has no limit. *modules* are loaded,
    unless they are built in.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        root_password: str,
        suffix: str = "dc=dcm4che,dc=org",
        root_dn: str = "cn=admin,dc=dcm4che,dc=org",
        database: Literal["mdb", "ldif"] = "mdb",
        extra_global: str = "",
        extra_database: str = "",
        modules: tuple[str, ...] = (),
        address: str = LOOPBACK,
    ) -> None:
        self.folder = folder.absolute()
        self.port = port
        self.address = address
        self.modules = modules
        self.root_password = root_password
        self.suffix = suffix
        self.root_dn = root_dn
        self.database = database
        self.extra_global = extra_global
        self.extra_database = extra_database
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"ldap://{self.address}:{self.port}"

    @property
    def database_folder(self) -> Path:
        """The folder of the database; while slapd is stopped, its files can be copied to another slapd's folder."""
        return self.folder / "database"

    @property
    def log_file(self) -> Path:
        return self.folder / "slapd.log"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process ID while slapd is running, else None."""
        return self._process.pid if self._process is not None and self.is_running else None

    @property
    def command(self) -> tuple[str, ...]:
        """The command line of the prepared server, for running it without :meth:`start`."""
        return self._command("-h", self.url, "-d", "none")

    def prepare(self) -> None:
        """Write the configuration (mode 0600, because it contains the password) and check it with slapd.

        An existing database is not changed. Raises :class:`LabError`, also if slapd is not installed.
        """
        source = find_program("slapd", "apt-get install slapd ldap-utils")
        find_program("setpriv", "apt-get install util-linux")
        create_private_folder(self.folder)
        create_private_folder(self.database_folder)
        copy_program(source, self._program_file)
        for path, text in self._make_schema_files().items():
            path.write_text(text, "utf-8")
        self._configuration_file.touch(mode=0o600)
        self._configuration_file.write_text(self._make_configuration(), "utf-8")
        self._check_configuration()

    def load_files(self, files: Iterable[Path]) -> None:
        """Load the entries of LDIF *files* (content records, parents first) into the database; slapd must be stopped.

        Raises :class:`LabError` with slapadd's message for the first rejected entry.
        """
        for file in files:
            try:
                text = file.read_bytes()
            except OSError as error:
                raise LabError(f"cannot be read ({error.strerror})", subject=str(file)) from error
            self.load_ldif(text, source_name=file.name)

    def load_ldif(self, ldif: str | bytes, *, source_name: str = "the entries") -> None:
        """Load the entries of *ldif*, a text of content records, into the database; slapd must be stopped.

        Errors name *source_name*. Raises :class:`LabError` as :meth:`load_files`.
        """
        if self.is_running:
            raise LabError("slapd must be stopped to load entries", subject=str(self.folder))
        content = ldif.encode() if isinstance(ldif, str) else ldif
        # Number 0 is the configuration itself.
        self._run_tool("add", "-n", "1", content=_drop_version_line(content), subject=source_name)

    def start(self) -> None:
        """Start slapd and wait until it responds. Raises :class:`LabError` with the last lines of its log."""
        if self.is_running:
            return
        if not self._configuration_file.exists():
            raise LabError("slapd is not prepared", subject=str(self.folder))
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                (*_DIE_WITH_PARENT, *self.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C must reach only the parent process, which then stops slapd
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop slapd with SIGTERM, after a time-out with SIGKILL; return when it has ended."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _configuration_file(self) -> Path:
        return self.folder / "slapd.conf"

    def _make_schema_files(self) -> Mapping[Path, str]:
        """Return the schema files to write and to include, in this order: the bundled schema."""
        return {self.folder / "dcm4chee.schema": format_slapd_schema(load_bundled_schema())}

    def _make_config_database(self) -> Iterator[str]:
        """Yield the lines of slapd.conf(5) for the database of the configuration itself; none by default."""
        yield from ()

    def _check_configuration(self) -> None:
        """Let slapd check the configuration; raises :class:`LabError`."""
        self._run_tool("test", "-u")

    @property
    def _configuration_arguments(self) -> tuple[str, ...]:
        """The arguments with which slapd finds its configuration."""
        return ("-f", str(self._configuration_file))

    @property
    def _program_file(self) -> Path:
        return self.folder / "slapd"

    def _make_configuration(self) -> str:
        """Return the content of slapd.conf(5)."""
        lines = [
            *make_module_lines("back_mdb", *self.modules),
            *(f"include {quote_word(each)}" for each in self._make_schema_files()),
            "loglevel none",
            "sizelimit 500",
            self.extra_global,
            *self._make_config_database(),
            f"database {self.database}",
            f"suffix {quote_word(self.suffix)}",
            f"rootdn {quote_word(self.root_dn)}",
            f"rootpw {quote_word(self.root_password)}",
            f"directory {quote_word(self.database_folder)}",
            # nosync: a disposable database need not survive a crash, and waiting for the disk is slow.
            *([f"maxsize {_MAX_DATABASE_BYTES}", "envflags nosync"] if self.database == "mdb" else []),
            "access to attrs=userPassword by anonymous auth",
            "access to * by * read",
            self.extra_database,
        ]
        return "\n".join(line for line in lines if line) + "\n"

    def _command(self, *arguments: str) -> tuple[str, ...]:
        return (str(self._program_file), *arguments, *self._configuration_arguments)

    def _run_tool(self, name: str, *options: str, content: bytes = b"", subject: str = "") -> None:
        """Run one of slapd's tools (``slapd -T``); raises :class:`LabError` with its output."""
        result = subprocess.run(
            (*_DIE_WITH_PARENT, *self._command("-T", name, *options)),
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if result.returncode:
            output = " ".join(result.stdout.decode("utf-8", "replace").split())
            raise LabError(f"slapd's tool {name!r} failed: {output}", subject=subject or str(self.folder))

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        # Another server on this port would answer too, so the process is checked first.
        while not (self._is_listening() and self._is_answering()):
            if not self.is_running:
                raise LabError(f"slapd did not start: {self._read_log_tail()}", subject=self.url)
            if time.monotonic() > deadline:
                self.stop()
                raise LabError(f"slapd does not respond: {self._read_log_tail()}", subject=self.url)
            time.sleep(0.005)

    def _is_listening(self) -> bool:
        """Return whether this slapd process itself listens on the port, not another server."""
        if self._process is None:
            return False
        try:
            sockets = psutil.Process(self._process.pid).net_connections("tcp")
        except psutil.Error:
            return False
        return any(each.status == psutil.CONN_LISTEN and each.laddr.port == self.port for each in sockets)

    def _is_answering(self) -> bool:
        try:
            with socket.create_connection((self.address, self.port), timeout=1.0) as connection:
                connection.sendall(_ANONYMOUS_BIND)
                return bool(connection.recv(1))
        except OSError:
            return False

    def _read_log_tail(self) -> str:
        lines = self.log_file.read_text("utf-8", "replace").splitlines()
        return " | ".join(line.strip() for line in lines[-5:]) or "the log is empty"


def quote_word(value: str | Path) -> str:
    """Return *value* as one argument of slapd.conf(5)."""
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _drop_version_line(content: bytes) -> bytes:
    """Drop the ``version: 1`` line of an LDIF file, because slapadd treats it as an entry without a DN."""
    lines = content.splitlines(keepends=True)
    return b"".join(line for line in lines if not line.lower().startswith(b"version:"))
