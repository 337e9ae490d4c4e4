"""Every endpoint of the simulator and every error it knows, as requests by hand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from telephony import provider
from telephony.simulator.faults import WEBHOOKS
from telephony.simulator.fixtures import CREDENTIALS
from telephony.simulator.in_process import Simulator
from telephony.simulator.inventory import shelf
from telephony.tests.traffic_cases import traffic_cases
from telephony.values import OwnedNumber

LIVE = (CREDENTIALS.account, CREDENTIALS.token)
ME = f"/2010-04-01/Accounts/{CREDENTIALS.account}"
OFFERS, MINE = f"{ME}/AvailablePhoneNumbers", f"{ME}/IncomingPhoneNumbers"
PRICES = "/v1/PhoneNumbers/Countries"
SOMEBODY = "AC" + "5" * 32
NOBODYS = "PN" + "0" * 32
ADDRESS, BUNDLE = "AD" + "a" * 32, "BU" + "b" * 32
HOOK = "https://desk.example/webhooks/"
THE_SENDER = "the number that ``before`` has made"


def first(country: str, kind: str, area_code: str = "") -> str:
    """The first number of a shelf: always the same one."""
    return next(shelf(country, kind, area_code)).e164


NEW_YORK = first("US", "local", "212")
TOLL_FREE = first("US", "toll_free")
TALLINN = first("EE", "local")  # voice only, nothing asked
BRITISH_MOBILE = first("GB", "mobile")  # an address from anywhere
DUBLIN = first("IE", "local")  # a local address
BERLIN = first("DE", "local", "30")  # a local address and documents
FINNISH_MOBILE = first("FI", "mobile")


def nothing(simulator: Simulator) -> str:
    return ""


def owning(e164: str, **fields: str) -> Callable[[Simulator], str]:
    """Bought over the wire's own rules beforehand; the path may name its ``{sid}``."""

    def prepare(simulator: Simulator) -> str:
        return simulator.seed(e164, **fields)

    return prepare


def somebody_owns(e164: str) -> Callable[[Simulator], str]:
    return lambda simulator: simulator.seed(e164, account=SOMEBODY)


def released(e164: str) -> Callable[[Simulator], str]:
    def prepare(simulator: Simulator) -> str:
        sid = simulator.seed(e164)
        simulator.app.state.release(simulator.account, sid)
        return sid

    return prepare


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    method: str
    path: str
    fields: dict[str, str] = field(default_factory=dict)
    status: int = 200
    code: int = 0
    before: Callable[[Simulator], str] = nothing
    host: str = "api.twilio.com"
    pair: tuple[str, str] = LIVE
    fault: str = ""

    def about(self, sid: str) -> tuple[str, dict[str, str]]:
        """Path and fields with what ``before`` has made."""
        pool, _, number = sid.rpartition("/")
        fields = {n: number if value == THE_SENDER else value for n, value in self.fields.items()}
        return self.path.format(sid=sid, pool=pool), fields


def buying(name: str, number: str, status: int, code: int = 0, **more: object) -> Case:
    fields = {"PhoneNumber": number, **more.pop("fields", {})}  # type: ignore[dict-item]
    return Case(name, "POST", f"{MINE}.json", fields, status, code, **more)  # type: ignore[arg-type]


