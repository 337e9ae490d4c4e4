"""The Numbers page: find, filter, sort; which columns; what to do with several."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from lib import htmx
from numbers.columns import COLUMNS, NUMBER, Column, remember, shown
from numbers.elsewhere import elsewhere
from numbers.list_forms import ColumnsForm, ListForm
from numbers.listing import ORDERS, Look, Page, page_of
from numbers.look_words import chips_of
from numbers.number_rows import rows_of
from numbers.surroundings import Surroundings, surroundings_of
from numbers.usages import usages_of
from workspaces.access import WorkspaceRequest, workspace_view
from workspaces.permissions import (
    AUDIT_VIEW,
    NUMBERS_CREATE,
    NUMBERS_EDIT,
    NUMBERS_RELEASE,
    NUMBERS_VIEW,
)

TEMPLATES = {"more-numbers": "_more.html", "number-list": "_list.html"}


@require_safe
@workspace_view(NUMBERS_VIEW)
def index(request: WorkspaceRequest) -> HttpResponse:
    """The numbers of the workspace. The address holds the search, the order and the place."""
    around = surroundings_of(request.membership)
    form = ListForm(request.GET, around=around)
    if not form.is_valid():
        context = {**_frame(request, around, Look()), "form": form, "not_understood": form.errors}
        return _answer(request, context, status=422)
    look = form.look()
    page = page_of(request.workspace, look, around.tags)
    context = {
        **_frame(request, around, look),
        **_listed(request, around, look, page),
        "form": form,
    }
    return _answer(request, context, status=200)


def _answer(request: WorkspaceRequest, context: dict, *, status: int) -> HttpResponse:
    wanted = [name for name in TEMPLATES if htmx.asks_for(request, name)]
    template = TEMPLATES[wanted[0]] if wanted else "index.html"
    return render(request, f"numbers/{template}", context, status=status)


def _frame(request: WorkspaceRequest, around: Surroundings, look: Look) -> dict:
    may = request.membership.can
    columns = shown(around.columns)
    return {
        "look": look,
        "around": around,
        "rent_arrears": around.arrears,
        "columns": columns,
        "all_columns": COLUMNS,
        "column_count": len(columns) + 2,  # the number, and the boxes to choose it
        "show": {column.key: True for column in columns},
        "heads": [_head(look, column) for column in (NUMBER, *columns)],
        "may_buy": may(NUMBERS_CREATE),
        "may_edit": may(NUMBERS_EDIT),
        "may_release": may(NUMBERS_RELEASE),
        "may_see_activity": may(AUDIT_VIEW),
    }


def _listed(request: WorkspaceRequest, around: Surroundings, look: Look, page: Page) -> dict:
    shows_usages = {"answers", "uses"} & {column.key for column in shown(around.columns)}
    usages = usages_of(request.workspace, page.numbers) if shows_usages else {}
    asked_elsewhere = look.text and not page.numbers and not look.after
    return {
        "rows": rows_of(request.workspace, page.numbers, usages),
        "page": page,
        "more": look.query_string(after=page.next_after) if page.next_after else "",
        "first_page": look.query_string(after=""),
        "support_email": settings.SUPPORT_EMAIL,
        "chips": chips_of(look),
        "elsewhere": elsewhere(user=request.user, here=request.workspace, asked=look.asked)
        if asked_elsewhere
        else [],
    }


def _head(look: Look, column: Column) -> dict:
    """A column's head: a link that sorts by it, the other way round where it does already."""
    sorts_now = look.sort == column.order
    descending = not look.descending if sorts_now else ORDERS[column.order].starts_descending
    order = f"{'-' if descending else ''}{column.order}"
    return {
        "label": column.label,
        "key": column.key,
        "query": look.query_string(sort="" if order == "-created" else order, after=""),
        "sorted": ("descending" if look.descending else "ascending") if sorts_now else "",
    }


@require_POST
@workspace_view(NUMBERS_VIEW)
def choose_columns(request: WorkspaceRequest) -> HttpResponse:
    """Remember which columns this person wants to see; back to where they were."""
    form = ColumnsForm(request.POST)
    if form.is_valid():
        remember(user=request.user, columns=form.cleaned_data["columns"])
    here = reverse("numbers:index", args=[request.workspace.slug])
    back = request.POST.get("back", "")
    return redirect(back if back.startswith(f"{here}?") else here)
