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
from uuid import uuid4

from tests.isolation.world import World
from workspaces.invitations import token_of

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


def the_request(world: World) -> dict[str, Any]:
    """Asked by the viewer; seen by them and by those who decide."""
    return {"reference": world.request.reference}


def after_the_number(world: World) -> dict[str, Any]:
    return {"after": world.number.public_id}


def the_viewer(world: World) -> dict[str, Any]:
    return {"member_id": world.member_id()}


def the_invitation(world: World) -> dict[str, Any]:
    return {"invitation_id": world.invitation.public_id}


def the_link(world: World) -> dict[str, Any]:
    """Whoever has it may look, and only its address may join."""
    return {"token": token_of(world.invitation)}


def an_invitation(_world: World) -> dict[str, Any]:
    return {"email": "someone@example.test", "role": "viewer"}


def a_workspace(_world: World) -> dict[str, Any]:
    return {"name": "Initech", "time_zone": "Europe/Berlin", "colour": "blue"}


def the_number(world: World) -> dict[str, Any]:
    return {"public_id": world.number.public_id}


def the_difference(world: World) -> dict[str, Any]:
    return {**the_number(world), "difference": world.difference.public_id}


def the_numbers_route(world: World) -> dict[str, Any]:
    return {"number_id": world.number.public_id}


def the_test(world: World) -> dict[str, Any]:
    return {"number_id": world.number.public_id, "public_id": world.test.public_id}


def the_conversation(world: World) -> dict[str, Any]:
    return {"public_id": world.conversation.public_id}


def the_top_up(world: World) -> dict[str, Any]:
    return {"reference": world.top_up.reference}


def tagging(world: World) -> dict[str, Any]:
    return {"do": "tag", "n": [world.number.public_id], "tags": "Sales"}


def releasing(world: World) -> dict[str, Any]:
    return {"do": "release", "n": [world.number.public_id], "typed": "1"}


def its_last_digits(world: World) -> dict[str, Any]:
    return {"digits": world.number.e164[-4:], "when": "now"}


def a_reply(_world: World) -> dict[str, Any]:
    return {"body": "It is here", "key": str(uuid4())}


def a_picker(world: World) -> dict[str, Any]:
    return {"field": "number", "number": world.number.public_id}


