"""TwiML, carried out by the simulated provider: each verb, as it is heard from outside."""

import itertools

import pytest

from telephony.simulator.postman import Reply

NUMBER, CALLER, PHONE = "+12125550123", "+14155550123", "+13105550101"
VOICE = "https://site.test/voice/"


class Site:
    """A site that answers each address with the next of the documents written for it."""

    def __init__(self) -> None:
        self.documents: dict[str, list] = {}
        self.asked: list[tuple[str, dict]] = []

    def __call__(self, address, body, headers, seconds):
        from urllib.parse import parse_qsl

        path = address.removeprefix("https://site.test")
        self.asked.append((path, dict(parse_qsl(body, keep_blank_values=True))))
        waiting = self.documents.get(path) or [""]
        document = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(document, Reply):
            return document
        return Reply(200, "text/xml", f"<Response>{document}</Response>".encode())

    def fields(self, path: str) -> dict:
        return next(fields for asked, fields in self.asked if asked == path)


@pytest.fixture
def site(simulator):
    site = Site()
    simulator.app.postman.transport = site
    simulator.seed(
        NUMBER, type="local", voice_url=VOICE, voice_fallback_url="https://site.test/fallback/",
        status_callback="https://site.test/status/", sms_url="https://site.test/text/#rc=1",
        sms_fallback_url="https://site.test/text/fallback/",
    )  # fmt: skip
    return site


@pytest.fixture
def hear(site, simulator):
    """Calls the number with this TwiML behind it and returns the transcript."""

    def call(twiml, *, more: dict | None = None, **person) -> list[str]:
        site.documents["/voice/"] = [twiml]
        for path, document in (more or {}).items():
            site.documents[path] = [document]
        live = simulator.call(caller=CALLER, called=NUMBER, person=simulator.person(**person))
        simulator.run()
        assert live.over
        return live.transcript

    return call


def test_say_play_pause_and_hang_up_in_order(hear, site):
    heard = hear("<Say loop='2'>Hello</Say><Play>https://x.test/a.mp3</Play><Pause/><Hangup/>"
                 "<Say>never</Say>")  # fmt: skip
    assert heard[:4] == ["Says: Hello", "Says: Hello", "Plays https://x.test/a.mp3", "Hangs up"]
    assert "never" not in " ".join(heard)


def test_the_first_request_has_twilios_fields(hear, site):
    hear("<Hangup/>")
    fields = site.fields("/voice/")
    assert fields["CallStatus"] == "ringing"
    assert (fields["From"], fields["To"], fields["Direction"]) == (CALLER, NUMBER, "inbound")
    assert (fields["ToCity"], fields["ToState"], fields["ToCountry"]) == ("NEW YORK", "NY", "US")
    assert fields["FromZip"] == ""


def test_the_end_of_a_call_is_reported_with_its_length(hear, site):
    hear("<Pause length='61'/>")
    fields = site.fields("/status/")
    assert (fields["CallStatus"], fields["CallDuration"], fields["Duration"]) == (
        "completed", "61", "2",
    )  # fmt: skip


def test_reject_does_not_pick_up(hear, site):
    heard = hear("<Reject reason='busy'/>")
    assert heard[0] == "Rejected: a busy tone"
    assert site.fields("/status/")["CallStatus"] == "busy"


def test_gather_sends_the_keys_and_goes_on_without_any(hear, site):
    twiml = "<Gather action='/keys/' numDigits='2'><Say>Press</Say></Gather><Say>Nothing</Say>"
    heard = hear(twiml, more={"/keys/": "<Say>Thanks</Say>"}, keys=["4", "2"])
    assert site.fields("/keys/")["Digits"] == "42"
    assert "Says: Thanks" in heard
    assert "Says: Nothing" in hear(twiml)


def test_gather_ends_with_the_finish_key(hear, site):
    hear("<Gather action='/keys/'/>", more={"/keys/": ""}, keys=["123#"])
    assert site.fields("/keys/")["Digits"] == "123"


def test_redirect_and_relative_addresses(hear, site):
    heard = hear("<Redirect>next/</Redirect><Say>never</Say>",
                 more={"/voice/next/": "<Say>There</Say>"})  # fmt: skip
    assert "Says: There" in heard
    assert "Says: never" not in heard


def test_redirecting_in_a_circle_ends(hear):
    assert hear("<Redirect>/voice/</Redirect>")[0].startswith("Error 11215")


def test_record_keeps_what_was_said_and_tells_both_addresses(hear, site, simulator):
    hear("<Record action='/done/' recordingStatusCallback='https://site.test/ready/' "
         "transcribe='true' transcribeCallback='https://site.test/heard/'/>",
         more={"/done/": "<Hangup/>"}, speaks=4)  # fmt: skip
    done = site.fields("/done/")
    assert (done["RecordingDuration"], done["Digits"]) == ("4", "#")
    assert site.fields("/ready/")["RecordingStatus"] == "completed"
    assert site.fields("/heard/")["TranscriptionStatus"] == "completed"
    recording = simulator.app.exchange.traffic.recording(done["RecordingSid"])
    assert recording["content"].startswith(b"RIFF")


def test_record_hears_the_caller_hang_up(hear, site):
    hear("<Record action='/done/'/>", more={"/done/": ""}, speaks=9, hangs_up_after=4)
    assert site.fields("/done/")["Digits"] == "hangup"


def test_silence_is_not_recorded(hear, site):
    heard = hear("<Record action='/done/' timeout='3'/><Say>Nothing heard</Say>")
    assert "Says: Nothing heard" in heard
    assert "/done/" not in dict(site.asked)


