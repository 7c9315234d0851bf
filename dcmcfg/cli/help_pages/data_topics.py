"""The help topics about data that commands read: configurations with another base DN, lists of AEs and of studies."""

from __future__ import annotations

from dcmcfg.cli.help_pages.topic import Section, Topic
from dcmcfg.onboarding.role import AERole


def make_another_base(name: str) -> Topic:
    """Return the topic about the move to another base DN."""
    return Topic(
        name,
        (
            "The names and references in a configuration contain the base DN of the site. The LDIF files of the "
            "archive's releases use dc=dcm4che,dc=org. The options below replace one base DN by another base DN.",
            (
                "dcmcfg replaces the base DN in the DN of each entry, in 'newsuperior', and in every "
                "value with the syntax DN. dcmcfg also replaces the base DN in assertion controls, and "
                "in the naming attribute of the base entry, such as dc. dcmcfg changes no other values. "
                "If a description or a URL contains the old base DN, a warning shows the value."
            ),
            (
                "'restore' refuses a snapshot with another base DN. In this case, use 'apply "
                "--map-base auto SNAPSHOT'. dcmcfg refuses a file that checks an entryCSN, because "
                "an entryCSN belongs to one server."
            ),
        ),
        (
            Section(
                "Options",
                (
                    ("export-ldif --as-base DN", "Write the configuration with DN as its base DN."),
                    ("apply --map-base DN", "Replace the base DN of the files (DN) by the base DN of the site."),
                    (
                        "apply --map-base auto",
                        "Detect the base DN of the records. All records must have the same base DN.",
                    ),
                    ("diff --map-base DN", "Compare a file with a tree that has another base DN."),
                ),
            ),
        ),
    )


def make_import_files(name: str) -> Topic:
    """Return the topic about the files of ``dcmcfg import``."""
    return Topic(
        name,
        (
            "Each row of the file is one AE. The columns can be in any order. dcmcfg prints a "
            "warning for each unknown column, and ignores the column. 'dcmcfg ae list --format "
            "csv' writes a file in this form.",
            (
                "The role of an AE adds no transfer capabilities. If an AE has no SCP capabilities, "
                "the archive sends objects of all SOP classes to the AE. To add capabilities, use "
                "'dcmcfg capability'."
            ),
        ),
        (
            Section(
                "Columns",
                (
                    ("title", "AE title, required. Case is significant."),
                    ("host", "Host name or IP address, required for a new AE."),
                    ("port", "Port. Optional for the role modality, required for the other roles."),
                    ("tls", "yes or no. With yes, the connection gets the cipher suites of --cipher-suite."),
                    ("description", "Description of the AE."),
                    ("role", "Role, see below. Default: workstation."),
                    ("device", "Device of the AE, created if it does not exist. Default: the title in lower case."),
                ),
            ),
            Section("Roles", tuple((role.value, f"The AE {role.description}.") for role in AERole)),
            Section(
                "Formats",
                (
                    (".csv, .tsv, .txt", "The first line has the names of the columns."),
                    (
                        ".yaml, .yml, .json",
                        "A list of AEs, at the top level or under the key 'aes'. The keys of an AE are the names of "
                        "the columns.",
                    ),
                    ("Orthanc", "A configuration with DicomModalities. The symbolic name becomes the description."),
                    ("Gazelle", "The configurations of Gazelle Test Management as CSV."),
                ),
            ),
        ),
    )


def make_studies(name: str) -> Topic:
    """Return the topic about the studies of a run of ``dcmcfg verify``."""
    return Topic(
        name,
        (
            "'dcmcfg verify' can verify many studies in one run. The options below select the studies. dcmcfg stores "
            "each result. After an interruption, run the same command again to continue.",
            (
                "If more than 100 studies match a query, dcmcfg asks for confirmation. With --limit "
                "N, dcmcfg requests at most N studies, without confirmation."
            ),
        ),
        (
            Section(
                "Options",
                (
                    ("--study UID", "The study with this UID. Can be repeated."),
                    ("--studies FILE", "The studies in a file; '-' is standard input."),
                    ("--query KEYWORD=VALUE,…", "The studies that match a query, such as StudyDate=20240101-20240131."),
                ),
            ),
            Section(
                "Files",
                (
                    ("text", "One Study Instance UID per line. Blank lines, and the text after #, are ignored."),
                    ("CSV", "The first line has the column name StudyInstanceUID or study_instance_uid."),
                ),
            ),
        ),
    )
