"""One search box for support staff: a number in any written form, the reference of an order,
request, payment or report, a SID of the provider, a mail address, a workspace. From there
everything about it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from interactions.models import ArrivedForNobody, Call, Message
from lib import e164 as formats
from numbers.finding import phone_condition, understand
from numbers.models import DiagnosisReport, Number, NumberOrder, OrderLine, PurchaseRequest
from numbers.sync_models import Difference
from wallet.models import TopUp
from workspaces.acting import MAY
from workspaces.models import Invitation, Membership, User, Workspace

MOST = 20
LONGEST = 80
# What the page tells of whatever is asked for; each thing's own page asks for its own.
MAY_FIND = ("workspaces.view_workspace", "workspaces.view_user", "numbers.view_number")
FEWEST_DIGITS = 4
SID = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}")
REFERENCE = re.compile(r"(ORD|WHY|TOP|REQ)-[0-9A-Z]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found: what it is, its page in the admin, and whose it is."""

    what: str
    name: str
    url: str
    workspace: Workspace | None = None
    links: list[tuple[str, str]] = field(default_factory=list)


@require_safe
@permission_required(MAY_FIND, raise_exception=True)
def page(request: HttpRequest) -> HttpResponse:
    """For staff only: the URL map wraps it in the admin's own gate."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST]
    hits = find(text) if text else []
    workspaces = {hit.workspace.pk: hit.workspace for hit in hits if hit.workspace}
    context = {
        **admin.site.each_context(request),
        "title": "Find",
        "q": text,
        "hits": hits,
        "workspaces": [
            (workspace, links_of(workspace), members_of(workspace))
            for workspace in list(workspaces.values())[:5]
        ],
        "may_act": request.user.has_perm(MAY),
    }
    return render(request, "admin/find.html", context)


def find(text: str) -> list[Hit]:
    """What the text names, in all workspaces; a number is found in any written form."""
    if "@" in text:
        return list(_people(text))
    if SID.fullmatch(text):
        return list(_sids(text))
    if REFERENCE.match(text):
        return list(_references(text.upper()))
    asked = understand(text)
    digits = max((len(part) for part in (*asked.starts, *asked.parts, asked.ending)), default=0)
    if asked.is_digits and digits >= FEWEST_DIGITS:
        return list(_numbers(text))
    return list(_workspaces(text))


def _numbers(text: str) -> Iterable[Hit]:
    where = phone_condition(understand(text))
    for number in (
        Number.objects.select_related("workspace")
        .filter(where)
        .order_by("released_at", "e164")[:MOST]
    ):
        yield _number(number)
    lines = OrderLine.objects.select_related("order", "workspace").filter(where, number=None)
    for line in lines.order_by("-pk")[:MOST]:
        address = reverse("admin:numbers_numberorder_change", args=[line.order_id])
        name = f"{line.order.reference}: {line.international}, {line.get_state_display()}"
        yield Hit("Order", name, address, line.workspace)
    for difference in Difference.objects.filter(where, number=None).order_by("-pk")[:MOST]:
        address = reverse("admin:numbers_difference_change", args=[difference.pk])
        yield Hit("Nobody’s number", str(difference), address)
    called = formats.from_text(text, "US")
    for stray in ArrivedForNobody.objects.filter(called=called, number=None)[:1]:
        address = _changelist("interactions_arrivedfornobody", called)
        yield Hit("Arrived for nobody", str(stray), address)


def _number(number: Number) -> Hit:
    place = [number.workspace.slug, number.public_id]
    return Hit(
        "Number", f"{number.international}, {number.status}",
        reverse("admin:numbers_number_change", args=[number.pk]), number.workspace,
        [
            ("differences", _changelist("numbers_difference", number.e164)),
            ("orders", _changelist("numbers_numberorder", number.e164)),
            ("calls", _changelist("interactions_call", number.e164)),
            ("messages", _changelist("interactions_message", number.e164)),
            ("turned away", _changelist("interactions_arrivedfornobody", number.e164)),
            ("audit trail", _changelist("workspaces_auditevent", number.e164)),
            ("page, once you look as a member", reverse("numbers:detail", args=place)),
        ],
    )  # fmt: skip


def _sids(sid: str) -> Iterable[Hit]:
    for number in Number.objects.select_related("workspace").filter(provider_sid=sid):
        yield _number(number)
    for model in (Call, Message):
        for row in model.objects.select_related("workspace", "number").filter(sid=sid):
            name = model._meta.model_name or ""
            address = reverse(f"admin:interactions_{name}_change", args=[row.pk])
            yield Hit(name.title(), f"{sid} with {row.number}", address, row.workspace)
    for stray in ArrivedForNobody.objects.select_related("number__workspace").filter(sid=sid):
        address = reverse("admin:interactions_arrivedfornobody_change", args=[stray.pk])
        workspace = stray.number.workspace if stray.number else None
        yield Hit("Arrived for nobody", str(stray), address, workspace)
    for difference in Difference.objects.select_related("workspace").filter(provider_sid=sid):
        address = reverse("admin:numbers_difference_change", args=[difference.pk])
        yield Hit("Difference", str(difference), address, difference.workspace)


def _references(reference: str) -> Iterable[Hit]:
    whole = "-".join(reference.split("-")[:2])  # WHY-7K3MQ9XA-3 is a line of a report
    for model in (NumberOrder, DiagnosisReport, TopUp, PurchaseRequest):
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        for row in model.objects.select_related("workspace").filter(reference__iexact=whole):
            address = reverse(f"admin:{label}_change", args=[row.pk])
            yield Hit(str(model._meta.verbose_name).capitalize(), whole, address, row.workspace)


def _people(text: str) -> Iterable[Hit]:
    for user in User.objects.filter(email__icontains=text).order_by("email")[:MOST]:
        address = reverse("admin:workspaces_user_change", args=[user.pk])
        mine = list(user.memberships.select_related("workspace")[:MOST])
        yield Hit("Person", user.email, address)
        for member in mine:
            workspace = member.workspace
            there = reverse("admin:workspaces_workspace_change", args=[workspace.pk])
            yield Hit(member.get_role_display(), f"{user.email} in {workspace}", there, workspace)
    invitations = Invitation.objects.open().select_related("workspace")
    for invitation in invitations.filter(email__icontains=text)[:MOST]:
        address = reverse("admin:workspaces_invitation_change", args=[invitation.pk])
        yield Hit("Invitation", str(invitation), address, invitation.workspace)


def _workspaces(text: str) -> Iterable[Hit]:
    for workspace in Workspace.objects.filter(name__icontains=text).order_by("name")[:MOST]:
        address = reverse("admin:workspaces_workspace_change", args=[workspace.pk])
        yield Hit("Workspace", workspace.name, address, workspace)


def links_of(workspace: Workspace) -> list[tuple[str, str]]:
    """Everything that the admin has of a workspace."""
    slug = workspace.slug
    return [
        ("workspace", reverse("admin:workspaces_workspace_change", args=[workspace.pk])),
        ("wallet", reverse("admin:wallet_wallet_change", args=[workspace.pk])),
        ("numbers", _changelist("numbers_number", slug)),
        ("orders", _changelist("numbers_numberorder", slug)),
        ("calls", _changelist("interactions_call", slug)),
        ("messages", _changelist("interactions_message", slug)),
        ("turned away", _changelist("interactions_arrivedfornobody", slug)),
        ("audit trail", _changelist("workspaces_auditevent", slug)),
        ("differences", _changelist("numbers_difference", slug)),
    ]


def members_of(workspace: Workspace) -> list[Membership]:
    return list(
        Membership.objects.for_workspace(workspace).select_related("user").order_by("pk")[:MOST]
    )


def _changelist(model: str, text: str) -> str:
    return f"{reverse(f'admin:{model}_changelist')}?{urlencode({'q': text})}"
