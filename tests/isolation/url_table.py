"""Every URL, and what owner, member and viewer of Acme, the owner of Globex, and somebody
without a login get there.

A row is one request: ``Row("GET app:name", owner, member, viewer, outsider, anonymous)``.
``args``, ``query`` and ``form`` take what they need from the world (world.py), where one of
everything stands ready: ``args=lambda world: {"reference": world.order.reference}``. The
workspace's slug is filled in. A POST that would succeed needs a ``form`` that does.

``foreign`` is what the outsider gets in their own workspace with Acme's ids; it is asked
wherever a row has args, query or form.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.isolation.world import World

LOGIN = "login"  # a redirect to the login page
Answer = int | str
Sample = Callable[[World], dict[str, Any]]


def nothing(_world: World) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Row:
    request: str
    owner: Answer
    member: Answer
    viewer: Answer
    outsider: Answer
    anonymous: Answer
    args: Sample = nothing
    query: Sample = nothing
    form: Sample = nothing
    foreign: Answer = 404

    @property
    def method(self) -> str:
        return self.request.split(" ")[0]

    @property
    def name(self) -> str:
        return self.request.split(" ")[1]

    @property
    def takes_ids(self) -> bool:
        return {self.args, self.query, self.form} != {nothing}

    def answers(self) -> dict[str, Answer]:
        return {
            "owner": self.owner, "member": self.member, "viewer": self.viewer,
            "outsider": self.outsider, "anonymous": self.anonymous,
        }  # fmt: skip


def number_on_review(world: World) -> dict[str, Any]:
    return {
        "country": "US", "where": "anywhere", "number": world.available.e164,
        "number_type": "local",
    }  # fmt: skip


def a_wrong_key(_world: World) -> dict[str, Any]:
    return {"uidb36": "1", "key": "none-of-ours"}


def for_everyone(answer: Answer, requests: Iterable[str], **samples: Any) -> list[Row]:
    return [Row(request, *[answer] * 5, **samples) for request in requests]


def for_the_signed_in(answer: Answer, requests: Iterable[str], **samples: Any) -> list[Row]:
    return [Row(request, *[answer] * 4, LOGIN, **samples) for request in requests]


# fmt: off
NUMBERS = [
    #                                 owner member viewer outsider anonymous
    Row("GET numbers:index",          200,  200,   200,   404,     LOGIN),
    Row("GET numbers:buy",            200,  200,   200,   404,     LOGIN),
    Row("GET numbers:review",         200,  200,   200,   404,     LOGIN, query=number_on_review, foreign=200),
    Row("POST numbers:place_order",   302,  403,   403,   404,     LOGIN, form=lambda world: {"quote": world.signed_quote()}, foreign=302),
    Row("GET numbers:order",          200,  200,   200,   404,     LOGIN, args=lambda world: {"reference": world.order.reference}),
]

WALLET = [
    #                                 owner member viewer outsider anonymous
    Row("GET wallet:index",           200,  200,   403,   404,     LOGIN),
    Row("GET wallet:add_funds",       200,  403,   403,   404,     LOGIN),
]

DESK = [
    #                                 owner member viewer outsider anonymous
    Row("GET home",                   302,  302,   302,   302,     LOGIN),
    Row("GET active_numbers",         302,  302,   302,   302,     LOGIN),
    *for_everyone(200, ["GET healthz", "GET readyz"]),
]
# fmt: on

ACCOUNT = [
    Row("GET account_login", 302, 302, 302, 302, 200),
    Row("GET account_signup", 302, 302, 302, 302, 200),
    Row("POST account_signup", 302, 302, 302, 302, 200),
    Row("GET account_logout", 200, 200, 200, 200, 302),
    *for_everyone(200, ["GET account_reset_password", "GET account_reset_password_done",
                        "GET account_reset_password_from_key_done", "GET account_inactive",
                        "GET account_email_verification_sent", "GET admin:login"]),
    Row("GET account_confirm_login_code", 302, 302, 302, 302, LOGIN),
    *for_everyone(302, ["GET admin:logout"]),
    *for_everyone(200, ["GET account_reset_password_from_key"], args=a_wrong_key, foreign=200),
    *for_everyone(200, ["GET account_confirm_email"], args=lambda _world: {"key": "none"}, foreign=200),
    *for_the_signed_in(200, ["GET account_change_password", "GET account_email",
                             "GET account_reauthenticate"]),
    *for_the_signed_in(302, ["GET account_set_password"]),
]  # fmt: skip

TABLE = [*NUMBERS, *WALLET, *DESK, *ACCOUNT]
