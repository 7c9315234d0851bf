"""A disposable slapd that is configured through ``cn=config``, so that its schema can be changed while it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dcmcfg.lab.slapd import Slapd, quote_word
from dcmcfg.private_folders import create_private_folder
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.slapd import format_core_schema

#: The user who may read and change the configuration.
CONFIG_DN = "cn=admin,cn=config"
_CORE = "core"


class ConfigSlapd(Slapd):
    """A slapd with the schema files *schema_files* (name → text, in loading order), each an entry of ``cn=config``.

    :data:`CONFIG_DN` with *config_password* may change the configuration. *options* are those of :class:`Slapd`.
    """

    def __init__(self, folder: Path, *, schema_files: Mapping[str, str], config_password: str, **options: Any) -> None:
        super().__init__(folder, **options)
        self.schema_files = schema_files
        self.config_password = config_password

    @property
    def configuration_folder(self) -> Path:
        """The folder of ``cn=config``."""
        return self.folder / "slapd.d"

    def _make_schema_files(self) -> Mapping[Path, str]:
        # slapd names the entry of a schema after its file.
        core = {_CORE: format_core_schema(load_bundled_schema())}
        return {self.folder / f"{name}.schema": text for name, text in (core | dict(self.schema_files)).items()}

    def _make_config_database(self) -> Iterator[str]:
        yield "database config"
        yield f"rootdn {quote_word(CONFIG_DN)}"
        yield f"rootpw {quote_word(self.config_password)}"

    def _check_configuration(self) -> None:
        if self.configuration_folder.exists():
            return
        create_private_folder(self.configuration_folder)
        # The conversion opens the database, which loading nothing creates.
        self._run_tool("add", "-n", "1", "-f", str(self._configuration_file))
        self._run_tool("test", "-f", str(self._configuration_file))

    @property
    def _configuration_arguments(self) -> tuple[str, ...]:
        return ("-F", str(self.configuration_folder))
