"""Pages and the fragments of them that HTMX swaps."""

from django.http import HttpRequest


def asks_for(request: HttpRequest, fragment_id: str) -> bool:
    """Whether this request wants only the fragment with this id of the page at its address.

    A request that restores the browser's history wants the whole page.
    """
    return wants_fragment(request) and request.htmx.target == fragment_id  # type: ignore[attr-defined]


def wants_fragment(request: HttpRequest) -> bool:
    """Whether HTMX asks, for whichever fragment."""
    htmx = request.htmx  # type: ignore[attr-defined]  # set by django_htmx's middleware
    return bool(htmx) and not htmx.history_restore_request
