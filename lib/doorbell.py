"""Telling a worker that rows are waiting. A sweep finds them too, only later."""

from functools import partial
from typing import Any

from celery import Task
from django.db import transaction


def ring(task: Task, *args: Any) -> None:
    """Send the task once what is being written is committed.

    A broker that does not answer is logged and nothing else: the rows are what counts.
    """
    transaction.on_commit(partial(task.delay, *args), robust=True)
