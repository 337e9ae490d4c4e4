"""A task with an id of another workspace finds nothing and does nothing.

Whoever rings takes both ids from one row, so this cannot happen; it is refused all the same.
"""

import inspect
from collections.abc import Callable

import pytest
from celery import Task
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from numbers_project.celery import app
from tests.isolation import world as worlds
from tests.isolation.test_every_model import OURS
from wallet.models import SavedCard

pytestmark = pytest.mark.django_db


def a_card(world: worlds.World) -> int:
    now = timezone.now()
    return SavedCard.objects.create(
        workspace=world.acme, by=world.people["owner"], created_at=now, expires_at=now
    ).pk


# Each takes a workspace's id and, after it, that of a row of Acme's.
OF_A_ROW: dict[str, Callable[[worlds.World], int]] = {
    "interactions.tasks.fetch_voicemail": lambda world: world.voicemail.pk,
    "interactions.tasks.handle_message": lambda world: world.picture.message_id,
    "numbers.tasks.buy_order": lambda world: world.order.pk,
    "numbers.tasks.send_number_name": lambda world: world.number.pk,
    "numbers.tasks.settle_order": lambda world: world.order.pk,
    "wallet.tasks.settle_card": a_card,
    "wallet.tasks.settle_top_up": lambda world: world.top_up.pk,
}
# What takes an id that leads across no border.
OF_NO_ROW = {
    "numbers.tasks.settle_workspace": "the id is the workspace's own",
    "numbers.tasks.reconcile": "support's person, whom the run is written down for",
}


@pytest.fixture
def our_tasks() -> dict[str, Task]:
    """Each of ours that a worker would run."""
    app.loader.import_default_modules()
    ours = OURS | {"numbers_project"}
    return {name: task for name, task in app.tasks.items() if name.split(".")[0] in ours}


def test_every_task_that_takes_ids_is_listed(our_tasks):
    words_of = {name: [*inspect.signature(task.run).parameters] for name, task in our_tasks.items()}
    takes = {name: words for name, words in words_of.items() if words}
    unknown = [
        f"{name}{tuple(words)} takes ids: let it take workspace_id and the row's id, look the row "
        "up by both, and add it to OF_A_ROW"
        for name, words in takes.items()
        if name not in OF_NO_ROW
        and (name not in OF_A_ROW or words[0] != "workspace_id" or len(words) != 2)
    ]
    assert not unknown, "\n".join(unknown)
    assert set(OF_A_ROW) | set(OF_NO_ROW) == set(takes), "a row has outlived its task"
    assert len(our_tasks) > 20, "the walk found too little to prove anything"


@pytest.fixture
def world(simulator) -> worlds.World:
    return worlds.build()


@pytest.mark.parametrize("name", OF_A_ROW)
def test_a_row_of_another_workspace_is_not_found(world, simulator, our_tasks, name):
    task, row, asked = our_tasks[name], OF_A_ROW[name](world), len(simulator.requests)
    with CaptureQueriesContext(connection) as queries, pytest.raises(ObjectDoesNotExist):
        task(world.globex.pk, row)
    assert [query["sql"][:6] for query in queries] == ["SELECT"]
    assert len(simulator.requests) == asked
    task(world.acme.pk, row)  # the control: there it is found
