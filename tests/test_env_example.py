"""`.env.example` names every variable that the settings read, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_variable_of_the_settings_is_explained():
    settings = (ROOT / "numbers_project" / "settings.py").read_text(encoding="utf-8")
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    read = set(re.findall(r'\benv\.\w+\(\s*"([A-Z_]+)"', settings))
    named = set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))
    assert len(read) > 20, "the settings were not understood"
    assert read == named
