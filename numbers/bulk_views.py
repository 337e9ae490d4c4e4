"""Several numbers at once, and the list as a file."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from lib import rate_limit
from lib.csv_lines import csv_answer
from numbers import bulk as bulks
from numbers.export import csv_lines
from numbers.list_forms import ChosenNumbersForm, ListForm
from numbers.list_models import BulkRun
from numbers.listing import numbers_of
from numbers.models import Number, NumberQuerySet
from numbers.number_forms import ConfirmForm, CountForm, TagForm
from numbers.release import undo_words
from numbers.surroundings import surroundings_of
from numbers.usages import Usage, usages_of
from workspaces.access import WorkspaceRequest, forbidden, is_it_you, workspace_view
from workspaces.permissions import NUMBERS_EDIT, NUMBERS_RELEASE, NUMBERS_VIEW

CONFIRMATIONS: dict[str, type[ConfirmForm]] = {
    "tag": TagForm,
    "activate": ConfirmForm,
    "deactivate": ConfirmForm,
    "release": CountForm,
}
NEEDS = {
    "tag": NUMBERS_EDIT,
    "activate": NUMBERS_EDIT,
    "deactivate": NUMBERS_EDIT,
    "release": NUMBERS_RELEASE,
}


@require_safe
@workspace_view(NUMBERS_VIEW)
def bulk(request: WorkspaceRequest) -> HttpResponse:
    """What is about to be done to the chosen numbers, before it is done."""
    action = request.GET.get("do", "")
    form = ChosenNumbersForm({"n": request.GET.getlist("n")})
    if action == "export" and not form.is_valid():
        messages.error(request, str(form.errors["n"][0]))
    elif action == "export":
        chosen = Number.objects.for_workspace(request.workspace).owned()
        chosen = chosen.filter(public_id__in=form.cleaned_data["n"]).order_by("e164")
        return _csv(request, chosen)
    if action not in NEEDS:
        return redirect("numbers:index", workspace_slug=request.workspace.slug)
    if not request.membership.can(NEEDS[action]):
        return forbidden(request, NEEDS[action])
    return _asks_again(request, action) or _page(request, action, form)


@require_POST
@workspace_view(NUMBERS_VIEW)
def do_bulk(request: WorkspaceRequest) -> HttpResponse:
    """Do it to each, then show what became of it."""
    action = request.POST.get("do", "")
    if action not in NEEDS:
        return redirect("numbers:index", workspace_slug=request.workspace.slug)
    if not request.membership.can(NEEDS[action]):
        return forbidden(request, NEEDS[action])
    if asks := _asks_again(request, action):
        return asks
    form = ChosenNumbersForm({"n": request.POST.getlist("n")})
    if not form.is_valid():
        return _page(request, action, form)
    numbers = bulks.chosen_numbers(request.workspace, form.cleaned_data["n"])
    confirmation = CONFIRMATIONS[action](request.POST, count=len(numbers))
    if not confirmation.is_valid():
        return _page(request, action, form, confirmation)
    run = bulks.do_to_each(
        workspace=request.workspace, by=request.user, action=action, numbers=numbers,
        names=confirmation.cleaned_data.get("tags", []),
    )  # fmt: skip
    return redirect("numbers:bulk_done", workspace_slug=request.workspace.slug,
                    run_id=run.public_id)  # fmt: skip


def _asks_again(request: WorkspaceRequest, action: str) -> HttpResponse | None:
    """Releasing is grave, and the others can be taken back."""
    return is_it_you(request) if action == "release" else None


def _page(
    request: WorkspaceRequest, action: str, form: ChosenNumbersForm,
    confirmation: ConfirmForm | None = None,
) -> HttpResponse:  # fmt: skip
    numbers = (
        bulks.chosen_numbers(request.workspace, form.cleaned_data["n"]) if form.is_valid() else []
    )
    problems = form.errors.get("n", []) or ([] if numbers else ["None of these is here."])
    context = {
        "action": action,
        "numbers": numbers,
        "breaks": _breaks(request, numbers),
        "used_lately": bulks.used_lately(numbers),
        "undo_words": undo_words(),
        "refunds": settings.RENT_REFUNDS_UNUSED_DAYS,
        "problems": problems,
        "confirmation": confirmation or CONFIRMATIONS[action](count=len(numbers)),
    }
    status = 422 if problems or confirmation else 200
    return render(request, "numbers/bulk.html", context, status=status)


def _breaks(request: WorkspaceRequest, numbers: list[Number]) -> list[tuple[Number, list[Usage]]]:
    usages = usages_of(request.workspace, numbers)
    return [(number, usages[number.pk].breaks) for number in numbers if usages[number.pk].breaks]


@require_safe
@workspace_view(NUMBERS_VIEW)
def bulk_done(request: WorkspaceRequest, run_id: str) -> HttpResponse:
    """What was done, and why not where it was not."""
    run = get_object_or_404(
        BulkRun.objects.for_workspace(request.workspace).select_related("by"), public_id=run_id
    )
    context = {
        "run": run,
        "done_word": bulks.DONE[run.action],
        "done": [result for result in run.results if not result["why_not"]],
        "not_done": [result for result in run.results if result["why_not"]],
    }
    return render(request, "numbers/bulk_done.html", context)


@require_safe
@workspace_view(NUMBERS_VIEW)
def export(request: WorkspaceRequest) -> HttpResponse:
    """All numbers that the address asks for, however many, as CSV."""
    around = surroundings_of(request.membership)
    form = ListForm(request.GET, around=around)
    if not form.is_valid():
        return redirect(f"../?{request.GET.urlencode()}")
    return _csv(request, numbers_of(request.workspace, form.look(), around.tags))


def _csv(request: WorkspaceRequest, numbers: NumberQuerySet) -> HttpResponse:
    rate_limit.spend("export", who=request.workspace.pk, what="exports")
    name = f"numbers-{request.workspace.slug}-{timezone.now():%Y-%m-%d}"
    return csv_answer(csv_lines(request.workspace, numbers), name)
