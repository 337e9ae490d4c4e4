"""How fast it is, as ratios in one run against a floor written by hand (`make bench`)."""

import os

import numbers_project  # noqa: F401  makes the app package `numbers` importable (ADR-0001)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "numbers_project.settings")

import django

django.setup()
