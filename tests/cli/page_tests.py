"""The pages with console blocks, and the test that runs the blocks of each.

To add a page, write a test that runs its commands and has the page in a constant (test_tutorial.py is a model), and add
a row to :data:`PAGE_TESTS`. test_console_blocks.py holds the table.
"""

from __future__ import annotations

#: Page → the test that runs its commands, both from the top folder.
PAGE_TESTS = {
    "README.md": "tests/cli/test_tutorial.py",
    "docs/how-to/add-a-modality.md": "tests/cli/test_how_to_pages.py",
    "docs/how-to/another-base.md": "tests/cli/test_how_to_pages.py",
    "docs/how-to/archive-view.md": "tests/cli/test_archive_view_page.py",
    "docs/how-to/connect-a-second-pacs.md": "tests/cli/test_how_to_pages.py",
    "docs/how-to/environment.md": "tests/cli/test_environment_page.py",
    "docs/how-to/failed-c-move.md": "tests/cli/test_failed_c_move.py",
    "docs/how-to/failed-reload.md": "tests/cli/test_failed_c_move.py",
    "docs/how-to/import-aes.md": "tests/cli/test_how_to_pages.py",
    "docs/how-to/install-without-network.md": "tests/release/test_bundle.py",
    "docs/how-to/long-term-archive.md": "tests/cli/test_how_to_pages.py",
    "docs/how-to/map.md": "tests/cli/test_map.py",
    "docs/how-to/monitoring.md": "tests/cli/test_monitoring_page.py",
    "docs/how-to/nodes.md": "tests/cli/test_nodes_page.py",
    "docs/how-to/recover.md": "tests/cli/test_how_to_pages.py",
    "docs/how-to/rename.md": "tests/cli/test_how_to_pages.py",
    "docs/how-to/secured.md": "tests/cli/test_how_to_pages.py",
    "docs/how-to/shared-history.md": "tests/cli/test_shared_history_page.py",
    "docs/how-to/upgrade.md": "tests/cli/test_upgrade_page.py",
    "docs/how-to/verify-many-studies.md": "tests/cli/test_how_to_pages.py",
    "docs/how-to/watch-drift.md": "tests/cli/test_how_to_pages.py",
    "docs/reference/ae-and-device.md": "tests/cli/test_how_to_pages.py",
    "docs/reference/echo.md": "tests/cli/test_reference_pages.py",
    "docs/reference/lab.md": "tests/cli/test_reference_pages.py",
    "docs/reference/limits.md": "tests/cli/test_reference_pages.py",
    "docs/reference/output.md": "tests/cli/test_reference_pages.py",
    "docs/reference/profiles.md": "tests/cli/test_reference_pages.py",
    "docs/reference/route.md": "tests/cli/test_reference_pages.py",
    "docs/reference/values.md": "tests/cli/test_reference_pages.py",
    "docs/reference/work-order.md": "tests/cli/test_reference_pages.py",
    "docs/tutorial.md": "tests/cli/test_tutorial.py",
}

#: Command in a console block that no test can run → the reason.
NOT_RUN = {
    "sudo apt-get install slapd pipx": "installs packages of the machine",
    "pipx install ./dcmcfg-*.whl": "tests/release/test_wheel.py installs the wheel in an environment of its own",
    "pipx ensurepath": "changes the shell's start files of the machine",
    "pipx install dist/dcmcfg-*.whl    # or: uv tool install dist/dcmcfg-*.whl": "see above: a test of the wheel",
    "make demo     # installs missing parts, then runs this example on a site of its own": (
        "installs packages of the machine; tests/cli/test_lab.py runs dcmcfg lab demo"
    ),
    "make test     # the whole test suite, on real slapd and real DICOM peers": "runs this test among all others",
}
