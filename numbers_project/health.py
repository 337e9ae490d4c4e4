"""Whether the process answers, and whether it can do its work."""

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from numbers_project.celery import app
from workspaces.access import public


@require_safe
@public
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 as long as the process serves requests; looks at nothing else."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@public
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when database, cache and broker answer, 503 with what does not."""
    parts = {"database": _database_answers, "cache": _cache_answers, "broker": _broker_answers}
    state = {name: probe() for name, probe in parts.items()}
    return JsonResponse(state, status=200 if all(state.values()) else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:  # whatever the driver raises, the answer is "not ready"
        return False
    return True


def _cache_answers() -> bool:
    try:
        cache.set("readyz", "1", 5)
    except Exception:  # whatever the client raises, the answer is "not ready"
        return False
    return True


def _broker_answers() -> bool:
    try:
        with app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
    except Exception:  # whatever the transport raises, the answer is "not ready"
        return False
    return True
