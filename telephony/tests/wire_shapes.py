"""The provider's answers, key by key, as recorded in ``shapes/``.

A shape gives each key a kind: ``text``, ``PN sid``, ``one of a, b``, and so on, ``or nothing``
where an unset value comes as null or as an empty string. Keys are complete: one more or one
less is a difference.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "shapes"
ACCOUNT = r"/2010-04-01/Accounts/AC[0-9a-f]{32}"
SHAPES = [
    ("GET", rf"{ACCOUNT}\.json", "account"),
    ("GET", rf"{ACCOUNT}/Balance\.json", "balance"),
    ("GET", rf"{ACCOUNT}/AvailablePhoneNumbers\.json", "available_countries"),
    ("GET", rf"{ACCOUNT}/AvailablePhoneNumbers/[A-Z]{{2}}\.json", "available_country"),
    ("GET", rf"{ACCOUNT}/AvailablePhoneNumbers/[A-Z]{{2}}/\w+\.json", "available_phone_numbers"),
    ("GET", rf"{ACCOUNT}/IncomingPhoneNumbers\.json", "incoming_phone_numbers"),
    ("POST", rf"{ACCOUNT}/IncomingPhoneNumbers\.json", "incoming_phone_number"),
    ("POST", rf"{ACCOUNT}/IncomingPhoneNumbers/[A-Z][a-z]\w+\.json", "incoming_of_one_type"),
    ("(GET|POST)", rf"{ACCOUNT}/IncomingPhoneNumbers/PN\w+\.json", "incoming_phone_number"),
    ("GET", r"/v1/PhoneNumbers/Countries", "price_countries"),
    ("GET", r"/v1/PhoneNumbers/Countries/[A-Z]{2}", "price_country"),
    ("POST", rf"{ACCOUNT}/Messages\.json", "message"),
    ("POST", rf"{ACCOUNT}/Calls\.json", "call"),
    ("GET", rf"{ACCOUNT}/Messages\.json", "messages"),
    ("(GET|POST)", rf"{ACCOUNT}/Messages/[SM]M\w+\.json", "stored_message"),
    ("GET", rf"{ACCOUNT}/Messages/[SM]M\w+/Media\.json", "media_list"),
    ("GET", rf"{ACCOUNT}/Calls\.json", "calls"),
    ("(GET|POST)", rf"{ACCOUNT}/Calls/CA\w+\.json", "stored_call"),
    ("GET", rf"{ACCOUNT}/Calls/CA\w+/Recordings\.json", "recordings"),
    ("GET", r"/v1/Alerts", "alerts"),
    ("GET", r"/v1/Alerts/NO\w+", "single_alert"),
    ("GET", r"/v1/Services", "messaging_services"),
    ("(GET|POST)", r"/v1/Services(/MG\w+)?", "messaging_service"),
    ("GET", r"/v1/Services/MG\w+/PhoneNumbers", "service_senders"),
    ("(GET|POST)", r"/v1/Services/MG\w+/PhoneNumbers(/PN\w+)?", "service_sender"),
    ("GET", r"/v1/Voice/Countries/[A-Z]{2}", "voice_prices"),
    ("GET", r"/v1/Messaging/Countries/[A-Z]{2}", "messaging_prices"),
]
DAY = "(Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
MONTH = "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
TEXTS = {
    "text": r".+",
    "date": rf"{DAY}, \d\d {MONTH} \d{{4}} \d\d:\d\d:\d\d \+0000",
    "moment": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "decimal text": r"-?\d+(\.\d+)?",
    "address": r"https?://[^/\s]+.*",
    "path": r"/2010-04-01/\S+",
    "E.164": r"\+[1-9]\d{6,14}",
    "country": r"[A-Z]{2}",
    "message or picture sid": r"[SM]M[0-9a-f]{32}",
}


def differences(method: str, path: str, status: int, body: Any) -> list[str]:
    """What an answer has that its shape has not, or the other way round."""
    if status == 204:
        return ["a body with 204"] if body else []
    name = _shape_for(method, path, status)
    return _compare(name, body, name) if name else [f"no shape for {method} {path}"]


def _shape_for(method: str, path: str, status: int) -> str:
    if status >= 400:
        return "error_401" if status == 401 else "error"
    return next(
        (
            name
            for methods, pattern, name in SHAPES
            if re.fullmatch(methods, method) and re.fullmatch(pattern, path)
        ),
        "",
    )


@cache
def _load(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def _compare(kind: Any, value: Any, place: str) -> list[str]:
    if isinstance(kind, str) and (FOLDER / f"{kind}.json").exists():
        kind = _load(kind)
    if isinstance(kind, list):
        return _compare_list(kind[0], value, place)
    if isinstance(kind, dict):
        return _compare_object(kind, value, place)
    return [] if _is_a(kind, value) else [f"{place} is {value!r}, not {kind}"]


def _compare_list(kind: Any, value: Any, place: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{place} is {value!r}, not a list"]
    return [
        difference
        for position, item in enumerate(value)
        for difference in _compare(kind, item, f"{place}[{position}]")
    ]


def _compare_object(kinds: dict[str, Any], value: Any, place: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{place} is {value!r}, not an object"]
    if "*" in kinds:
        kinds = dict.fromkeys(value, kinds["*"])
    found = [f"{place} lacks {key}" for key in sorted(set(kinds) - set(value))]
    found += [f"{place} has {key} too" for key in sorted(set(value) - set(kinds))]
    for key in sorted(set(kinds) & set(value)):
        found += _compare(kinds[key], value[key], f"{place}.{key}")
    return found


def _is_a(kind: str, value: Any) -> bool:
    if kind.endswith(" or nothing"):
        return value in (None, "") or _is_a(kind.removesuffix(" or nothing"), value)
    if kind == "yes or no":
        return isinstance(value, bool)
    if kind == "whole number":
        return isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(value, str):
        return False
    if kind.startswith("one of "):
        return value in kind.removeprefix("one of ").split(", ")
    if kind.endswith(" sid") and kind not in TEXTS:
        return bool(re.fullmatch(rf"{kind[:2]}[0-9a-f]{{32}}", value))
    return bool(re.fullmatch(TEXTS[kind], value))
