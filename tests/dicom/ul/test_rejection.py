from __future__ import annotations

import pytest

from dcmcfg.dicom.ul.rejection import Rejection


@pytest.mark.parametrize(
    ("codes", "words", "setting"),
    [
        ((1, 1, 7), "called AE title not recognised (1/1/7)", "dicomAssociationAcceptor"),
        ((1, 1, 3), "calling AE title not recognised (1/1/3)", "dcmAcceptedCallingAETitle"),
        ((1, 2, 1), "no reason given (1/2/1)", "dcmUserIdentityNegotiation"),
        ((2, 3, 2), "local limit exceeded (2/3/2)", "dcmLimitOpenAssociations"),
        ((2, 3, 1), "temporary congestion (2/3/1)", "dcmLimitOpenAssociations"),
        ((1, 1, 1), "no reason given (1/1/1)", "log"),
        ((9, 9, 9), "unknown reason (9/9/9)", "log"),
    ],
)
def test_a_rejection_is_told_in_words_with_the_setting_to_look_at(
    codes: tuple[int, int, int], words: str, setting: str
) -> None:
    rejection = Rejection(*codes)
    assert words in str(rejection)
    assert setting in rejection.suggest_check("ME", "DCM4CHEE")


def test_rejections_for_a_title_name_the_title() -> None:
    assert "calls from ME" in Rejection(1, 1, 3).suggest_check("ME", "DCM4CHEE")
    assert "check that DCM4CHEE is an AE of the called device and port" in Rejection(1, 1, 7).suggest_check(
        "ME", "DCM4CHEE"
    )
