"""The programs that the contingency benchmark measures are what it says that they are."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import contingency
from benchmarks.contingency import side_by_side
from benchmarks.contingency_cases import cases, invented
from benchmarks.contingency_fleet import DIFFERENT, PEOPLE, PROGRAMS, programs_of, sizes
from resilience_assets.analysis.contingency.labels import labels
from resilience_assets.analysis.contingency.masks import Moves


def test_three_sizes_and_three_staffings_from_easy_to_siloed() -> None:
    found = {case.name: case for case in cases(None)}
    assert len(found) == 9
    assert found["large_tight"].masks.place.shape == (180, 2000)
    assert found["large_tight"].demand.shape == (180, 60)
    survives = [labels(found[f"medium_{kind}"].masks, Moves.FULL, found[f"medium_{kind}"].demand).survives.mean()
                for kind in ("easy", "tight", "siloed")]  # fmt: skip
    assert survives == sorted(survives, reverse=True)


@pytest.mark.parametrize(
    ("posts", "department", "words", "parts"), [(75, 0, 2, 0), (75, 15, 2, 2), (180, 0, 4, 0), (180, 20, 4, 3)]
)
def test_programs_of_many_posts_in_one_piece_and_in_departments(
    posts: int, department: int, words: int, parts: int
) -> None:
    masks, demand = invented(300, posts, 1.05, [posts], slots=6, department=department)
    assert (demand.shape, masks.words, len(masks.parts)) == ((6, posts), words, parts)


def test_four_hundred_posts_are_in_parts() -> None:
    masks, demand = side_by_side(8, 50)
    assert demand.shape == (180, 400)
    assert len(masks.parts) == 8
    assert labels(masks, Moves.STATIC, demand[:]).deficit.sum() == 0


def test_the_fleet_has_the_size_that_is_printed() -> None:
    people = sizes()
    assert (len(people), min(people), np.median(people)) == (DIFFERENT, 3, 9)
    picked = sum(people[number % DIFFERENT] for number in range(PROGRAMS))
    assert abs(picked - PEOPLE) < 0.02 * PEOPLE
    case = programs_of(1, people[1], None)
    assert case.masks.place.shape == (180, people[1])


def test_modules_that_measure_more_give_figures() -> None:
    for name in contingency.MORE:
        module = __import__(f"benchmarks.{name}", fromlist=["figures"])
        assert callable(module.figures)
