"""What every answer carries."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.utils.cache import patch_vary_headers
from django.utils.log import log_response

from interactions import webhooks as provider_webhooks
from lib import logs, rate_limit
from lib.rate_limit import TooOften
from numbers_project import errors
from workspaces import audit

PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in ("accelerometer", "camera", "display-capture", "geolocation",
                    "gyroscope", "hid", "magnetometer", "microphone", "midi", "payment", "serial",
                    "usb")
)  # fmt: skip
WEBHOOKS = "/webhooks/"
PROBES = ("/healthz", "/readyz", "/metrics")
REQUEST_ID = re.compile(r"[\w-]{8,64}")

View = Callable[[HttpRequest], HttpResponse]


def bad_signatures(get_response: View) -> View:
    """Tell whoever sends webhooks with bad signatures time and again when to try again.

    The signature is looked at first: what is from the provider is always taken, whoever
    else sends from its address.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code != 403 or not request.path_info.startswith(WEBHOOKS):
            return response
        wait = rate_limit.seconds_to_wait("bad_signature", who=_caller(request))
        return HttpResponse(status=429, headers={"Retry-After": str(wait)}) if wait else response

    return middleware


def probes_by_any_name(get_response: View) -> View:
    """Supervisors and monitors ask from the machine itself, whose address is no name of the
    site: what they are told does not depend on the name, so any will do.
    """
    ours = urlsplit(settings.PUBLIC_BASE_URL).netloc

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info in PROBES:
            request.META["HTTP_HOST"] = ours
        return get_response(request)

    return middleware


def webhooks_first(get_response: View) -> View:
    """Answer the provider's webhooks before anything else looks at the request.

    They carry no session and no login, and what they cost is multiplied by every call and
    message. Only the request's reference stands before it; the same views are in the URL map.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        view = provider_webhooks.VIEWS.get(request.path_info)
        if view is not None:
            return view(request)
        if request.path_info.startswith(provider_webhooks.BASE):
            return HttpResponseNotFound()  # a redirect to a slash would lose the form
        return get_response(request)

    return middleware


def reference(get_response: View) -> View:
    """Give the request a reference, for every line of the log and for whoever sees an error.

    A proxy of ours may have given it one already; nobody else is believed.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "") if settings.BEHIND_PROXY else ""
        name = given if REQUEST_ID.fullmatch(given) else logs.new_reference()
        with logs.about(request=name):
            response = get_response(request)
            if response.status_code >= 400:  # Django would do it later, without the reference
                words = (response.reason_phrase, request.path)
                log_response("%s: %s", *words, response=response, request=request)
        response.headers["X-Request-Id"] = name
        return response

    return middleware


def headers(get_response: View) -> View:
    """What Django's own security middleware does not set, for files too."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    return middleware


def private_pages(get_response: View) -> View:
    """Keep pages out of every cache, and fragments apart from pages.

    Not only those of the signed-in: a page with a form holds its token, the page of an
    invitation its link.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        patch_vary_headers(response, ["HX-Request"])
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def wrong_method_in_words(get_response: View) -> View:
    """Django answers a wrong method with an empty page; a person who reloads the address of
    a form, or is led there after signing in, needs words and a way on.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code == 405 and not response.content:
            return errors.method_not_allowed(request, response.headers["Allow"])
        return response

    return middleware


def origin(get_response: View) -> View:
    """Tell the audit trail which address a request comes from."""

    def middleware(request: HttpRequest) -> HttpResponse:
        token = audit.ORIGIN.set(_caller(request)[:60])
        try:
            return get_response(request)
        finally:
            audit.ORIGIN.reset(token)

    return middleware


def _caller(request: HttpRequest) -> str:
    """The address that a request comes from. Behind a proxy it is the last that the proxy
    added, which is the one nobody but the proxy could write.
    """
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.BEHIND_PROXY else ""
    return forwarded.rsplit(",", 1)[-1].strip() or request.META.get("REMOTE_ADDR", "")


class Limits:
    """Answer 429 with the time to wait where a view let a limit's refusal through."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, TooOften):
            return errors.too_often(request, exception)
        return None
