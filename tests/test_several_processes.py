"""Several web processes on one database, and one of them replaced while people work."""

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings as django_settings
from django.db import connection

from conftest import signed_in
from embedded import ports
from embedded.part import CHECKOUT

pytestmark = pytest.mark.django_db(transaction=True)

START_SECONDS = 60


class Web:
    """One granian, as in production, on the tests' database and cache."""

    def __init__(self, port: int, env: dict[str, str]) -> None:
        self.port = port
        self.env = env
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        command = (
            "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port),
            "--workers", "1", "--blocking-threads", "2", "numbers_project.wsgi:application",
        )  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=CHECKOUT, env=self.env
        )
        end = time.monotonic() + START_SECONDS
        while not ports.answers(self.port, "/healthz"):
            assert self.process.poll() is None, "it ended by itself"
            assert time.monotonic() < end, "it does not answer"
            time.sleep(0.1)

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def get(self, path: str, cookie: str = "") -> int:
        headers = {"Host": "127.0.0.1", "Cookie": cookie}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                answer.read()
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code


def database_url() -> str:
    info = connection.connection.info
    query = urlencode({"host": info.host, "user": info.user, "port": info.port}, safe="/")
    return f"postgresql:///{info.dbname}?{query}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def webs(tmp_path: Path) -> Iterator[list[Web]]:
    connection.ensure_connection()
    env = os.environ | {
        "DATABASE_URL": database_url(), "VAR_DIR": str(tmp_path), "LOG_LEVEL": "ERROR",
    }  # fmt: skip
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(collect, cwd=CHECKOUT, env=env, check=True)
    both = [Web(free_port(), env), Web(free_port(), env)]
    try:
        for web in both:
            web.start()
        yield both
    finally:
        for web in both:
            web.stop()


def cookie_of(user) -> str:
    return f"session={signed_in(user).cookies[django_settings.SESSION_COOKIE_NAME].value}"


def refused(error: Exception) -> bool:
    reason = getattr(error, "reason", error)
    return isinstance(reason, ConnectionRefusedError)


def proxied(webs: list[Web], path: str, cookie: str) -> int:
    """As a proxy does it: where a connection is refused, the other one is asked."""
    for web in webs:
        try:
            return web.get(path, cookie)
        except (urllib.error.URLError, ConnectionRefusedError) as error:
            if not refused(error):
                raise
    raise AssertionError("both are away")


def test_a_session_is_good_at_each_of_them(webs, owner):
    cookie = cookie_of(owner)
    assert [web.get("/w/acme/members/", cookie) for web in webs] == [200, 200]


def test_one_is_replaced_while_requests_keep_coming(webs, owner):
    cookie, answers, done = cookie_of(owner), [], threading.Event()

    def keep_asking() -> None:
        while not done.is_set():
            try:
                answers.append(proxied(webs, "/w/acme/numbers/", cookie))
            except Exception as error:
                answers.append(error)

    people = [threading.Thread(target=keep_asking) for _ in range(2)]
    for person in people:
        person.start()
    try:
        for web in webs:
            time.sleep(0.5)
            web.stop()
            asked = len(answers)
            web.start()
            assert len(answers) > asked, "nobody asked while it was away"
        time.sleep(0.5)
    finally:
        done.set()
        for person in people:
            person.join()
    assert set(answers) == {200}
