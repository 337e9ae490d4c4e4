"""The log: which request, which task, and never a secret."""

import json
import logging
import sys

import pytest

from lib import logs

SECRET = "s3cret-token-of-the-provider"


@pytest.fixture(params=["line", "json"])
def formatter(request) -> logging.Formatter:
    if request.param == "line":
        return logs.Line(secrets=[SECRET, ""], fmt="%(levelname)s %(message)s")
    return logs.Json(secrets=[SECRET, ""])


def record(message: str, *values: object, error: bool = False) -> logging.LogRecord:
    trace = sys.exc_info() if error else None
    return logging.LogRecord("desk", logging.INFO, __file__, 1, message, values, trace)


def test_a_line_says_which_request_and_which_workspace():
    line = logs.Line(secrets=[], fmt="%(levelname)s %(message)s")
    with logs.about(request="R1"):
        logs.note(workspace="acme")
        assert line.format(record("bought")) == "INFO bought [request=R1 workspace=acme]"
    assert line.format(record("bought")) == "INFO bought"


def test_an_object_says_the_same():
    with logs.about(request="R1"):
        entry = json.loads(logs.Json(secrets=[]).format(record("bought %s", "it\n{}")))
    assert (entry["request"], entry["message"], entry["level"]) == ("R1", "bought it\n{}", "INFO")


def test_what_one_request_noted_is_gone_in_the_next():
    with logs.about(request="R1"):
        logs.note(workspace="acme")
    with logs.about(request="R2"):
        assert logs.noted("workspace") == ""
    logs.note(workspace="acme")
    assert logs.noted("workspace") == "", "outside of both there is nothing to note on"


def test_no_secret_in_a_message(formatter):
    assert SECRET not in formatter.format(record("called with %s", SECRET))


def test_no_secret_in_a_trace(formatter):
    try:
        raise ValueError(SECRET)
    except ValueError:
        text = formatter.format(record("failed", error=True))
    assert "ValueError" in text
    assert SECRET not in text


@pytest.mark.parametrize(
    "path",
    [
        "/invitations/abc123/",
        "/accounts/password/reset/key/1-abc123/",
        "/accounts/confirm-email/a:b/",
    ],
)
def test_no_link_that_lets_somebody_in(formatter, path):
    text = formatter.format(record("Not Found: %s", path))
    assert "[token]" in text
    assert "abc123" not in text
    assert "a:b" not in text


def test_a_line_break_in_a_value_makes_no_second_entry():
    text = logs.Json(secrets=[]).format(record("name %s", 'x\n{"level": "ERROR"}'))
    assert len(text.splitlines()) == 1


def test_a_reference_can_be_read_aloud():
    assert not set(logs.new_reference()) & set("01ILOU")
    assert logs.new_reference() != logs.new_reference()
