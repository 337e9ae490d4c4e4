"""Which passwords are refused, and that those people should take are not."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from conftest import signed_in

pytestmark = pytest.mark.django_db

GUESSED = "This password is among the first that are guessed."


@pytest.mark.parametrize("password", [
    "dragon202512", "Football!2025", "!!monkey1234",
    "P@ssw0rd!2025", "m0nk3y-20255", "$unsh1ne2025",
    "baseballbaseball", "superman1superman1",
    "aaaaaaaaaaaa", "abcabcabcabc", "345678901234", "lkjhgfdsapoi", "abcdefghijkl",
    "NumberDesk2025", "number-desk-1", "Twilio123456", "twiliotwilio", "voicemail1234",
])  # fmt: skip
def test_what_is_guessed_first_is_refused(owner, password):
    with pytest.raises(ValidationError, match=GUESSED):
        validate_password(password, owner)


@pytest.mark.parametrize("password", [
    "three-blue-lamps-hum", "correct horse battery staple", "dragon football monkey",
    "kx83hw02lq7z", "738264015937", "the wallet of my grandmother", "Ω≈ç√∫˜µ≤ωψχφ",
])  # fmt: skip
def test_what_is_not_is_taken_whatever_signs_it_has(owner, password):
    validate_password(password, owner)


def test_the_name_of_one_s_workspace_is_refused(owner, acme):
    acme.name = "Kestrel Plumbing"
    acme.save()
    with pytest.raises(ValidationError, match=GUESSED):
        validate_password("kestrel-plumbing-1", owner)
    validate_password("kestrel-plumbing-1", None)


def test_it_is_said_on_the_form(owner):
    form = {"oldpassword": "numbers-demo", "password1": "dragon202512", "password2": "dragon202512"}
    page = signed_in(owner).post("/accounts/password/change/", form)
    assert GUESSED in page.text
    assert "Take several words that have nothing to do with each other." in page.text
    again = {"login": owner.email, "password": "numbers-demo"}
    assert Client().post("/accounts/login/", again).status_code == 302, "it is as it was"


def test_sixty_four_characters_and_more_are_taken(owner):
    validate_password("three-blue-lamps-hum " * 4, owner)
