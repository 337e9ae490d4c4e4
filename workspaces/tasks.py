"""Doorbells and sweeps: each only finds the rows and calls the operation."""

from celery import shared_task

from workspaces import invitations, notices, sessions


@shared_task
def deliver_notices() -> None:
    notices.deliver_due()


@shared_task
def deliver_invitations() -> None:
    invitations.deliver_due()


@shared_task
def forget_ended_sessions() -> None:
    sessions.forget_ended()
