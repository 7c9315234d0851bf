from __future__ import annotations

import pytest

from dcmcfg.dicom.query_keys import parse_keys
from dcmcfg.errors import MalformedInput


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("PatientID=4711", {"PatientID": "4711"}),
        ("patientid=4711, StudyDate=20240101-", {"PatientID": "4711", "StudyDate": "20240101-"}),
        ("PatientName=Smith, John,ModalitiesInStudy=CT", {"PatientName": "Smith, John", "ModalitiesInStudy": "CT"}),
        (r"StudyInstanceUID=1.2.3\1.2.4", {"StudyInstanceUID": r"1.2.3\1.2.4"}),
        ("PatientID=4711,AccessionNumber=", {"PatientID": "4711", "AccessionNumber": ""}),
        ("PatientID=a=b", {"PatientID": "a=b"}),
        ("PatientName=Müller*", {"PatientName": "Müller*"}),
        ("SeriesDescription=Thorax*,StationName=CT1", {"SeriesDescription": "Thorax*", "StationName": "CT1"}),
        ("AdmissionID=7,ResponsiblePerson=A*", {"AdmissionID": "7", "ResponsiblePerson": "A*"}),
    ],
)
def test_keys_are_keywords_with_values(text: str, keys: dict[str, str]) -> None:
    assert parse_keys(text) == keys


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not KEYWORD=VALUE"),
        ("4711", "not KEYWORD=VALUE"),
        ("PatientId2=1", r"PatientId2: not a keyword of PS3.6 — did you mean PatientID"),
        ("StudyDat=20240101", "did you mean StudyDate"),
        ("PatientID=1,PatientID=2", "PatientID: duplicate key"),
        ("PatientID=*", "every study would match"),
        ("PatientID=,StudyDate=", "every study would match"),
        ("StudyDate=2024-01-01", "not a date or a range of dates"),
        ("StudyDate=yesterday", "not a date or a range of dates"),
        ("QueryRetrieveLevel=STUDY", "cannot query by this key"),
        ("PixelData=1", "cannot query by this key"),
        ("Rows=512", "cannot query by this key"),
        ("MessageID=1", "cannot query by this key"),
        ("PatientID=a\x1b", "control characters"),
        (
            "Modality=MR",
            "^Modality: the archive ignores this key, so all studies would match — did you mean ModalitiesInStudy\\?$",
        ),
        ("PatientID=4711,seriesdate=20240101", "^SeriesDate: .* — did you mean StudyDate\\?$"),
        (
            "SeriesInstanceUID=1.2.3",
            "^SeriesInstanceUID: .* — retrieve a series with dcmcfg verify --study UID --series UID$",
        ),
        ("InstanceAvailability=NEARLINE", "find a purged study with dcmcfg verify --recall"),
        (
            "Manufacturer=ACME",
            "^Manufacturer: .* — use one of AccessionNumber, .*. To verify any list of studies, use --studies FILE$",
        ),
    ],
)
def test_what_is_no_key_is_refused(text: str, problem: str) -> None:
    with pytest.raises(MalformedInput, match=problem):
        parse_keys(text)
