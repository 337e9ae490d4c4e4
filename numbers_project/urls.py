"""The whole map on one screen."""

from django.contrib import admin
from django.urls import include, path

from interactions import webhooks as provider_webhooks
from interactions.views import outgoing_media
from numbers_project import find, health, watch
from wallet import stripe_webhook
from workspaces import acting_views
from workspaces.urls import personal

urlpatterns = [
    *personal,
    path("accounts/", include("allauth.urls")),
    path("admin/platform/", admin.site.admin_view(watch.page), name="platform"),
    path("admin/find/", admin.site.admin_view(find.page), name="find"),
    path("admin/look-as/<int:pk>/", admin.site.admin_view(acting_views.act_as), name="act_as"),
    path("admin/", admin.site.urls),
    path("metrics", watch.metrics, name="metrics"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    # Answered by the middleware webhooks_first, before sessions and logins.
    *[
        path(route[1:], view, name=route.strip("/").replace("/", "-"))
        for route, view in provider_webhooks.VIEWS.items()
    ],
    path("media/<str:token>/", outgoing_media, name="outgoing_media"),
    path("webhooks/stripe/", stripe_webhook.receive, name="stripe_webhook"),
    path("w/<slug:workspace_slug>/numbers/", include("numbers.urls")),
    path("w/<slug:workspace_slug>/", include("interactions.urls")),
    path("w/<slug:workspace_slug>/wallet/", include("wallet.urls")),
    path("w/<slug:workspace_slug>/activity/", include("workspaces.urls_audit")),
    path("w/<slug:workspace_slug>/", include("workspaces.urls")),
]

handler403 = "numbers_project.errors.forbidden"
handler404 = "numbers_project.errors.not_found"
handler429 = "numbers_project.errors.too_many_attempts"  # allauth looks for it here
handler500 = "numbers_project.errors.server_error"
