"""The support admin: behind the same login as everything else, and a second factor."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from workspaces.second_factor import lacks_second_factor, lead_to_it


class SupportAdmin(AdminSite):
    site_header = site_title = "Number desk, support"
    index_title = "What support looks after"

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and not needs_second_factor(request)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Where the admin sends whoever may not see a page: to what is missing."""
        back = request.GET.get("next", "")
        if not request.user.is_authenticated:
            return redirect_to_login(back or request.get_full_path())
        if not super().has_permission(request):
            raise PermissionDenied
        if needs_second_factor(request):
            return lead_to_it(request, back or reverse("admin:index"))
        return redirect("admin:index")


def needs_second_factor(request: HttpRequest) -> bool:
    """Whether this person must set one up first."""
    return settings.SUPPORT_NEEDS_SECOND_FACTOR and lacks_second_factor(request.user)
