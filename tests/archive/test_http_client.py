"""What an answer of a web server keeps of what was sent."""

from __future__ import annotations

import json
from html import escape
from urllib.parse import quote, quote_plus

import pytest

from dcmcfg.archive.http_client import HttpClient
from tests.archive.scripted import Scripted


@pytest.mark.parametrize("secret", ['s3 cret/<of>&the "client"', "p&w", "1", "ä ö/ü", "x" * 5_000])
def test_a_secret_that_an_error_gives_back_is_left_out_in_every_form_and_length(archive: Scripted, secret: str) -> None:
    forms = (secret, quote(secret), quote_plus(secret), json.dumps(secret), escape(secret))
    archive.answer(400, " | ".join(f"password={form}" for form in forms))

    answer = HttpClient().request("POST", archive.url, form={"password": secret}, secrets=(secret,))

    assert answer.body.replace('"', "") == " | ".join(["password=…"] * len(forms))


def test_a_short_secret_is_no_part_of_a_word_and_stays_in_what_is_no_error(archive: Scripted) -> None:
    archive.answer(401, "the secretary: sec")
    assert HttpClient().request("GET", archive.url, secrets=("sec",)).body == "the secretary: …"

    archive.answer(200, '{"access_token":"abc.sec.def"}')
    assert HttpClient().request("GET", archive.url, secrets=("sec",)).body == '{"access_token":"abc.sec.def"}'
