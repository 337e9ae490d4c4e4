"""Forms of the admin that change what others rely on: why is asked, and kept."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import DELETION, LogEntry
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

ASK = "Write down why: it stays where this change is told."


class ReasonForm(forms.ModelForm):
    """What is new needs no reason; what is changed does."""

    reason = forms.CharField(
        max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Needed for any change. It is kept with it.",
    )  # fmt: skip

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        changed = set(self.changed_data) - {"reason"}
        if self.instance.pk and changed and not (cleaned or {}).get("reason"):
            self.add_error("reason", ASK)
        return cleaned


class Reasoned(admin.ModelAdmin):
    """Changing and deleting ask why, and the admin's own log keeps it."""

    form = ReasonForm
    actions = None  # several at once would not be asked
    delete_confirmation_template = "admin/delete_with_reason.html"

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        message = super().construct_change_message(request, form, formsets, add)
        reason = form.cleaned_data.get("reason")
        if add or not reason:
            return message
        return f"{', '.join(name for name in form.changed_data if name != 'reason')}: {reason}"

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        given = request.method != "POST" or request.POST.get("reason", "").strip()
        if not given and self.has_delete_permission(request):
            messages.error(request, ASK)
            return HttpResponseRedirect(request.get_full_path())
        return super().delete_view(request, object_id, extra_context)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return LogEntry.objects.log_actions(
            user_id=cast(int, request.user.pk), queryset=queryset, action_flag=DELETION,
            change_message=request.POST["reason"][:300],
        )  # fmt: skip
