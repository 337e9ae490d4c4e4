"""The second factor's secrets at rest, and how it looks in an authenticator app."""

import base64
import hashlib

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings

DESK = "Number desk"


class SealedSecrets(DefaultMFAAdapter):
    """Secrets of apps and recovery codes are encrypted with a key made from SECRET_KEY: who
    reads the database alone cannot sign in. Old keys stay readable in SECRET_KEY_FALLBACKS.
    """

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _fernet().decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        return DESK

    def build_totp_svg(self, url: str) -> str:
        """Without the XML prolog, which means nothing inside a page."""
        return super().build_totp_svg(url).partition("?>")[2]


def _fernet() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_key_from(key)) for key in keys])


def _key_from(secret: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"second factor:" + secret.encode()).digest())
