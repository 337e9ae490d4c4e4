"""Probes and metrics: what a monitor sees, and who may see it."""

import pytest

from conftest import signed_in
from numbers import watch
from workspaces.models import User

pytestmark = pytest.mark.django_db


def test_the_process_answers(client):
    assert client.get("/healthz").content == b"ok\n"


def test_ready_means_database_cache_and_broker(client):
    assert client.get("/readyz").json() == {"database": True, "cache": True, "broker": True}


def test_a_broker_that_is_gone_is_told(client, settings, monkeypatch):
    from numbers_project.celery import app

    monkeypatch.setattr(app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["broker"]) == (503, False)


def test_probes_answer_by_whatever_name_they_ask(client, settings):
    """systemd and compose ask the machine's own address, which is no name of the site."""
    settings.ALLOWED_HOSTS = ["desk.test"]
    settings.SECURE_SSL_REDIRECT = True
    settings.METRICS_TOKEN = "right"
    from_inside = {"host": "127.0.0.1:8000"}
    token = {"Authorization": "Bearer right"}
    assert client.get("/healthz", headers=from_inside).status_code == 200
    assert client.get("/readyz", headers=from_inside).status_code == 200
    assert client.get("/metrics", headers=from_inside | token).status_code == 200
    page = client.get("/accounts/login/", headers=from_inside, secure=True)
    assert page.status_code == 400


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}])
def test_metrics_need_the_token(client, settings, header):
    settings.METRICS_TOKEN = "right"
    assert client.get("/metrics", headers=header).status_code == 404


def test_metrics_are_off_without_a_token(client):
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_metrics_tell_what_waits(client, settings):
    settings.METRICS_TOKEN = "right"
    watch.beat()
    answer = client.get("/metrics", headers={"Authorization": "Bearer right"})
    assert "desk_orders_unsettled 0.0" in answer.content.decode()
    assert "desk_beat_age_seconds" in answer.content.decode()


def test_staff_see_the_platform(simulator):
    staff = User.objects.create_superuser("staff@example.test", "numbers-demo")
    answer = signed_in(staff).get("/admin/platform/")
    assert answer.status_code == 200
    assert "The credentials work." in answer.content.decode()


def test_members_do_not(as_owner):
    assert as_owner.get("/admin/platform/").status_code == 302