READING = [
    Case("countries", "GET", f"{OFFERS}.json"),
    Case("one country", "GET", f"{OFFERS}/US.json"),
    Case("a country without numbers", "GET", f"{OFFERS}/AQ.json", {}, 404, 20404),
    Case("local", "GET", f"{OFFERS}/US/Local.json"),
    Case("local elsewhere", "GET", f"{OFFERS}/GB/Local.json"),
    Case("toll-free", "GET", f"{OFFERS}/US/TollFree.json", {"AreaCode": "888"}),
    Case("mobile", "GET", f"{OFFERS}/GB/Mobile.json", {"SmsEnabled": "true"}),
    Case("national", "GET", f"{OFFERS}/JP/National.json", {"VoiceEnabled": "true"}),
    Case("no result", "GET", f"{OFFERS}/US/Local.json", {"AreaCode": "310"}),
    Case("a type not offered", "GET", f"{OFFERS}/US/Mobile.json", {}, 404, 20404),
    Case("a type unknown", "GET", f"{OFFERS}/US/Voip.json", {}, 404, 20404),
    Case("too short", "GET", f"{OFFERS}/US/Local.json", {"Contains": "5"}, 400, 21421),
    Case("too long", "GET", f"{OFFERS}/US/Local.json", {"Contains": "5" * 17}, 400, 21421),
    Case("no pattern", "GET", f"{OFFERS}/US/Local.json", {"Contains": "5+5"}, 400, 21421),
    Case("a page of offers too large", "GET", f"{OFFERS}/US/Local.json", {"PageSize": "1001"},
         400, 20007),
    Case("a place that is none", "GET", f"{OFFERS}/US/Local.json", {"NearLatLong": "here"},
         400, 20001),
    Case("owned, none", "GET", f"{MINE}.json"),
    Case("owned", "GET", f"{MINE}.json", before=owning(NEW_YORK)),
    Case("a page too large", "GET", f"{MINE}.json", {"PageSize": "1001"}, 400, 20007),
    Case("a page size that is none", "GET", f"{MINE}.json", {"PageSize": "all"}, 400, 20001),
    Case("a token that is none", "GET", f"{MINE}.json", {"Page": "1", "PageToken": "PA1"},
         400, 20001),
    Case("one number", "GET", f"{MINE}/{{sid}}.json", before=owning(NEW_YORK)),
    Case("one unknown", "GET", f"{MINE}/{NOBODYS}.json", {}, 404, 20404),
    Case("somebody's number", "GET", f"{MINE}/{{sid}}.json", {}, 404, 20404,
         somebody_owns(NEW_YORK)),
    Case("account", "GET", f"{ME}.json"),
    Case("balance", "GET", f"{ME}/Balance.json"),
    Case("somebody's account", "GET", f"/2010-04-01/Accounts/{SOMEBODY}.json", {}, 404, 20404),
    Case("prices", "GET", PRICES, host="pricing.twilio.com"),
    Case("prices, second page", "GET", PRICES, {"PageSize": "20", "Page": "1"},
         host="pricing.twilio.com"),
    Case("prices of a country", "GET", f"{PRICES}/GB", host="pricing.twilio.com"),
    Case("prices of no country", "GET", f"{PRICES}/AQ", {}, 404, 20404, host="pricing.twilio.com"),
    Case("prices at the other host", "GET", PRICES, {}, 404, 20404),
    Case("nothing there", "GET", f"{ME}/Nothing.json", {}, 404, 20404),
    Case("wrong token", "GET", f"{ME}.json", {}, 401, 20003, pair=(CREDENTIALS.account, "wrong")),
    Case("no account", "GET", f"{ME}.json", {}, 401, 20003, pair=("", "")),
]  # fmt: skip

BUYING = [
    buying("buy", NEW_YORK, 201, fields={"FriendlyName": "Front desk", "VoiceUrl": HOOK}),
    buying("buy what is owned", NEW_YORK, 201, before=owning(NEW_YORK)),
    buying("buy as people write it", f"{NEW_YORK[:5]} {NEW_YORK[5:8]}-{NEW_YORK[8:]}", 201),
    buying("buy with an address", BRITISH_MOBILE, 201, fields={"AddressSid": ADDRESS}),
    buying("buy with address and bundle", BERLIN, 201,
           fields={"AddressSid": ADDRESS, "BundleSid": BUNDLE}),
    buying("taken", NEW_YORK, 400, 21422, before=somebody_owns(NEW_YORK)),
    buying("taken, where an address is asked for", BRITISH_MOBILE, 400, 21422,
           before=somebody_owns(BRITISH_MOBILE)),
    buying("released", NEW_YORK, 400, 21422, before=released(NEW_YORK)),
    buying("on no shelf", "+12125550100", 400, 21422),
    buying("no number", "33", 400, 21421),
    buying("no number at all", "", 400, 21421),
    buying("letters", "+1212CALLNOW", 400, 21421),
    buying("address missing", BRITISH_MOBILE, 400, 21631),
    buying("local address missing", DUBLIN, 400, 21615),
    buying("bundle missing", BERLIN, 400, 21649, fields={"AddressSid": ADDRESS}),
    buying("fallback without voice", NEW_YORK, 400, 21405, fields={"VoiceFallbackUrl": HOOK}),
    buying("fallback without text", NEW_YORK, 400, 21406, fields={"SmsFallbackUrl": HOOK}),
    buying("texts to a voice line", TALLINN, 400, 21407, fields={"SmsUrl": HOOK}),
    buying("caller names abroad", TALLINN, 400, 21409, fields={"VoiceCallerIdLookup": "true"}),
    buying("address that is none", NEW_YORK, 400, 21402, fields={"VoiceUrl": "desk.example"}),
    buying("method that is none", NEW_YORK, 400, 21403, fields={"VoiceMethod": "FETCH"}),
    buying("name too long", NEW_YORK, 400, 20002, fields={"FriendlyName": "n" * 65}),
    Case("by area code", "POST", f"{MINE}.json", {"AreaCode": "212"}, 201),
    Case("by sold-out area code", "POST", f"{MINE}.json", {"AreaCode": "310"}, 400, 21452),
    Case("by wrong area code", "POST", f"{MINE}.json", {"AreaCode": "12"}, 400, 21451),
    Case("as local", "POST", f"{MINE}/Local.json", {"PhoneNumber": NEW_YORK}, 201),
    Case("as toll-free", "POST", f"{MINE}/TollFree.json", {"PhoneNumber": TOLL_FREE}, 201),
    Case("as mobile", "POST", f"{MINE}/Mobile.json", {"PhoneNumber": FINNISH_MOBILE}, 201),
    Case("as another type", "POST", f"{MINE}/TollFree.json", {"PhoneNumber": NEW_YORK}, 400, 21458),
    Case("as a type by area code", "POST", f"{MINE}/Local.json", {"AreaCode": "212"}, 400, 21457),
]  # fmt: skip

