"""The reason in an error answer: JSON without escapes, stack traces, web pages, and bodies made to be slow."""

from __future__ import annotations

import time

import pytest

from dcmcfg.archive.error_body import read_error

WRAPPED = (
    "jakarta.ejb.EJBException: java.lang.IllegalStateException: Already listening - a.B@1\n"
    "\tat org.jboss.C.d(C.java:1)\n"
    "Caused by: java.lang.IllegalStateException: Already listening - a.B@1\n"
    "\tat org.dcm4che3.net.Connection.bind(Connection.java:994)\n"
    "\t... 131 more\n"
)


@pytest.mark.parametrize(
    ("body", "message", "cause"),
    [
        ("", "", ""),
        ("boom", "boom", ""),
        ('{"errorMessage":"java.lang.IllegalArgumentException: 1g"}', "IllegalArgumentException: 1g", ""),
        (' { "errorMessage" : "a "quoted" text" } ', 'a "quoted" text', ""),
        ('{"errorMessage":"cut in the mid', "cut in the mid", ""),
        ('{"error":"x"}', '{"error":"x"}', ""),
        ("java.lang.NullPointerException\n\tat a.B.c(B.java:1)", "NullPointerException", ""),
        (WRAPPED, "IllegalStateException: Already listening - a.B@1", ""),
        (
            "java.io.IOException: outer\n\tat a.B.c(B.java:1)\nCaused by: x.Y: middle\n\t... 2 more\n"
            "Caused by: java.net.BindException: in\nner\n\t... 3 more\n",
            "IOException: outer",
            "BindException: in ner",
        ),
        (
            "a.B: outer\n\tat a.B.c(B.java:1)\n\tSuppressed: x.Y: aside\n\t\tat a.B.c(B.java:1)\n"
            "\tCaused by: x.Z: aside too\n\t\t... 1 more\nCaused by: x.W: inner\n",
            "B: outer",
            "W: inner",
        ),
    ],
)
def test_message_is_the_first_line_and_cause_the_last_one_where_it_adds_something(
    body: str, message: str, cause: str
) -> None:
    error = read_error(body)
    assert (error.message, error.cause, error.is_page) == (message, cause, False)


def test_reason_joins_message_and_cause() -> None:
    body = "a.B: outer\nCaused by: a.C: inner"
    assert read_error(body).reason == "B: outer; cause: C: inner"
    assert read_error("boom").reason == "boom"


def test_web_page_has_no_reason() -> None:
    assert read_error(" \n<html>Caused by: x").is_page
    assert read_error("<html>").reason == ""


def test_methods_of_a_stack_trace_are_found() -> None:
    error = read_error(WRAPPED)
    assert error.has_frame_of("Connection.bind")
    assert not error.has_frame_of("Device.rebindConnections")
    assert not read_error("at org.dcm4che3.net.Connection.bind(").has_frame_of("Connection.bind")


@pytest.mark.parametrize(
    "body",
    [
        "\n" * 250_000,
        " " * 250_000,
        "{" + " " * 250_000,
        '{"errorMessage"' + " " * 250_000,
        '{"errorMessage":"' + "\n" * 250_000,
        "\n\t" * 125_000 + "Caused by: ",
        "Caused by: " * 25_000,
        "Caused by: x\n" * 20_000,
        "a." * 125_000,
        "jakarta.ejb.EJBException: " * 10_000,
        "x\n" + "\tat a.B.c(D.java:1)\n" * 12_000,
    ],
)
def test_long_bodies_are_read_in_linear_time(body: str) -> None:
    """A quadratic reader would take minutes for each of them."""
    begun = time.process_time()
    error = read_error(body)
    assert time.process_time() - begun < 5
    assert len(error.reason) < 700