def test_dial_connects_and_tells_the_action(hear, site, simulator):
    simulator.phone(PHONE, picks_up_after=3, talks=42)
    hear(f"<Dial action='/after/' answerOnBridge='true'><Number>{PHONE}</Number></Dial>",
         more={"/after/": "<Hangup/>"})  # fmt: skip
    after = site.fields("/after/")
    assert (after["DialCallStatus"], after["DialBridged"], after["DialCallDuration"]) == (
        "completed", "true", "42",
    )  # fmt: skip
    assert site.fields("/status/")["CallDuration"] == "42"


@pytest.mark.parametrize(
    ("does", "status"),
    [({"busy": True}, "busy"), ({"picks_up_after": 99}, "no-answer"), ({}, "no-answer")],
)
def test_dial_tells_why_nobody_took_it(hear, site, simulator, does, status):
    simulator.phone(PHONE, **does)
    hear(f"<Dial action='/after/' timeout='10'>{PHONE}</Dial>", more={"/after/": "<Hangup/>"})
    assert site.fields("/after/")["DialCallStatus"] == status


def test_dial_shows_only_a_number_that_is_the_accounts(hear, site):
    hear(f"<Dial action='/after/' callerId='+12125559999'>{PHONE}</Dial>", more={"/after/": ""})
    assert site.fields("/after/")["DialCallStatus"] == "failed"


def test_dial_ends_at_its_limit(hear, site, simulator):
    simulator.phone(PHONE, picks_up_after=1)
    hear(f"<Dial action='/after/' timeLimit='60'>{PHONE}</Dial>", more={"/after/": ""})
    assert site.fields("/after/")["DialCallDuration"] == "60"


def test_dialling_another_number_of_the_account_reaches_its_webhook(hear, site, simulator):
    other = "+13105550199"
    simulator.seed(other, type="local", voice_url="https://site.test/other/")
    site.documents["/other/"] = ["<Say>The other one</Say>"]
    heard = hear(f"<Dial action='/after/'>{other}</Dial>", more={"/after/": "<Say>Back</Say>"})
    assert site.fields("/other/")["To"] == other
    assert "Says: Back" in heard


@pytest.mark.parametrize(
    "broken",
    [Reply(500, "text/html", b"oops"), Reply(200, "text/xml", b"<Resp"),
     Reply(200, "application/json", b"{}"), Reply(200, "text/xml", b"<Answer/>"),
     Reply(200, "text/xml", b"<Response>" + b"x" * 70_000 + b"</Response>")],
)  # fmt: skip
def test_what_is_no_twiml_falls_back(hear, site, broken):
    site.documents["/fallback/"] = ["<Say>Sorry</Say>"]
    heard = hear(broken)
    assert "Says: Sorry" in heard
    assert site.fields("/fallback/")["ErrorUrl"] == VOICE
    assert int(site.fields("/fallback/")["ErrorCode"]) > 10_000


def test_many_calls_at_once_are_kept_apart(site, simulator):
    site.documents["/voice/"] = ["<Gather action='/keys/' numDigits='1'/>"]
    numbers = itertools.count()
    for _ in range(20):
        caller = f"+1415555{next(numbers):04d}"
        simulator.call(caller=caller, called=NUMBER, person=simulator.person(keys=["7"]))
    simulator.run()
    keyed = [fields["CallSid"] for path, fields in site.asked if path == "/keys/"]
    assert len(keyed) == len(set(keyed)) == 20


# --- An answer to a message -----------------------------------------------------------------


@pytest.fixture
def texted(site, simulator):
    """Texts the number with this TwiML behind it; returns what was sent back, oldest first."""

    def text(twiml, body="Hello", more: dict | None = None) -> list[dict]:
        site.documents["/text/"] = [twiml]
        for path, document in (more or {}).items():
            site.documents[path] = [document]
        simulator.text(sender=CALLER, recipient=NUMBER, body=body)
        simulator.run()
        rows = simulator.app.exchange.traffic.newest_first("message")
        return [row for row in reversed(rows) if row["direction"] == "outbound-reply"]

    return text


def test_a_message_in_the_answer_is_sent_back_and_reported(texted, site):
    [sent] = texted("<Message action='../done/'>Thank you</Message>")
    assert (sent["from"], sent["to"], sent["body"]) == (NUMBER, CALLER, "Thank you")
    assert (sent["status"], sent["price"] is not None) == ("delivered", True)
    told = [fields["MessageStatus"] for path, fields in site.asked if path == "/done/"]
    assert told == ["sent", "delivered"]


def test_a_message_may_go_elsewhere_with_pictures_and_there_may_be_several(texted):
    picture = "<Body>Look</Body><Media>https://x.test/a.png</Media>"
    first, second = texted(f"<Message>One</Message><Message to='{PHONE}'>{picture}</Message>")
    assert (first["to"], first["num_media"]) == (CALLER, "0")
    assert (second["to"], second["body"], second["num_media"]) == (PHONE, "Look", "1")
    assert second["sid"].startswith("MM")


def test_a_redirected_message_is_answered_by_the_other_address(texted, site):
    answer = "<Redirect>next/</Redirect><Message>never</Message>"
    [sent] = texted(answer, more={"/text/next/": "<Message>From there</Message>"})
    assert sent["body"] == "From there"
    assert site.fields("/text/next/")["Body"] == "Hello"


def test_an_answer_that_is_no_twiml_goes_to_the_fallback(texted, site):
    [sent] = texted("<Message>", more={"/text/fallback/": "<Message>Sorry</Message>"})
    assert sent["body"] == "Sorry"
    assert site.fields("/text/fallback/")["ErrorCode"] == "12100"


def test_whoever_said_stop_gets_no_message_of_an_answer(texted):
    assert texted("<Message>Hello again</Message>", body="STOP") == []