CHANGING = [
    Case("update", "POST", f"{MINE}/{{sid}}.json", {"VoiceUrl": HOOK, "VoiceMethod": "GET"},
         before=owning(NEW_YORK)),
    Case("update, fallback without voice", "POST", f"{MINE}/{{sid}}.json",
         {"VoiceFallbackUrl": HOOK}, 400, 21405, owning(NEW_YORK)),
    Case("update, fallback of a voice that is there", "POST", f"{MINE}/{{sid}}.json",
         {"VoiceFallbackUrl": HOOK}, before=owning(NEW_YORK, voice_url=HOOK)),
    Case("update, fallback without text", "POST", f"{MINE}/{{sid}}.json",
         {"SmsFallbackUrl": HOOK}, 400, 21406, owning(NEW_YORK)),
    Case("update an application", "POST", f"{MINE}/{{sid}}.json",
         {"VoiceApplicationSid": "AP" + "c" * 32}, before=owning(NEW_YORK)),
    Case("update a trunk", "POST", f"{MINE}/{{sid}}.json", {"TrunkSid": "TK" + "d" * 32},
         before=owning(NEW_YORK)),
    Case("update one unknown", "POST", f"{MINE}/{NOBODYS}.json", {}, 404, 20404),
    Case("release", "DELETE", f"{MINE}/{{sid}}.json", status=204, before=owning(NEW_YORK)),
    Case("release one with an emergency address", "DELETE", f"{MINE}/{{sid}}.json", {}, 400, 20001,
         owning(NEW_YORK, emergency_address_status="registered")),
    Case("release one that is gone", "DELETE", f"{MINE}/{{sid}}.json", {}, 404, 20404,
         released(NEW_YORK)),
]  # fmt: skip

FAILING = [
    buying("fault: taken", NEW_YORK, 400, 21422, fault="taken"),
    buying("fault: address", NEW_YORK, 400, 21631, fault="address_required"),
    buying("fault: local address", NEW_YORK, 400, 21615, fault="local_address_required"),
    buying("fault: bundle", NEW_YORK, 400, 21649, fault="bundle_required"),
    buying("fault: trial", NEW_YORK, 400, 21404, fault="trial"),
    buying("fault: unauthorized", NEW_YORK, 401, 20003, fault="unauthorized"),
    buying("fault: suspended", NEW_YORK, 403, 20005, fault="suspended"),
    buying("fault: busy", NEW_YORK, 429, 20429, fault="rate_limited"),
    buying("fault: broken", NEW_YORK, 500, 20500, fault="server_error"),
    buying("fault: out of service", NEW_YORK, 503, 20503, fault="unavailable"),
    buying("fault: broken afterwards", NEW_YORK, 500, 20500, fault="error_after"),
    Case("fault: porting out", "DELETE", f"{MINE}/{{sid}}.json", {}, 400, 22350,
         owning(NEW_YORK), fault="porting_out"),
    Case("fault: slow", "GET", f"{ME}.json", fault="slow"),
    Case("fault: nothing there", "GET", f"{OFFERS}/US/Local.json", fault="no_inventory"),
    Case("fault: an empty list", "GET", f"{MINE}.json", fault="list_empty"),
    Case("fault: dearer", "GET", f"{PRICES}/US", host="pricing.twilio.com",
         fault="price_change"),
]  # fmt: skip

