"""The pages for what went wrong outside a view's own answers."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from lib import htmx, logs
from lib.rate_limit import TooOften


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "errors/403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "errors/404.html", status=404)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "errors/csrf.html", status=403)


def method_not_allowed(request: HttpRequest, allowed: str) -> HttpResponse:
    response = render(request, "errors/405.html", status=405)
    response.headers["Allow"] = allowed
    return response


def too_often(request: HttpRequest, refusal: TooOften) -> HttpResponse:
    """A page, or for HTMX a notice above a page that otherwise stays as it is."""
    fragment = htmx.wants_fragment(request)
    template = "_refusal.html" if fragment else "errors/429.html"
    response = render(request, template, {"refusal": refusal}, status=refusal.status)
    response.headers["Retry-After"] = str(refusal.retry_after)
    if fragment:
        response.headers["HX-Retarget"] = "#main"
        response.headers["HX-Reswap"] = "afterbegin"
    return response


def too_many_attempts(request: HttpRequest) -> HttpResponse:
    """For allauth, which does not tell how long its limits last: the longest is five minutes."""
    return too_often(request, TooOften("attempts", 300))


def server_error(request: HttpRequest) -> HttpResponse:
    """Must work when nothing else does: rendered without request, database and context."""
    page = render_to_string("errors/500.html", {"reference": logs.noted("request")})
    return HttpResponse(page, status=500)
