"""Twilio never hears a server error, whatever breaks here."""

import pytest
import redis
from django.core.cache import caches
from django.db import connection
from django.db.utils import OperationalError

from interactions.tests.conftest import sid

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def no_database():
    """A server that has gone away: every statement fails as it would then."""

    def fail(execute, sql, params, many, context):
        raise OperationalError("the connection was closed")

    with connection.execute_wrapper(fail):
        yield


ADDRESSES = [
    "voice/", "voice/fallback/", "voice/status/", "voice/dialled/?round=0", "voice/leg/",
    "voice/whisper/?number=%2B12125550123", "voice/accepted/", "voice/recorded/",
    "voice/recording/", "voice/transcribed/", "message/", "message/fallback/",
    "message/status/?ref=abc",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_without_a_database_each_webhook_is_answered(provider, no_database, address):
    form = {
        "CallSid": sid("CA"), "ParentCallSid": sid("CA"), "MessageSid": sid("SM"),
        "RecordingSid": sid("RE"), "RecordingDuration": "5", "RecordingStatus": "completed",
        "From": "+14155550123", "To": "+12125550123", "CallStatus": "completed",
        "MessageStatus": "sent", "TranscriptionStatus": "completed", "Direction": "inbound",
    }  # fmt: skip
    response = provider.post(address, form)
    assert response.status_code == 200
    assert response.content.startswith(b"<?xml")


def test_without_a_database_a_caller_hears_why_in_words(provider, no_database, caplog):
    _sid, response = provider.call("+12125550123")
    assert b"cannot be connected at the moment" in response.content
    assert "could not be dealt with" in caplog.text


def test_a_forged_webhook_is_refused_without_a_database_too(provider, no_database):
    headers = {"HTTP_X_TWILIO_SIGNATURE": "forged"}
    assert provider.post("voice/", {"CallSid": sid("CA")}, **headers).status_code == 403


def test_the_fallback_asks_no_database(provider, django_assert_num_queries):
    with django_assert_num_queries(0):
        provider.post("voice/fallback/", {"CallSid": sid("CA"), "ErrorCode": "11200"})


@pytest.mark.parametrize("header", ["forged", ""])
def test_a_forged_webhook_is_refused_without_a_cache_too(provider, monkeypatch, header, caplog):
    def gone(*_, **__):
        raise redis.ConnectionError("nobody listens")

    for name in ("add", "incr", "get"):
        monkeypatch.setattr(caches["default"], name, gone)
    answer = provider.post("voice/", {"CallSid": sid("CA")}, HTTP_X_TWILIO_SIGNATURE=header)
    assert answer.status_code == 403
    assert "could not be counted" in caplog.text
