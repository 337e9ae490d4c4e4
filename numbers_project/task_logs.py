"""The lines of a task name it, and the request that rang for it."""

import logging.config
from typing import Any

from celery import signals
from django.conf import settings

from lib import logs

RANG_BY = "request_reference"  # a header of the task's message
_open: dict[str, Any] = {}


@signals.setup_logging.connect
def use_our_logging(**_: Any) -> None:
    """Celery would log with handlers of its own, which know no secrets."""
    logging.config.dictConfig(settings.LOGGING)


@signals.before_task_publish.connect
def name_the_request(headers: dict[str, Any], **_: Any) -> None:
    if reference := logs.noted("request"):
        headers[RANG_BY] = reference


@signals.task_prerun.connect
def begin(task_id: str, task: Any, **_: Any) -> None:
    facts = {"task": task_id, "name": task.name}
    if reference := getattr(task.request, RANG_BY, None):
        facts["request"] = reference
    about = _open[task_id] = logs.about(**facts)
    about.__enter__()


@signals.task_postrun.connect
def end(task_id: str, **_: Any) -> None:
    if about := _open.pop(task_id, None):
        about.__exit__(None, None, None)