def a_key(_world: World) -> dict[str, Any]:
    return {"pk": 1}


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
    Row("GET numbers:requests",       200,  200,   200,   404,     LOGIN),
    Row("POST numbers:ask_for",       302,  302,   302,   404,     LOGIN, form=lambda world: {"quote": world.signed_quote()}, foreign=302),
    Row("GET numbers:request",        200,  404,   200,   404,     LOGIN, args=the_request),
    Row("POST numbers:approve",       422,  403,   403,   404,     LOGIN, args=the_request),
    Row("POST numbers:decline",       302,  403,   403,   404,     LOGIN, args=the_request, form=lambda world: {"reason": "No"}),
    Row("POST numbers:withdraw",      404,  404,   302,   404,     LOGIN, args=the_request),
    Row("GET numbers:why",            200,  200,   200,   404,     LOGIN),
    Row("POST numbers:report",        302,  302,   302,   404,     LOGIN, form=lambda world: {"country": "US", "where": "anywhere"}, foreign=302),
    Row("GET numbers:diagnosis",      404,  404,   200,   404,     LOGIN, args=lambda world: {"reference": world.report.reference}),
    Row("GET numbers:limits",         200,  200,   200,   404,     LOGIN),
    Row("POST numbers:set_limits",    302,  403,   403,   404,     LOGIN, form=lambda world: {"numbers_per_day": "5"}, foreign=302),
    Row("GET numbers:overdue",        200,  200,   403,   404,     LOGIN),
    Row("POST numbers:pay_overdue",   422,  403,   403,   404,     LOGIN),
    Row("GET numbers:costs",          200,  200,   403,   404,     LOGIN, query=after_the_number, foreign=200),
    Row("GET numbers:unused",         200,  200,   403,   404,     LOGIN, query=after_the_number, foreign=200),
    Row("GET numbers:rent_payment",   404,  404,   403,   404,     LOGIN, args=lambda world: {"seq": 1}),
    Row("POST numbers:columns",       302,  302,   302,   404,     LOGIN, form=lambda world: {"columns": ["type"]}, foreign=302),
    Row("GET numbers:export",         200,  200,   200,   404,     LOGIN),
    Row("GET numbers:bulk",           200,  200,   403,   404,     LOGIN, query=tagging, foreign=422),
    Row("POST numbers:do_bulk",       302,  302,   403,   404,     LOGIN, form=tagging, foreign=302),
    Row("GET numbers:bulk",           200,  403,   403,   404,     LOGIN, query=releasing, foreign=422),
    Row("POST numbers:do_bulk",       302,  403,   403,   404,     LOGIN, form=releasing, foreign=422),
    Row("GET numbers:bulk_done",      200,  200,   200,   404,     LOGIN, args=lambda world: {"run_id": world.bulk_run.public_id}),
    Row("GET numbers:choices",        200,  200,   200,   404,     LOGIN, query=a_picker, foreign=200),
    Row("GET numbers:detail",         200,  200,   200,   404,     LOGIN, args=the_number),
    Row("GET numbers:number_costs",   200,  200,   403,   404,     LOGIN, args=the_number),
    Row("GET numbers:provider_data",  200,  200,   200,   404,     LOGIN, args=the_number),
    Row("GET numbers:help",           200,  200,   200,   404,     LOGIN, query=lambda world: {"number": world.number.e164, "here": "1"}, foreign=200),
    Row("POST numbers:help_report",   302,  302,   302,   404,     LOGIN, form=lambda world: {"number": world.number.e164}, foreign=302),
    Row("GET numbers:number_why",     200,  200,   200,   404,     LOGIN, args=the_number),
    Row("POST numbers:number_report", 302,  302,   302,   404,     LOGIN, args=the_number),
    Row("GET numbers:checks",         200,  200,   200,   404,     LOGIN, args=the_number),
    Row("POST numbers:check",         302,  302,   403,   404,     LOGIN, args=the_number),
    Row("POST numbers:cure_difference", 302, 302,  403,   404,     LOGIN, args=the_difference),
    Row("POST numbers:leave_difference", 302, 302, 403,   404,     LOGIN, args=the_difference),
    Row("GET numbers:edit",           200,  200,   403,   404,     LOGIN, args=the_number),
    Row("POST numbers:edit",          302,  302,   403,   404,     LOGIN, args=the_number, form=lambda world: {"friendly_name": "Sales"}),
    Row("GET numbers:deactivate",     200,  200,   403,   404,     LOGIN, args=the_number),
    Row("POST numbers:deactivate",    302,  302,   403,   404,     LOGIN, args=the_number),
    Row("POST numbers:activate",      302,  302,   403,   404,     LOGIN, args=the_number),
    Row("POST numbers:lock",          302,  302,   403,   404,     LOGIN, args=the_number),
    Row("POST numbers:unlock",        302,  403,   403,   404,     LOGIN, args=the_number),
    Row("GET numbers:release",        200,  403,   403,   404,     LOGIN, args=the_number),
    Row("POST numbers:release",       302,  403,   403,   404,     LOGIN, args=the_number, form=its_last_digits),
    Row("POST numbers:undo_release",  302,  403,   403,   404,     LOGIN, args=the_number),
    Row("POST numbers:cancel_release", 302, 403,   403,   404,     LOGIN, args=the_number),
]

INTERACTIONS = [
    #                                            owner member viewer outsider anonymous
    Row("GET interactions:index",                200,  200,   200,   404,     LOGIN, query=lambda world: {"number": world.number.public_id}, foreign=200),
    Row("GET interactions:conversation",         200,  200,   200,   404,     LOGIN, args=the_conversation),
    Row("GET interactions:of_line",              302,  302,   302,   404,     LOGIN, args=lambda world: {"public_id": world.picture.message.public_id}),
    Row("GET interactions:picture",              200,  200,   200,   404,     LOGIN, args=lambda world: {"public_id": world.picture.public_id}),
    Row("GET interactions:voicemail",            200,  200,   200,   404,     LOGIN, args=lambda world: {"public_id": world.voicemail.public_id}),
    Row("POST interactions:reply",               302,  302,   403,   404,     LOGIN, args=the_conversation, form=a_reply),
    Row("POST interactions:cost",                200,  200,   403,   404,     LOGIN, args=the_conversation, form=a_reply),
    Row("POST interactions:seen",                302,  302,   302,   404,     LOGIN, args=the_conversation),
    Row("GET interactions:test",                 200,  200,   403,   404,     LOGIN, args=the_numbers_route),
    Row("POST interactions:start_test",          302,  302,   403,   404,     LOGIN, args=the_numbers_route, form=lambda world: {"medium": "voice", "key": str(uuid4())}),
    Row("GET interactions:test_result",          200,  200,   403,   404,     LOGIN, args=the_test),
    Row("GET interactions:rates",                200,  200,   200,   404,     LOGIN),
    Row("GET interactions:route",                200,  200,   403,   404,     LOGIN, args=the_numbers_route),
    Row("POST interactions:save_voice_route",    302,  302,   403,   404,     LOGIN, args=the_numbers_route, form=lambda world: {"answer": "voicemail"}),
    Row("POST interactions:save_message_route",  302,  302,   403,   404,     LOGIN, args=the_numbers_route),
]

