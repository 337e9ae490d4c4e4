"""Who may bring calls and messages: the provider, and nobody who pretends to be it."""

import pytest
from twilio.request_validator import RequestValidator

from interactions.models import Call, RefusedWebhook
from telephony.payloads import Fields
from telephony.signature import is_genuine

pytestmark = pytest.mark.django_db(transaction=True)

# The example of Twilio's documentation ("Validating Signatures from Twilio").
DOCUMENTED = {
    "Digits": ["1234"], "To": ["+18005551212"], "From": ["+14158675310"],
    "Caller": ["+14158675310"], "CallSid": ["CA1234567890ABCDE"],
}  # fmt: skip


def test_the_documented_example_is_genuine(settings):
    settings.PUBLIC_BASE_URL, settings.TWILIO_AUTH_TOKEN = "https://example.com", "12345"
    path = "/myapp.php?foo=1&bar=2"
    signature = "L/OH5YylLD5NRKLltdqwSvS0BnU="
    assert is_genuine(path=path, fields=Fields(DOCUMENTED), signature=signature)
    changed = Fields(DOCUMENTED | {"Digits": ["1235"]})
    assert not is_genuine(path=path, fields=changed, signature=signature)
    assert not is_genuine(path="/myapp.php?foo=1", fields=Fields(DOCUMENTED), signature=signature)


@pytest.mark.parametrize("base", ["https://desk.test", "http://127.0.0.1:8160"])
def test_what_the_sdk_signs_is_genuine_with_and_without_a_port(settings, base):
    settings.PUBLIC_BASE_URL, settings.TWILIO_AUTH_TOKEN = base, "secret"
    fields = Fields.read(b"Body=caf%C3%A9+%F0%9F%98%80&To=%2B1&Empty=&To=%2B1&To=%2B2")
    signature = RequestValidator("secret").compute_signature(f"{base}/webhooks/x/", fields)
    assert is_genuine(path="/webhooks/x/", fields=fields, signature=signature)


def test_a_genuine_webhook_is_answered(provider, number):
    _sid, response = provider.call(number.e164)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/xml; charset=utf-8"


@pytest.mark.parametrize("signature", ["", "bm90IGl0", "L/OH5YylLD5NRKLltdqwSvS0BnU="])
def test_a_missing_or_wrong_signature_is_refused_and_counted(provider, number, signature):
    form = {"CallSid": "CA" + "0" * 32, "From": "+14155550123", "To": number.e164}
    headers = {"HTTP_X_TWILIO_SIGNATURE": signature}
    response = provider.post("voice/", form, **headers)
    assert response.status_code == 403
    assert not Call.objects.exists()
    row = RefusedWebhook.objects.get()
    assert (row.path, row.count) == ("/webhooks/twilio/voice/", 1)
    assert row.because == ("forged" if signature else "unsigned")
    assert row.last_called == number.e164


def test_without_the_header_it_is_refused(provider, number):
    response = provider.client.post("/webhooks/twilio/voice/", {"CallSid": "CA" + "0" * 32})
    assert response.status_code == 403


def test_both_tokens_are_good_while_they_are_being_exchanged(provider, number, settings):
    settings.TWILIO_AUTH_TOKEN_SECONDARY = "the-next-token"
    assert provider.call(number.e164)[1].status_code == 200
    provider.token = "the-next-token"
    assert provider.call(number.e164)[1].status_code == 200
    provider.token = "another-token"
    assert provider.call(number.e164)[1].status_code == 403


def test_many_refusals_are_counted_and_write_one_row(provider, number):
    for _ in range(7):
        provider.post("voice/", {"To": number.e164}, HTTP_X_TWILIO_SIGNATURE="wrong")
    assert RefusedWebhook.objects.count() == 1


def test_a_changed_field_or_query_is_refused(provider, number):
    good = {"CallSid": "CA" + "0" * 32, "From": "+14155550123", "To": number.e164}
    base = "https://desk.test/webhooks/twilio/voice/dialled/"
    signature = RequestValidator(provider.token).compute_signature(f"{base}?round=0", good)
    headers = {"HTTP_X_TWILIO_SIGNATURE": signature}
    assert provider.post("voice/dialled/?round=0", good, **headers).status_code == 200
    assert provider.post("voice/dialled/?round=1", good, **headers).status_code == 403
    changed = good | {"DialCallStatus": "completed"}
    assert provider.post("voice/dialled/?round=0", changed, **headers).status_code == 403


def test_a_large_body_is_not_read(provider):
    form = {"CallSid": "CA" + "0" * 32, "Body": "x" * 70_000}
    assert provider.post("message/", form).status_code == 413
    assert RefusedWebhook.objects.get().because == "too_large"


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"Body=%ff%fe", b"&".join(b"a%d=1" % n for n in range(400))]
)
def test_what_is_no_form_is_refused(provider, body):
    response = provider.client.post(
        "/webhooks/twilio/message/", body, content_type="application/x-www-form-urlencoded",
        HTTP_X_TWILIO_SIGNATURE="x",
    )  # fmt: skip
    assert response.status_code == 400


def test_a_form_without_a_sid_is_refused(provider, number):
    assert provider.post("voice/", {"To": number.e164}).status_code == 400


def test_only_post_is_answered(provider):
    assert provider.client.get("/webhooks/twilio/voice/").status_code == 405


def test_an_address_without_its_slash_is_not_redirected(provider, number):
    response = provider.post("voice", {"CallSid": "CA" + "0" * 32, "To": number.e164})
    assert response.status_code == 404
