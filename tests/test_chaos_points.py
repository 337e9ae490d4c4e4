"""The points of a purchase at which `make chaos` kills are still in the product."""

import importlib
from functools import reduce

import pytest

from chaos.points import EXTENTS, POINTS


@pytest.mark.parametrize("where", sorted({p.where for p in POINTS} | set(EXTENTS.values())))
def test_a_point_is_a_function_of_the_product(where: str):
    module, path = where.split(":")
    assert callable(reduce(getattr, path.split("."), importlib.import_module(module)))


def test_the_names_of_points_are_different():
    assert len({point.key for point in POINTS}) == len(POINTS)
