"""Releasing a number: what it means, typing its digits, and undoing it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from lib.errors import Refusal
from numbers import release as releasing
from numbers.models import Number
from numbers.number_forms import ReleaseForm
from numbers.number_views import do, number_of
from workspaces.access import WorkspaceRequest, recently_authenticated, workspace_view
from workspaces.permissions import NUMBERS_RELEASE


@require_http_methods(["GET", "HEAD", "POST"])
@workspace_view(NUMBERS_RELEASE)
@recently_authenticated
def release(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    """Says what will break, and releases it now or at the end of the paid month."""
    number = number_of(request, public_id)
    if request.method != "POST":
        return _page(request, number, ReleaseForm(initial={"when": ReleaseForm.NOW}))
    form = ReleaseForm(request.POST)
    if not form.is_valid():
        return _page(request, number, form, status=422)
    try:
        _release(request, number, form)
    except Refusal as refusal:
        return _page(request, number, form, refusal=refusal, status=refusal.status)
    return redirect(number)


def _release(request: WorkspaceRequest, number: Number, form: ReleaseForm) -> None:
    digits = form.cleaned_data["digits"]
    if form.cleaned_data["when"] == ReleaseForm.NOW:
        releasing.release_now(number=number, by=request.user, last_digits=digits)
        hours = releasing.undo_words()
        words = f"It can be undone for {hours}." if hours else "It goes back to the carrier now."
        messages.success(request, f"{number.international} is released. {words}")
    else:
        releasing.schedule_release(number=number, by=request.user, last_digits=digits)
        messages.success(request, f"{number.international} will be released. It works until then.")


def _page(
    request: WorkspaceRequest, number: Number, form: ReleaseForm, *,
    refusal: Refusal | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    if refusal is None and status == 200:
        try:
            releasing.refuse_if_known_to_be_kept(number)
        except Refusal as known:
            refusal, status = known, known.status
    context = {
        "number": number,
        "form": form,
        "refusal": refusal,
        "consequences": releasing.consequences_of(number),
        "undo_words": releasing.undo_words(),
    }
    return render(request, "numbers/release.html", context, status=status)


@require_POST
@workspace_view(NUMBERS_RELEASE)
def undo_release(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    number = number_of(request, public_id)
    return do(request, number, releasing.undo_release, "{number} is back, as it was.")


@require_POST
@workspace_view(NUMBERS_RELEASE)
def cancel_release(request: WorkspaceRequest, public_id: str) -> HttpResponse:
    number = number_of(request, public_id)
    return do(request, number, releasing.cancel_release, "{number} will not be released.")
