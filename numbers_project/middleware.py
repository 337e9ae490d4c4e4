"""What every answer carries."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.utils.cache import patch_vary_headers

from interactions import webhooks as provider_webhooks
from lib.rate_limit import TooOften
from numbers_project import errors
from workspaces import audit

PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def webhooks_first(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable:
    """Answer the provider's webhooks before anything else looks at the request.

    They carry no session and no login, and what they cost is multiplied by every call and
    message. Stands first in MIDDLEWARE; the same views are in the URL map.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        view = provider_webhooks.VIEWS.get(request.path_info)
        if view is not None:
            return view(request)
        if request.path_info.startswith(provider_webhooks.BASE):
            return HttpResponseNotFound()  # a redirect to a slash would lose the form
        return get_response(request)

    return middleware


def private_pages(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable:
    """Keep pages of signed-in people out of every cache, and fragments apart from pages."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        patch_vary_headers(response, ["HX-Request"])
        if request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def wrong_method_in_words(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable:
    """Django answers a wrong method with an empty page; a person who reloads the address of
    a form, or is led there after signing in, needs words and a way on.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code == 405 and not response.content:
            return errors.method_not_allowed(request, response.headers["Allow"])
        return response

    return middleware


def origin(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable:
    """Tell the audit trail which address a request comes from.

    Behind a proxy it is the last address that the proxy added, which is the one nobody but
    the proxy could write.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        forwarded = request.headers.get("X-Forwarded-For", "") if settings.BEHIND_PROXY else ""
        address = forwarded.rsplit(",", 1)[-1].strip() or request.META.get("REMOTE_ADDR", "")
        token = audit.ORIGIN.set(address[:60])
        try:
            return get_response(request)
        finally:
            audit.ORIGIN.reset(token)

    return middleware


class Limits:
    """Answer 429 with the time to wait where a view let a limit's refusal through."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, TooOften):
            return errors.too_often(request, exception)
        return None
