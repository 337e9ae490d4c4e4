"""Pictures and voicemails, to those who may have them.

A browser must never take such a file for a page of ours: its type is the one we found in
it, and it can do nothing wherever it is opened.
"""

from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from interactions.outgoing_media import picture_at
from workspaces.access import with_token


@with_token
@require_safe
def outgoing_media(request: HttpRequest, token: str) -> HttpResponseBase:
    """A picture of ours, fetched by the provider with the address that we gave it."""
    row = picture_at(token)
    if row is None:
        raise Http404
    return serve(row.file, row.content_type)


def serve(file: FieldFile, content_type: str) -> HttpResponseBase:
    try:
        response = FileResponse(file.open("rb"), content_type=content_type)
    except FileNotFoundError:
        raise Http404 from None
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Content-Disposition"] = "inline"
    return response
