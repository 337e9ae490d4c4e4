"""The pages of a workspace about itself, and (``personal``) a person's about workspaces."""

from django.urls import path

from workspaces import (
    acting_views,
    invitation_views,
    member_views,
    session_views,
    settings_views,
    views,
)

app_name = "workspaces"
urlpatterns = [
    path("", views.start, name="start"),
    path("members/", member_views.index, name="members"),
    path("members/invite/", member_views.invite, name="invite"),
    path("members/<slug:member_id>/", member_views.member, name="member"),
    path("members/<slug:member_id>/role/", member_views.change_role, name="change_role"),
    path(
        "members/<slug:member_id>/permissions/",
        member_views.change_permissions,
        name="change_permissions",
    ),
    path("members/<slug:member_id>/remove/", member_views.remove, name="remove_member"),
    path("invitations/<slug:invitation_id>/send/", member_views.send_again, name="send_again"),
    path(
        "invitations/<slug:invitation_id>/withdraw/",
        member_views.withdraw_invitation,
        name="withdraw_invitation",
    ),
    path("settings/", settings_views.edit, name="settings"),
    path("settings/save/", settings_views.save, name="save_settings"),
    path("settings/archive/", settings_views.archive, name="archive"),
    path("settings/unarchive/", settings_views.unarchive, name="unarchive"),
]

personal = [
    path("", views.home, name="home"),
    path("numbers/", views.home, name="active_numbers"),
    path("workspaces/", views.index, name="workspaces"),
    path("workspaces/new/", views.new, name="new_workspace"),
    path("workspaces/create/", views.create, name="create_workspace"),
    path("workspaces/<slug:slug>/leave/", views.leave, name="leave_workspace"),
    path("looking/end/", acting_views.stop_acting, name="stop_acting"),
    path("sessions/<int:pk>/end/", session_views.end, name="end_session"),
    path("invitations/<slug:token>/", invitation_views.show, name="invitation"),
    path("invitations/<slug:token>/accept/", invitation_views.accept, name="accept_invitation"),
    path("invitations/<slug:token>/join/", invitation_views.join, name="join"),
]
