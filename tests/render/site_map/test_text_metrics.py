"""The estimated width of text: never less than in DejaVu Sans, the widest of the usual fonts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.render.site_map.text_metrics import ELLIPSIS, fit_text, measure_text, wrap_text


@pytest.mark.parametrize(
    ("text", "in_dejavu"),
    [
        ("Modalities", 5.08),
        ("may query and retrieve", 11.81),
        ("WWWW", 3.96),
        ("Befundplatz Röntgen", 10.49),
        ("dcm4chee-arc · localhost:11112", 16.08),
    ],
)
def test_an_estimate_is_at_least_the_width_in_dejavu_sans(text: str, in_dejavu: float) -> None:
    assert in_dejavu <= measure_text(text, 1) <= in_dejavu * 1.35


def test_a_title_is_measured_as_monospaced() -> None:
    assert measure_text("CT_ROOM001", 10, monospaced=True) == pytest.approx(61)
    assert measure_text("é", 10, monospaced=True) >= 6


@given(st.text(max_size=60), st.floats(min_value=30, max_value=400))
def test_a_fitted_text_fits_and_only_a_long_one_is_shortened(text: str, width: float) -> None:
    fitted = fit_text(text, 11, width)
    assert measure_text(fitted, 11) <= width
    assert (fitted == text) == (measure_text(text, 11) <= width) or fitted.endswith(ELLIPSIS)


@given(st.text(alphabet="ab \n", max_size=200), st.integers(min_value=1, max_value=4))
def test_wrapped_lines_fit_and_lose_no_word_unless_shortened(text: str, count: int) -> None:
    lines = wrap_text(text, 11, 120, count)
    assert len(lines) <= count
    assert all(measure_text(line, 11) <= 120 for line in lines)
    if not any(ELLIPSIS in line for line in lines):
        assert " ".join(lines).split() == text.split()
