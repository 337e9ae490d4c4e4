"""Sending a task that saves waiting for the next sweep. Nothing rests on its arrival."""

import logging

from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


def ring(task: str, *arguments: int) -> None:
    """Send ``interactions.tasks.<task>`` after the commit. A broker that is down loses the
    bell and not the work: the row is due, and a sweep finds it.
    """
    transaction.on_commit(lambda: _ring(task, *arguments))


def _ring(task: str, *arguments: int) -> None:
    from interactions import tasks  # the tasks import the operations, and these ring

    try:
        getattr(tasks, task).delay(*arguments)
    except (OperationalError, OSError) as error:
        log.warning("the bell for %s %s could not be rung: %s", task, arguments, error)
