"""The least that a webhook can cost: a bare WSGI function on psycopg's own connection.

The same signature check and the same statement as the product's, prepared, and an answer
that is always the same.
"""

import os
import threading
from datetime import UTC, datetime
from secrets import token_urlsafe
from urllib.parse import parse_qsl

import psycopg
from twilio.request_validator import RequestValidator

VALIDATOR = RequestValidator(os.environ["TWILIO_AUTH_TOKEN"])
BASE = os.environ["PUBLIC_BASE_URL"]
CALL = "SELECT * FROM interactions_receive_call(%s, %s, %s, false, %s, %s, %s, 'Call')"
STATE = "SELECT interactions_message_status(%s, '', %s, NULL, %s)"
TWIML = b"<?xml version='1.0' encoding='UTF-8'?><Response><Hangup /></Response>"
HEAD = [("Content-Type", "text/xml; charset=utf-8"), ("Content-Length", str(len(TWIML)))]
_own = threading.local()


def application(environ, start_response):
    fields = dict(parse_qsl(environ["wsgi.input"].read().decode(), keep_blank_values=True))
    address = BASE + environ["PATH_INFO"]
    if not VALIDATOR.validate(address, fields, environ.get("HTTP_X_TWILIO_SIGNATURE", "")):
        start_response("403 Forbidden", [("Content-Length", "0")])
        return [b""]
    _store(environ["PATH_INFO"], fields)
    start_response("200 OK", HEAD)
    return [TWIML]


def _store(path, fields):
    now = datetime.now(UTC)
    if path.endswith("/status/"):
        values = [fields["MessageSid"], fields["MessageStatus"], now]
        _cursor().execute(STATE, values, prepare=True).fetchone()
        return
    values = [fields["CallSid"], fields["From"], fields["To"], now, token_urlsafe(9),
              token_urlsafe(9)]  # fmt: skip
    _cursor().execute(CALL, values, prepare=True).fetchone()


def _cursor():
    if not hasattr(_own, "cursor"):
        _own.cursor = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True).cursor()
    return _own.cursor
