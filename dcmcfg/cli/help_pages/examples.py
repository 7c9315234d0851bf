"""The examples in the help of commands: the purpose of each, and a command line to copy.

``tests/cli/test_examples.py`` parses them. A command has two or more; the first one is also in the help of its group.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Words of a command → its examples as (purpose, command line).
EXAMPLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    # Inspect
    "status": (
        ("Show whether the archive runs", "dcmcfg status"),
        ("Also show your identity on the directory server", "dcmcfg status --directory"),
    ),
    "show": (
        ("Show the device of the archive", "dcmcfg show"),
        ("Show one AE of the archive", "dcmcfg show dcm4chee-arc/DCM4CHEE"),
    ),
    "find": (
        ("Find all values that contain an AE title", "dcmcfg find LONGTERM"),
        ("Find every connection to a host", "dcmcfg find 10.1.2.3"),
    ),
    "get": (
        ("Show all attributes of a device", "dcmcfg get dcm4chee-arc"),
        ("Show one setting of an AE", "dcmcfg get AE:DCM4CHEE dcmExternalRetrieveAEDestination"),
    ),
    "explain": (
        ("Explain a setting, and show where it is set", "dcmcfg explain dcmExternalRetrieveAEDestination"),
        ("Explain a setting without a directory server", "dcmcfg explain dicomPort --offline"),
    ),
    "map": (
        ("Show which systems exchange data with the archive", "dcmcfg map"),
        ("Write a web page with the map and a search field", "dcmcfg map -o site.html"),
        ("Draw only one AE and the systems that exchange data with it", "dcmcfg map --around LONGTERM -o longterm.svg"),
        ("Draw the configuration of a file", "dcmcfg map site.ldif -o site.svg"),
    ),
    # Change
    "set-external-retrieve": (
        ("Route recalled studies through the archive", "dcmcfg set-external-retrieve DCM4CHEE"),
        ("Show the plan, and change nothing", "dcmcfg set-external-retrieve DCM4CHEE --dry-run"),
        ("Let the external archive send directly to the destination", "dcmcfg set-external-retrieve --clear"),
    ),
    "set": (
        ("Set one value", "dcmcfg set AE:STORESCP dicomInstalled=FALSE"),
        (
            "Add a value, and remove another value",
            "dcmcfg set ct1 dicomPrimaryDeviceType+=CT dicomPrimaryDeviceType-=MR",
        ),
        ("Read the value from a file", "dcmcfg set dcm4chee-arc dicomDescription=@description.txt"),
    ),
    "unset": (
        ("Remove a setting of an AE", "dcmcfg unset AE:DCM4CHEE dcmExternalRetrieveAEDestination"),
        ("Remove two attributes of a device", "dcmcfg unset storescp dicomDescription dicomStationName"),
    ),
    "edit": (
        ("Edit an AE", "dcmcfg edit AE:STORESCP"),
        ("Edit a device and all entries below it", "dcmcfg edit storescp --subtree"),
    ),
    "ae list": (
        ("List all AEs", "dcmcfg ae list"),
        ("List the AEs on one host", "dcmcfg ae list 10.1.2.3"),
    ),
    "ae show": (
        ("Show an AE", "dcmcfg ae show WORKSTATION"),
        ("Show an AE with a title that exists on several devices", "dcmcfg ae show workstation/WORKSTATION"),
    ),
    "ae add": (
        ("Add a workstation", "dcmcfg ae add WORKSTATION@10.1.2.3:11112"),
        ("Add an AE that uses TLS, and specify its device", "dcmcfg ae add CT1@10.1.2.4:2762 --device ct --tls"),
        ("Add an AE with the capabilities of another AE", "dcmcfg ae add CT2@10.1.2.5:104 --like CT1"),
    ),
    "ae set": (
        ("Mark an AE as not in use", "dcmcfg ae set WORKSTATION dicomInstalled=FALSE"),
        ("Describe an AE", "dcmcfg ae set WORKSTATION dicomDescription='Reading room 2'"),
    ),
    "ae rename": (
        ("Rename an AE, and every reference to it", "dcmcfg ae rename WORKSTATION VIEWER"),
        (
            "Rename an external archive, and keep an AE with the old title",
            "dcmcfg ae rename LONGTERM TAPE --keep-alias",
        ),
    ),
    "ae remove": (
        ("Remove an AE, and the entries that only this AE uses", "dcmcfg ae remove WORKSTATION"),
        ("Remove an AE, but keep its connections and its device", "dcmcfg ae remove WORKSTATION --keep-connection"),
    ),
    "device list": (
        ("List all devices", "dcmcfg device list"),
        ("List the devices whose name starts with ct", "dcmcfg device list 'ct*'"),
    ),
    "device show": (
        ("Show a device", "dcmcfg device show storescp"),
        ("Show a device as JSON", "dcmcfg device show storescp --json"),
    ),
    "device create": (
        ("Create a device for a CT scanner", "dcmcfg device create ct1 --type CT"),
        ("Create a device with a description", "dcmcfg device create ct1 --description 'CT, room 2'"),
    ),
    "device clone": (
        ("Copy a device that has one AE", "dcmcfg device clone ct1 ct2 --ae CT1=CT2"),
        (
            "Copy a device, and add a suffix to all names in it that must be unique",
            "dcmcfg device clone ct1 ct2 --suffix -2",
        ),
    ),
    "device set": (
        ("Describe a device", "dcmcfg device set storescp dicomDescription='Reading room 2'"),
        ("Take a device out of use", "dcmcfg device set storescp dicomInstalled=FALSE"),
    ),
    "device rename": (
        ("Rename a device, and every reference to it", "dcmcfg device rename ct1 ct-room-2"),
        ("Show the plan, and change nothing", "dcmcfg device rename ct1 ct-room-2 --dry-run"),
    ),
    "device remove": (
        ("Remove a device and everything in it", "dcmcfg device remove ct1"),
        ("Show the plan, and change nothing", "dcmcfg device remove ct1 --dry-run"),
    ),
    "connection list": (
        ("List all connections and the AEs that use them", "dcmcfg connection list"),
        ("List the connections of the archive", "dcmcfg connection list dcm4chee-arc"),
    ),
    "connection show": (
        ("Show a connection", "dcmcfg connection show storescp/dicom"),
        ("Show a connection as JSON", "dcmcfg connection show storescp/dicom --json"),
    ),
    "connection add": (
        ("Add a connection for an AE of the device", "dcmcfg connection add ct1/dicom2 10.1.2.4:105 --ae CT1"),
        ("Add a connection that uses TLS", "dcmcfg connection add ct1/dicom-tls 10.1.2.4:2762 --tls"),
    ),
    "connection set": (
        ("Change the address of a connection", "dcmcfg connection set ct1/dicom 10.1.2.9:104"),
        ("Change only the port", "dcmcfg connection set ct1/dicom :11112"),
        ("Switch TLS off", "dcmcfg connection set ct1/dicom --no-tls"),
    ),
    "connection remove": (
        ("Remove an unused connection", "dcmcfg connection remove ct1/dicom2"),
        ("Remove a connection that AEs still use", "dcmcfg connection remove ct1/dicom2 --detach"),
    ),
    "capability list": (
        ("List the capabilities of an AE", "dcmcfg capability list STORESCP"),
        (
            "List the SCP capabilities of an AE, in the format that 'ae add' reads",
            "dcmcfg capability list CT1 --role scp --format lines",
        ),
    ),
    "capability show": (
        ("Show one capability of an AE", "dcmcfg capability show STORESCP CTImageStorage"),
        ("Show one capability as JSON", "dcmcfg capability show STORESCP CTImageStorage --json"),
    ),
    "capability add": (
        ("Let an AE receive CT images", "dcmcfg capability add STORESCP CTImageStorage --role scp"),
        (
            "Add a transfer syntax to a SOP class",
            "dcmcfg capability add CT1 CTImageStorage --role scu --transfer-syntax JPEGLSLossless",
        ),
    ),
    "capability set": (
        (
            "Let an AE receive CT images in JPEG-LS only",
            "dcmcfg capability set CT1 CTImageStorage --role scp --transfer-syntax JPEGLSLossless",
        ),
        (
            "Show the plan, and change nothing",
            "dcmcfg capability set CT1 CTImageStorage --role scp --transfer-syntax JPEGLSLossless --dry-run",
        ),
    ),
    "capability remove": (
        ("Remove a SOP class in both roles", "dcmcfg capability remove STORESCP CTImageStorage"),
        ("Remove a SOP class in the role SCP only", "dcmcfg capability remove STORESCP CTImageStorage --role scp"),
    ),
    "capability copy": (
        ("Add the capabilities of one AE to another AE", "dcmcfg capability copy CT1 CT2"),
        ("Also remove the capabilities of CT2 that CT1 does not have", "dcmcfg capability copy CT1 CT2 --replace"),
    ),
    "capability diff": (
        ("Show the capabilities of CT1 that CT2 does not have", "dcmcfg capability diff CT1 CT2"),
        ("Show what the archive sends but VIEWER does not accept", "dcmcfg capability diff DCM4CHEE VIEWER --sending"),
    ),
    "rename exporter": (
        ("Rename an exporter", "dcmcfg rename exporter LONGTERM TAPE"),
        (
            "Update the references to an exporter that was renamed by hand",
            "dcmcfg rename exporter LONGTERM TAPE --references-only",
        ),
    ),
    "rename queue": (
        ("Rename a queue", "dcmcfg rename queue Export6 ExportTape"),
        ("Show the plan, and change nothing", "dcmcfg rename queue Export6 ExportTape --dry-run"),
    ),
    "rename storage": (
        ("Rename a storage", "dcmcfg rename storage fs1 online"),
        ("Show the plan, and change nothing", "dcmcfg rename storage fs1 online --dry-run"),
    ),
    "rename view": (
        ("Rename a query/retrieve view", "dcmcfg rename view hideRejected clinical"),
        ("Show the plan, and change nothing", "dcmcfg rename view hideRejected clinical --dry-run"),
    ),
    "rename web-app": (
        ("Rename a web application", "dcmcfg rename web-app DCM4CHEE-WADO DICOMWEB"),
        ("Show the plan, and change nothing", "dcmcfg rename web-app DCM4CHEE-WADO DICOMWEB --dry-run"),
    ),
    "import": (
        ("Add the AEs of a table", "dcmcfg import modalities.csv"),
        ("Add only AEs that answer a C-ECHO", "dcmcfg import modalities.csv --probe"),
    ),
    # Check
    "check": (
        ("Check the live configuration", "dcmcfg check"),
        ("Check files of a whole configuration before they are applied", "dcmcfg check site.ldif"),
        ("Check references only", "dcmcfg check --only references"),
        ("Fix the findings that require no decision", "dcmcfg check --fix"),
        ("Also compare the device with the JSON that the archive returns for it", "dcmcfg check --archive-view"),
        ("Also compare the variables of the archive's containers", "dcmcfg check --env docker-compose.yml"),
    ),
    "monitor": (
        ("Check a site as a Nagios plugin", "dcmcfg monitor --profile hospital"),
        (
            "Also compare the directory with a snapshot, and send a C-ECHO to two AEs",
            "dcmcfg monitor --against site.snapshot --echo WORKSTATION --echo LONGTERM",
        ),
        (
            "Write a file for the textfile collector of node_exporter",
            "dcmcfg monitor --format openmetrics -o /var/lib/node_exporter/dcmcfg.prom",
        ),
        ("Also recall one purged study a day", "dcmcfg monitor --recall STORESCP --timeout-s 600"),
    ),
    # Files
    "export-ldif": (
        ("Write the configuration to a file", "dcmcfg export-ldif -o site.ldif"),
        ("Write one device to standard output", "dcmcfg export-ldif --device storescp"),
    ),
    "diff": (
        ("Show what changed since an export", "dcmcfg diff site.ldif live"),
        ("Write change records that turn one file into another", "dcmcfg diff old.ldif new.ldif --format ldif"),
        ("Write a web page of what changed", "dcmcfg diff site.ldif live --format html -o drift.html"),
    ),
    "apply": (
        ("Show the plan, and change nothing", "dcmcfg apply change.ldif --dry-run"),
        ("Write the plan to a file for review", "dcmcfg apply change.ldif --dry-run -o plan.ldif"),
        (
            "Write a report of the plan for a change ticket",
            "dcmcfg apply change.ldif --dry-run --format markdown > ticket.md",
        ),
        ("Apply exactly the plan that was reviewed", "dcmcfg apply plan.ldif"),
        (
            "Skip records that cannot be applied, and write these records to a file",
            "dcmcfg apply change.ldif --continue",
        ),
    ),
    "snapshot": (
        ("Save the whole configuration", "dcmcfg snapshot before-upgrade.ldif"),
        ("Check a snapshot without a server", "dcmcfg snapshot before-upgrade.ldif --check"),
    ),
    "restore": (
        ("Make the configuration equal to a snapshot", "dcmcfg restore before-upgrade.ldif"),
        ("Show the plan, and change nothing", "dcmcfg restore before-upgrade.ldif --dry-run"),
    ),
    "upgrade status": (
        ("Show the release of the configuration", "dcmcfg upgrade status --to dcm4chee-arc-5.33.1.zip"),
        ("Show the release of a snapshot", "dcmcfg upgrade status --to dcm4chee-arc-5.33.1.zip --tree site.ldif"),
    ),
    "upgrade schema": (
        (
            "Install the schema of a release",
            "dcmcfg upgrade schema --to dcm4chee-arc-5.33.1.zip --config-user cn=admin,cn=config",
        ),
        (
            "Write the changes to a file for the administrator of the server",
            "dcmcfg upgrade schema --to dcm4chee-arc-5.33.1.zip --config-user cn=admin,cn=config -o schema.ldif",
        ),
        ("Restore the former schema", "dcmcfg upgrade schema --undo --config-user cn=admin,cn=config"),
    ),
    "upgrade plan": (
        (
            "Plan an upgrade, and show what is left to decide",
            "dcmcfg upgrade plan --from ldap-5.31.0 --to ldap-5.33.1 -o upgrade.ldif",
        ),
        (
            "Specify which AE of the site corresponds to the AE DCM4CHEE of the release",
            "dcmcfg upgrade plan --from ldap-5.31.0 --to ldap-5.33.1 --role DCM4CHEE=PACS",
        ),
        (
            "Write the plan, and a report of the plan for review",
            "dcmcfg upgrade plan --from ldap-5.31.0 --to ldap-5.33.1 -o upgrade.ldif --report upgrade.html",
        ),
    ),
    "upgrade apply": (
        ("Apply the plan of an upgrade, and check the result", "dcmcfg upgrade apply upgrade.ldif"),
        ("Show the changes, and change nothing", "dcmcfg upgrade apply upgrade.ldif --dry-run"),
    ),
    "upgrade gap": (
        (
            "List the differences between the site and a new installation",
            "dcmcfg upgrade gap --to ldap-5.33.1 --from ldap-5.31.0",
        ),
        (
            "Plan the additions and corrections",
            "dcmcfg upgrade gap --to ldap-5.33.1 --from ldap-5.31.0 --gap additions,corrections -o gap.ldif",
        ),
    ),
    # Undo
    "blame": (
        (
            "For each attribute of an AE, show the newest change that wrote the attribute",
            "dcmcfg blame dcm4chee-arc/DCM4CHEE",
        ),
        ("Show the newest change that wrote a port", "dcmcfg blame cn=dicom,dicomDeviceName=storescp dicomPort"),
    ),
    "history": (
        ("List the changes", "dcmcfg history"),
        ("Show one change in detail", "dcmcfg history 12"),
        ("Write a report of one change", "dcmcfg history 12 --format html -o change.html"),
    ),
    "undo": (
        ("Revert the newest change", "dcmcfg undo"),
        ("Revert change 12, but skip values that were changed again later", "dcmcfg undo 12 --partial"),
    ),
    # Verify
    "route": (
        ("Predict the route of a retrieve to WORKSTATION", "dcmcfg route --dest WORKSTATION"),
        (
            "Predict the route of purged studies for one caller",
            "dcmcfg route --dest WORKSTATION --state purged --calling VIEWER",
        ),
        ("Predict the route of one study", "dcmcfg route --dest WORKSTATION --study 1.2.840.1"),
    ),
    "echo": (
        ("Call the external archive", "dcmcfg echo LONGTERM"),
        ("Call every AE of the configuration", "dcmcfg echo --all"),
        ("Call every AE with each AE title of the archive as the calling AE title", "dcmcfg echo --all --matrix"),
        ("Verify the certificate of the archive", "dcmcfg echo DCM4CHEE --tls --tls-ca hospital-ca.pem"),
    ),
    "work-order": (
        ("List what LONGTERM's administrator must enter", "dcmcfg work-order --external LONGTERM"),
        (
            "List only the settings for one viewer",
            "dcmcfg work-order --external LONGTERM --calling VIEWER --dest VIEWER",
        ),
        (
            "Write the work order as a configuration file for Orthanc",
            "dcmcfg work-order --external LONGTERM --format orthanc > dcm4chee.json",
        ),
    ),
    "verify": (
        (
            "Receive a study on this machine in place of WORKSTATION",
            "dcmcfg verify --study 1.2.840.1 --dest WORKSTATION --receive",
        ),
        (
            "Find a purged study, and prove that external retrieve delivers the study",
            "dcmcfg verify --recall --dest WORKSTATION --receive --require-route",
        ),
        (
            "Add this machine as a destination for this run only",
            "dcmcfg verify --study 1.2.840.1 --temporary-dest",
        ),
        (
            "Retrieve all studies of a patient, and write the results to a file",
            "dcmcfg verify --query PatientID=4711 --dest WORKSTATION --csv results.csv",
        ),
    ),
    "results list": (
        ("List the stored results", "dcmcfg results list"),
        ("List the stored results as JSON", "dcmcfg results list --json"),
    ),
    "results clear": (
        ("Delete the stored results whose name begins with 3fa9", "dcmcfg results clear 3fa9"),
        (
            "Delete all stored results that were last used more than 30 days ago",
            "dcmcfg results clear --older-than-days 30 --yes",
        ),
    ),
    # Archive service
    "reload": (
        ("Make the archive load its configuration", "dcmcfg reload"),
        ("Make the archive of a profile load its configuration", "dcmcfg reload --profile hospital"),
    ),
    "token": (
        ("Show whether the archive accepts the token", "dcmcfg token"),
        ("Print the token for another program", "dcmcfg token --print"),
    ),
    # Tools
    "config list": (
        ("List the profiles", "dcmcfg config list"),
        ("List the profiles as JSON", "dcmcfg config list --json"),
    ),
    "config show": (
        ("Show each setting in effect, and its source", "dcmcfg config show"),
        ("Show the settings that are in effect with a profile", "dcmcfg config show hospital"),
    ),
    "config nodes": (
        ("List the nodes of the profile 'hospital'", "dcmcfg config nodes --profile hospital"),
        ("Propose the nodes that are listed in the directory", "dcmcfg config nodes --from-tree"),
    ),
    "config set": (
        ("Create a profile", "dcmcfg config set hospital.ldap_url ldaps://10.1.2.3/dc=example,dc=org"),
        ("Specify the file that contains the password", "dcmcfg config set hospital.bind_password_file ~/.hospital"),
    ),
    "config unset": (
        ("Remove a setting from a profile", "dcmcfg config unset hospital.ca_file"),
        ("Use the default device again", "dcmcfg config unset hospital.device"),
    ),
    "config use": (
        ("Use a profile by default", "dcmcfg config use hospital"),
        ("Use no profile by default", "dcmcfg config use --none"),
    ),
    "config path": (
        ("Print the path of the folder that contains the profiles", "dcmcfg config path"),
        ("Print the path of the file of a profile", "dcmcfg config path hospital"),
    ),
    "lab up": (
        ("Start the lab", "dcmcfg lab up"),
        ("Start the lab with 500 additional studies", "dcmcfg lab up --studies 500"),
        ("Start a site of an older release", "dcmcfg lab up --release dcm4chee-arc-5.29.0.zip"),
    ),
    "lab status": (
        ("Show the parts and the studies of the lab", "dcmcfg lab status"),
        ("Show the parts and the studies as JSON", "dcmcfg lab status --json"),
    ),
    "lab demo": (
        ("Run the demonstration", "dcmcfg lab demo"),
        ("Run the demonstration, and print the result as JSON", "dcmcfg lab demo --json"),
    ),
    "lab down": (
        ("Stop the lab, and remove its folder and its profile", "dcmcfg lab down"),
        ("Stop the lab in the folder /tmp/lab", "dcmcfg lab down --folder /tmp/lab"),
    ),
    "completion": (
        (
            "Install completion for bash",
            "dcmcfg completion bash > ~/.local/share/bash-completion/completions/dcmcfg",
        ),
        ("Install completion for fish", "dcmcfg completion fish > ~/.config/fish/completions/dcmcfg.fish"),
    ),
    "help": (
        ("Show the help of a command", "dcmcfg help ae add"),
        ("Show the options that describe the site", "dcmcfg help site-options"),
    ),
}
