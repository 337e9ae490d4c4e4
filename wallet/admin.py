"""Support staff read the money here; every movement goes through the ledger.

No row of money can be changed or deleted. What staff may do is a movement of its own with a
reason: adjust a wallet, refund a charge, give a stuck hold free.
"""

import uuid
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib import money
from lib.errors import Refusal
from lib.read_only_admin import ReadOnlyAdmin
from wallet import ledger
from wallet.models import CHARGED, AutoRecharge, Entry, Hold, Precautions, SavedCard, TopUp, Wallet
from workspaces import audit
from workspaces.access import is_it_you
from workspaces.models import User


class ReasonForm(forms.Form):
    """Sent twice, it is one movement: ``key`` is the ledger's."""

    reason = forms.CharField(max_length=300, widget=forms.Textarea(attrs={"rows": 2}))
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


class AmountForm(ReasonForm):
    amount = forms.DecimalField(max_digits=18, decimal_places=6)
    field_order = ["amount", "reason", "key"]


class MoneyAdmin(ReadOnlyAdmin):
    """``verb`` names the one thing that staff may do with a row, ``form`` what it asks."""

    verb = ""
    form_class: type[ReasonForm] = AmountForm
    show_full_result_count = False

    def get_urls(self) -> list:
        name = f"wallet_{self.opts.model_name}_{self.verb}"
        view = self.admin_site.admin_view(self.act_view)
        return [path(f"<int:pk>/{self.verb}/", view, name=name), *super().get_urls()]

    def may_act(self, row: Any) -> bool:
        return True

    def act(self, row: Any, chosen: dict[str, Any], by: User) -> None:
        raise NotImplementedError

    @admin.display(description="")
    def do(self, row: models.Model) -> SafeString | str:
        if not self.may_act(row):
            return ""
        address = reverse(f"admin:wallet_{self.opts.model_name}_{self.verb}", args=[row.pk])
        return format_html('<a href="{}">{}</a>', address, self.verb.capitalize())

    def act_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.has_perm("wallet.change_wallet"):
            raise PermissionDenied
        if asks := is_it_you(request):
            return asks
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        form = self.form_class(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    self.act(row, form.cleaned_data, cast(User, request.user))
            except Refusal as refusal:
                form.add_error(None, f"{refusal.sentence} {refusal.money}")
            except ledger.LedgerConflict:
                form.add_error(None, "It was used or given free meanwhile. Nothing was changed.")
            else:
                messages.success(request, f"Done: {row}")
                return redirect(f"admin:wallet_{self.opts.model_name}_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": f"{self.verb.capitalize()}: {row}", "form": form, "verb": self.verb,
        }  # fmt: skip
        status = 422 if form.errors else 200
        return render(request, "admin/wallet/act.html", context, status=status)


def _note(wallet: Wallet, by: User, action: str, text: str, row: models.Model) -> None:
    audit.record(
        workspace=wallet.workspace, by=by, action=action, text=text[:400], subject=row,
        label=str(row)[:160],
    )  # fmt: skip


@admin.register(Wallet)
class WalletAdmin(MoneyAdmin):
    verb = "adjust"
    list_display = ["workspace", "currency", "balance", "held", "credit_limit", "overdrawn", "do"]
    list_select_related = ["workspace"]
    search_fields = ["workspace__name", "workspace__slug"]

    def act(self, row: Wallet, chosen: dict[str, Any], by: User) -> None:
        amount, reason = chosen["amount"], chosen["reason"]
        ledger.adjust(
            wallet=row, amount=amount, by=by, reason=reason, key=f"adjust:{chosen['key']}"
        )
        shown = money.show(amount, row.currency)
        _note(row, by, "wallet.adjusted", f"Adjusted by {shown}: {reason}", row)


@admin.register(Entry)
class EntryAdmin(MoneyAdmin):
    verb = "refund"
    list_display = ["created_at", "wallet", "seq", "kind", "amount", "balance_after", "text",
                    "by", "reason", "do"]  # fmt: skip
    list_select_related = ["wallet__workspace", "by"]
    list_filter = ["kind"]
    search_fields = ["reference", "key", "wallet__workspace__slug"]

    def may_act(self, row: Entry) -> bool:
        return row.kind in CHARGED

    def act(self, row: Entry, chosen: dict[str, Any], by: User) -> None:
        amount, reason = chosen["amount"], chosen["reason"]
        ledger.refund(
            wallet=row.wallet, entry=row, amount=amount, key=f"refund:{chosen['key']}",
            text=f"Refund: {row.text}"[:200], by=by, reason=reason,
        )  # fmt: skip
        shown = money.show(amount, row.wallet.currency)
        _note(row.wallet, by, "wallet.refunded", f"Refunded {shown} of {row.text}: {reason}", row)


@admin.register(Hold)
class HoldAdmin(MoneyAdmin):
    verb = "void"
    form_class = ReasonForm
    list_display = ["created_at", "wallet", "amount", "captured", "released", "text", "reference",
                    "ended_at", "do"]  # fmt: skip
    list_select_related = ["wallet__workspace"]
    list_filter = [("ended_at", admin.EmptyFieldListFilter)]
    search_fields = ["reference", "key", "wallet__workspace__slug"]

    def may_act(self, row: Hold) -> bool:
        return row.ended_at is None

    def act(self, row: Hold, chosen: dict[str, Any], by: User) -> None:
        shown = money.show(row.remaining, row.wallet.currency)
        ledger.void(hold=row)
        text = f"Gave {shown} free that was set aside for {row.text}: {chosen['reason']}"
        _note(row.wallet, by, "wallet.hold_voided", text, row)


@admin.register(TopUp)
class TopUpAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "workspace", "reference", "amount", "currency", "state",
                    "given_back", "by", "cause", "problem", "settled_at"]  # fmt: skip
    list_select_related = ["workspace", "by"]
    list_filter = ["state"]
    search_fields = ["reference", "session_id", "payment_intent_id", "workspace__slug"]
    show_full_result_count = False


@admin.register(AutoRecharge)
class AutoRechargeAdmin(ReadOnlyAdmin):
    list_display = ["workspace", "is_on", "threshold", "amount", "monthly_cap", "card",
                    "stopped_because", "declined_at"]  # fmt: skip
    list_select_related = ["workspace", "card"]
    list_filter = ["is_on"]
    search_fields = ["workspace__slug"]


@admin.register(SavedCard)
class SavedCardAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "workspace", "reference", "brand", "last_four", "state", "by"]
    list_select_related = ["workspace", "by"]
    list_filter = ["state"]
    search_fields = ["reference", "customer_id", "workspace__slug"]


@admin.register(Precautions)
class PrecautionsAdmin(ReadOnlyAdmin):
    list_display = ["workspace", "alert_below", "low_since", "keep_days"]
    list_select_related = ["workspace"]
    search_fields = ["workspace__slug"]
