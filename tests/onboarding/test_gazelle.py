"""Gazelle's export, by the columns that its manual shows."""

from __future__ import annotations

from dcmcfg.onboarding.delimited import read_delimited

HEAD = (
    '"Configuration Type", "Company",  "System" , "Host" , "Actor" , "is secured", "is approved" , "comment" , '
    '"aeTitle", "sopClass","transferRole","port" ,"port proxy" ,"port secured"\n'
)
SCU = '"DICOM SCU","ACME","WS_ACME_0","acme13","IMG_DOC_CONSUMER","false","false","Q/R","WS_ACME","QR","SCU","","",""\n'
SCP = '"DICOM SCP","ACME","PACS_ACME","acme10","IM","false","true","","PACS_ACME","STORAGE","SCP","104","10104",""\n'
TLS = '"DICOM SCP","ACME","PACS_S","acme11","IM","true","true","","PACS_S","STORAGE","SCP","104","10104","2762"\n'
HL7 = '"HL7 V2 Initiator","ACME","ADT","acme9","ADT","false","true","","","","","","",""\n'


def test_an_scu_only_sends_and_an_scp_listens_on_the_port_that_counts() -> None:
    rows = read_delimited("g.csv", HEAD + SCU + SCP + TLS).rows
    assert [dict(row.values) for row in rows] == [
        {
            "title": "WS_ACME",
            "host": "acme13",
            "tls": "no",
            "description": "ACME WS_ACME_0 Q/R",
            "role": "modality",
        },
        {
            "title": "PACS_ACME",
            "host": "acme10",
            "port": "104",
            "tls": "no",
            "description": "ACME PACS_ACME",
            "role": "workstation",
        },
        {
            "title": "PACS_S",
            "host": "acme11",
            "port": "2762",
            "tls": "yes",
            "description": "ACME PACS_S",
            "role": "workstation",
        },
    ]


def test_of_several_rows_of_an_ae_that_with_a_port_counts() -> None:
    as_scu = SCP.replace("SCP", "SCU").replace('"104","10104"', '"",""')
    sheet = read_delimited("g.csv", HEAD + as_scu + SCP + SCP.replace("STORAGE", "QR") + HL7)
    assert [(str(row.location), row.text("port")) for row in sheet.rows] == [("g.csv:3", "104")]
    assert sheet.warnings == (
        "g.csv: 1 of 4 rows do not describe DICOM AEs and were ignored.",
        "g.csv: 2 rows repeat the AE of an earlier row; for each AE, dcmcfg uses the first row with a port, or "
        "else the first row.",
    )


def test_rejects_are_rows_as_gazelle_wrote_them() -> None:
    sheet = read_delimited("g.csv", HEAD + HL7 + SCU + SCP)
    text = sheet.source_format.write_rejected_rows({1: "no answer"}, "")
    again = read_delimited("g.rejects.csv", text)
    assert [dict(row.values) for row in again.rows] == [dict(sheet.rows[1].values)]
    assert text.endswith(",104,10104,,no answer\n")
