"""The project package: settings, the URL map and the Celery app.

Importing it makes the app package ``numbers`` importable beside the standard library's
module of the same name, whichever of the two was imported first (ADR-0001).
"""

from pathlib import Path

import numbers

if not hasattr(numbers, "__path__"):
    # The standard library's module is already in sys.modules (pytest, celery and most
    # console scripts import decimal first). Giving it a search path makes it a package
    # whose submodules are ours, while its own names (Number, Integral, …) stay.
    numbers.__path__ = [str(Path(__file__).resolve().parent.parent / "numbers")]

from numbers_project.celery import app as celery_app

__all__ = ["celery_app"]
