"""Many programs in one call, against each by itself."""

from __future__ import annotations

import numpy as np
import pytest

from resilience_assets.analysis.contingency.fleet import fleet
from resilience_assets.analysis.contingency.labels import labels
from resilience_assets.analysis.contingency.masks import Moves
from resilience_assets_tests.analysis.contingency.blocks import chain_block, random_block, stacked
from resilience_assets_tests.analysis.contingency.test_components import several


@pytest.mark.parametrize("moves", list(Moves))
def test_each_program_as_if_it_were_alone(moves: Moves) -> None:
    random = np.random.default_rng(13)
    programs = []
    for n in range(150):
        make, posts = ((random_block, 5), (chain_block, 11))[n % 2]
        programs.append(stacked([make(random) for _ in range(int(random.integers(1, 12)))], posts))
    programs[40:40] = [several(random, 4, 130)]
    found = fleet([masks for masks, _ in programs], [demand for _, demand in programs], moves)
    assert len(found) == len(programs)
    for one, (masks, demand) in zip(found, programs, strict=True):
        alone = labels(masks, moves, demand)
        for name in ("label", "deficit", "classes", "slots_lost", "posts_lost"):
            assert np.array_equal(getattr(one, name), getattr(alone, name)), name


def test_no_programs_and_a_demand_too_few() -> None:
    assert fleet([], [], Moves.FULL) == []
    masks, _ = stacked([random_block(np.random.default_rng(1))], 5)
    with pytest.raises(ValueError, match="1 programs and 0 demands"):
        fleet([masks], [], Moves.FULL)
