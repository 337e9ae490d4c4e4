"""Doorbells and sweeps: each only finds the rows and calls the operation."""

from celery import shared_task

from workspaces import notices


@shared_task
def deliver_notices() -> None:
    notices.deliver_due()
