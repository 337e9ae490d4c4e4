"""The conversation behind a line of the wallet's statement."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from interactions.models import Call, Message
from workspaces.access import WorkspaceRequest, workspace_view
from workspaces.permissions import INBOX_VIEW


@require_safe
@workspace_view(INBOX_VIEW)
def of_line(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    """Go to the conversation of this call or message."""
    for kind in (Message, Call):
        mine = kind.objects.for_workspace(request.workspace).filter(public_id=public_id)
        found = mine.select_related("conversation__workspace").first()
        if found is not None:
            return redirect(found.conversation)
    raise Http404