# No answer of the contract comes back: test_contract and test_over_http try these.
# What goes wrong with webhooks is tried in test_postman.
WITHOUT_ANSWER = {"answer_lost", "timeout_before", "not_json", *WEBHOOKS}

SERVICES, MESSAGING = "/v1/Services", {"host": "messaging.twilio.com"}
NO_SERVICE = "MG" + "0" * 32


def service(*senders: str) -> Callable[[Simulator], str]:
    """A messaging service with these numbers; the path may name its ``{sid}``."""

    def prepare(simulator: Simulator) -> str:
        return simulator.service(*[simulator.seed(e164) for e164 in senders])

    return prepare


def sender(simulator: Simulator) -> str:
    """The path of a number in a pool, from its service on."""
    sid = simulator.seed(NEW_YORK)
    return f"{simulator.service(sid)}/PhoneNumbers/{sid}"


def sender_to_be(*, pool: str) -> Callable[[Simulator], str]:
    """The path of a number in the ``pool`` that the form asks for: it is in none, in this one
    or in another one already.
    """

    def prepare(simulator: Simulator) -> str:
        sid = simulator.seed(NEW_YORK)
        service = simulator.service(*([sid] if pool == "this" else []))
        if pool == "another":
            simulator.service(sid)
        return f"{service}/PhoneNumbers/{sid}"

    return prepare


SERVING = [
    Case("a service", "POST", SERVICES, {"FriendlyName": "Marketing", "InboundRequestUrl": HOOK},
         201, **MESSAGING),
    Case("a service without a name", "POST", SERVICES, {}, 400, 20001, **MESSAGING),
    Case("a service with an address that is none", "POST", SERVICES,
         {"FriendlyName": "Marketing", "InboundRequestUrl": "desk"}, 400, 21402, **MESSAGING),
    Case("services", "GET", SERVICES, before=service(), **MESSAGING),
    Case("one service", "GET", f"{SERVICES}/{{sid}}", before=service(), **MESSAGING),
    Case("no service", "GET", f"{SERVICES}/{NO_SERVICE}", {}, 404, 20404, **MESSAGING),
    Case("a service that defers", "POST", f"{SERVICES}/{{sid}}",
         {"UseInboundWebhookOnNumber": "true"}, before=service(), **MESSAGING),
    Case("a service taken away", "DELETE", f"{SERVICES}/{{sid}}", status=204,
         before=service(NEW_YORK), **MESSAGING),
    Case("senders", "GET", f"{SERVICES}/{{sid}}/PhoneNumbers", before=service(NEW_YORK),
         **MESSAGING),
    Case("senders of no service", "GET", f"{SERVICES}/{NO_SERVICE}/PhoneNumbers", {}, 404, 20404,
         **MESSAGING),
    Case("one sender", "GET", f"{SERVICES}/{{sid}}", before=sender, **MESSAGING),
    Case("no sender", "GET", f"{SERVICES}/{{sid}}/PhoneNumbers/{NOBODYS}", {}, 404, 20404,
         service(NEW_YORK), **MESSAGING),
    Case("a sender taken away", "DELETE", f"{SERVICES}/{{sid}}", status=204, before=sender,
         **MESSAGING),
    Case("a sender of nobody's", "POST", f"{SERVICES}/{{sid}}/PhoneNumbers",
         {"PhoneNumberSid": NOBODYS}, 404, 20404, service(), **MESSAGING),
    Case("a new sender", "POST", f"{SERVICES}/{{pool}}", {"PhoneNumberSid": THE_SENDER}, 201,
         before=sender_to_be(pool="none"), **MESSAGING),
    Case("a sender that is in it", "POST", f"{SERVICES}/{{pool}}", {"PhoneNumberSid": THE_SENDER},
         409, 21710, sender_to_be(pool="this"), **MESSAGING),
    Case("a sender of another service", "POST", f"{SERVICES}/{{pool}}",
         {"PhoneNumberSid": THE_SENDER}, 409, 21712, sender_to_be(pool="another"), **MESSAGING),
]  # fmt: skip

CASES = [
    *READING, *BUYING, *CHANGING, *FAILING, *SERVING,
    *traffic_cases(Case, ME, NEW_YORK, TALLINN),
]  # fmt: skip


def list_owned(*, page_size: int = 1000) -> Iterator[OwnedNumber]:
    """One after another, as the pages come."""
    return chain.from_iterable(provider.list_pages(page_size=page_size))