WALLET = [
    #                                 owner member viewer outsider anonymous
    Row("GET wallet:index",           200,  200,   403,   404,     LOGIN),
    Row("GET wallet:export",          200,  200,   403,   404,     LOGIN),
    Row("GET wallet:add_funds",       200,  403,   403,   404,     LOGIN),
    Row("GET wallet:top_up",          200,  403,   403,   404,     LOGIN, args=the_top_up),
    Row("POST wallet:pay_top_up",     302,  403,   403,   404,     LOGIN, args=the_top_up),
    Row("POST wallet:cancel_top_up",  302,  403,   403,   404,     LOGIN, args=the_top_up),
    Row("GET wallet:recharge",        200,  403,   403,   404,     LOGIN),
    Row("POST wallet:recharge",       422,  403,   403,   404,     LOGIN),
    Row("POST wallet:save_card",      302,  403,   403,   404,     LOGIN),
    Row("POST wallet:remove_card",    302,  403,   403,   404,     LOGIN),
    Row("GET wallet:precautions",     200,  403,   403,   404,     LOGIN),
    Row("POST wallet:precautions",    302,  403,   403,   404,     LOGIN, form=lambda world: {"keep_days": "3"}, foreign=302),
]

ACTIVITY = [
    #                                 owner member viewer outsider anonymous
    Row("GET activity:index",         200,  403,   403,   404,     LOGIN, query=lambda world: {"number": world.number.public_id}, foreign=200),
    Row("GET activity:export",        200,  403,   403,   404,     LOGIN),
]

WORKSPACES = [
    #                                            owner member viewer outsider anonymous
    Row("GET workspaces:start",                  302,  302,   302,   404,     LOGIN),
    Row("GET workspaces:members",                200,  403,   403,   404,     LOGIN),
    Row("POST workspaces:invite",                302,  403,   403,   404,     LOGIN, form=an_invitation, foreign=302),
    Row("GET workspaces:member",                 200,  403,   403,   404,     LOGIN, args=the_viewer),
    Row("POST workspaces:change_role",           302,  403,   403,   404,     LOGIN, args=the_viewer, form=lambda world: {"role": "member"}),
    Row("POST workspaces:change_permissions",    302,  403,   403,   404,     LOGIN, args=the_viewer, form=lambda world: {"permissions": ["numbers_create"]}),
    Row("POST workspaces:remove_member",         302,  403,   403,   404,     LOGIN, args=the_viewer),
    Row("POST workspaces:send_again",            302,  403,   403,   404,     LOGIN, args=the_invitation),
    Row("POST workspaces:withdraw_invitation",   302,  403,   403,   404,     LOGIN, args=the_invitation),
    Row("GET workspaces:settings",               200,  403,   403,   404,     LOGIN),
    Row("POST workspaces:save_settings",         302,  403,   403,   404,     LOGIN, form=a_workspace, foreign=302),
    Row("POST workspaces:archive",               422,  403,   403,   404,     LOGIN),
    Row("POST workspaces:unarchive",             302,  403,   403,   404,     LOGIN),
]

