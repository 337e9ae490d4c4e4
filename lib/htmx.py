"""Pages and the fragments of them that HTMX swaps."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django_htmx.http import HttpResponseClientRedirect


def asks_for(request: HttpRequest, fragment_id: str) -> bool:
    """Whether this request wants only the fragment with this id of the page at its address.

    A request that restores the browser's history wants the whole page.
    """
    return wants_fragment(request) and request.htmx.target == fragment_id  # type: ignore[attr-defined]


def wants_fragment(request: HttpRequest) -> bool:
    """Whether HTMX asks, for whichever fragment."""
    htmx = request.htmx  # type: ignore[attr-defined]  # set by django_htmx's middleware
    return bool(htmx) and not htmx.history_restore_request


def leave_for(request: HttpRequest, url: str) -> HttpResponse:
    """Redirect the whole page, also where HTMX asked: it would follow an ordinary redirect
    by itself and swap the page it finds there into the middle of this one.
    """
    if request.htmx:  # type: ignore[attr-defined]  # set by django_htmx's middleware
        return HttpResponseClientRedirect(url)
    return HttpResponseRedirect(url)
