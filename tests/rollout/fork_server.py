"""Runs the program over and over without loading it each time: a process that forks one child a run.

Reads a line of JSON (the arguments) from standard input, answers ``pid``, and once the child has ended its exit code
(negative: the signal) and what it has printed, each as a line of JSON.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import tempfile

from dcmcfg.cli.commands import COMMANDS, SUBCOMMANDS
from dcmcfg.cli.main import main
from dcmcfg.schema.definitions import load_bundled_schema


def serve() -> None:
    rows = [*COMMANDS.values(), *(row for group in SUBCOMMANDS.values() for row in group.values())]
    for command in rows:
        importlib.import_module(f"dcmcfg.cli.{command.module}")
    load_bundled_schema()
    for line in sys.stdin:
        with tempfile.TemporaryFile() as output:
            pid = os.fork()
            if pid == 0:
                _run(json.loads(line), output.fileno())
            print(json.dumps(pid), flush=True)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            output.seek(0)
            print(json.dumps([code, output.read().decode()]), flush=True)


def _run(arguments: list[str], output: int) -> None:
    for stream in (1, 2):
        os.dup2(output, stream)
    sys.argv = ["dcmcfg", *arguments]
    code: object = 70
    with contextlib.suppress(BaseException):
        try:
            main()
        except SystemExit as ended:
            code = ended.code
    sys.stdout.flush()
    os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    serve()
