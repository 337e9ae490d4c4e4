"""Doing things at the same moment, each on a database connection of its own."""

from collections.abc import Callable
from threading import Barrier, Thread

from django.db import connection


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What each returned or raised, in their order."""
    results: list[object] = [None] * len(calls)
    start = Barrier(len(calls))

    def run(place: int, call: Callable[[], object]) -> None:
        try:
            start.wait(10)
            results[place] = call()
        except Exception as error:  # handed to whoever asked for it
            results[place] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results
