import os

import numbers_project  # noqa: F401  makes the app package `numbers` importable (ADR-0001)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "numbers_project.settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
