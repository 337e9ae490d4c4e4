"""How people get in: nobody signs up alone."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class InvitedOnly(DefaultAccountAdapter):
    """Accounts come from invitations and from support staff, never from a sign-up form."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