PERSONAL = [
    #                                            owner member viewer outsider anonymous
    Row("GET home",                              302,  302,   302,   302,     LOGIN),
    Row("GET active_numbers",                    302,  302,   302,   302,     LOGIN),
    Row("GET workspaces",                        200,  200,   200,   200,     LOGIN, query=lambda world: {"q": "Acme"}, foreign=200),
    Row("GET new_workspace",                     200,  200,   200,   200,     LOGIN),
    Row("POST create_workspace",                 302,  302,   302,   302,     LOGIN, form=a_workspace, foreign=302),
    Row("POST leave_workspace",                  422,  302,   302,   404,     LOGIN, args=lambda world: {"slug": "acme"}),
    Row("POST stop_acting",                      302,  302,   302,   302,     LOGIN),
    Row("POST end_session",                      404,  404,   404,   404,     LOGIN, args=a_key),
    Row("GET invitation",                        200,  200,   200,   200,     200,   args=the_link, foreign=200),
    Row("POST accept_invitation",                422,  422,   422,   422,     LOGIN, args=the_link, foreign=422),
    Row("POST join",                             422,  422,   422,   422,     422,   args=the_link, foreign=422),
]

DESK = [
    *for_everyone(200, ["GET healthz", "GET readyz"]),
    *for_everyone(404, ["GET metrics"]),  # whoever has the token: tests of its own
    *for_everyone(404, ["GET outgoing_media"], args=lambda _world: {"token": "forged"}),
]

# Without the provider's signature, whoever asks.
WEBHOOKS = [
    *for_everyone(403, [f"POST webhooks-twilio-{name}" for name in (
        "voice", "voice-fallback", "voice-status", "voice-dialled", "voice-leg", "voice-whisper",
        "voice-accepted", "voice-recorded", "voice-recording", "voice-transcribed", "message",
        "message-fallback", "message-status",
    )]),
    *for_everyone(403, ["POST stripe_webhook"]),
]
# fmt: on

ACCOUNT = [
    Row("GET account_login", 302, 302, 302, 302, 200),
    Row("GET account_signup", 302, 302, 302, 302, 200),
    Row("POST account_signup", 302, 302, 302, 302, 200),
    Row("GET account_logout", 200, 200, 200, 200, LOGIN),
    *for_everyone(200, ["GET account_reset_password", "GET account_reset_password_done",
                        "GET account_reset_password_from_key_done", "GET account_inactive",
                        "GET account_email_verification_sent"]),
    Row("GET admin:login", 403, 403, 403, 403, LOGIN),
    Row("GET account_confirm_login_code", 302, 302, 302, 302, LOGIN),
    *for_everyone(302, ["GET admin:logout"]),
    *for_everyone(200, ["GET account_reset_password_from_key"], args=a_wrong_key, foreign=200),
    *for_everyone(200, ["GET account_confirm_email"], args=lambda _world: {"key": "none"}, foreign=200),
    *for_the_signed_in(200, ["GET account_change_password", "GET account_email",
                             "GET account_reauthenticate"]),
    *for_the_signed_in(302, ["GET account_set_password"]),
    Row("GET mfa_authenticate", 302, 302, 302, 302, LOGIN),
    Row("GET mfa_login_webauthn", 302, 302, 302, 302, LOGIN),
    *for_the_signed_in(200, ["GET mfa_index", "GET mfa_activate_totp", "GET mfa_list_webauthn",
                             "GET mfa_add_webauthn", "GET mfa_generate_recovery_codes",
                             "GET usersessions_list"]),
    *for_the_signed_in(302, ["GET mfa_reauthenticate", "GET mfa_reauthenticate_webauthn"]),
    *for_the_signed_in(404, ["GET mfa_deactivate_totp", "GET mfa_view_recovery_codes",
                             "GET mfa_download_recovery_codes"]),
    *for_the_signed_in(404, ["GET mfa_remove_webauthn", "GET mfa_edit_webauthn"], args=a_key),
]  # fmt: skip

# Where somebody who signed in long ago is asked for the password first, before anything is
# shown or done; nowhere else in a workspace.
ASKS_AGAIN = {
    "GET workspaces:members", "POST workspaces:invite", "GET workspaces:member",
    "POST workspaces:change_role", "POST workspaces:change_permissions",
    "POST workspaces:remove_member", "POST workspaces:send_again",
    "POST workspaces:withdraw_invitation",
    "GET wallet:add_funds", "POST wallet:pay_top_up", "GET wallet:recharge",
    "POST wallet:recharge", "POST wallet:save_card", "POST wallet:remove_card",
    "GET numbers:release", "POST numbers:release",
    "GET numbers:bulk do=release", "POST numbers:do_bulk do=release",
}  # fmt: skip

TABLE = [
    *NUMBERS, *INTERACTIONS, *WALLET, *ACTIVITY, *WORKSPACES, *PERSONAL, *DESK, *WEBHOOKS,
    *ACCOUNT,
]  # fmt: skip
