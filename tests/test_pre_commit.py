"""The configuration of pre-commit requires no network, and runs programs that the project installs."""

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent


def test_each_hook_runs_an_installed_program() -> None:
    configuration = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert [repository["repo"] for repository in configuration["repos"]] == ["local"]
    hooks = configuration["repos"][0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    development = (ROOT / "pyproject.toml").read_text("utf-8")
    programs = [Path(hook["entry"].split()[0]) for hook in hooks]
    assert {program.parent for program in programs} == {Path(".venv/bin")}
    assert [each.name for each in programs if each.name != "python" and f'"{each.name}>=' not in development] == []
