"""Sets of posts: what is compiled against what is written."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from resilience_assets.analysis.contingency import bits
from resilience_assets.analysis.contingency.compiled import SOURCES, compiled


@compiled
def all_of_them(words: bits.Words, out: bits.Words, found: np.ndarray, i: int, blank: bits.PostSet) -> None:
    a, b = bits.load(words, 0, blank), bits.load(words, 1, blank)
    bits.store(out, 0, bits.union(a, b))
    bits.store(out, 1, bits.common(a, b))
    bits.store(out, 2, bits.without(a, b))
    bits.store(out, 3, bits.only(i, blank))
    bits.store(out, 4, bits.after_lowest(a) if bits.some(a) else a)
    found[0], found[1], found[2] = bits.some(a), bits.has(a, i), bits.lowest(a) if bits.some(a) else -1
    found[3] = bits.ones(words[0])


@pytest.mark.parametrize("words", bits.WIDTHS)
def test_compiled_python_and_numpy_agree(words: int) -> None:
    random = np.random.default_rng(words)
    count = words * bits.WORD
    for density in (0.0, 0.01, 0.5, 1.0):
        for _ in range(20):
            members = random.random((2, count)) < density
            sets, i = bits.bits_of(members), int(random.integers(count))
            if density == 0.01:
                members[0] = False
                members[0, i] = True
                sets = bits.bits_of(members)
            assert np.array_equal(bits.members_of(sets, count), members)
            results = []
            for call in (all_of_them, getattr(all_of_them, "py_func", all_of_them)):
                out, found = np.zeros(5 * words, dtype=np.uint64), np.zeros(4, dtype=np.int64)
                call(sets.ravel(), out, found, i, bits.blank_of(words))
                results.append((out.tolist(), found.tolist()))
            assert results[0] == results[1]
            rows = bits.members_of(out.reshape(5, words), count)
            a, b = members
            assert np.array_equal(rows[:4], [a | b, a & b, a & ~b, np.arange(count) == i])
            assert found.tolist() == [a.any(), a[i], np.flatnonzero(a)[0] if a.any() else -1, a[: bits.WORD].sum()]
            assert np.array_equal(np.flatnonzero(rows[4]), np.flatnonzero(a)[1:])


def test_how_many_words() -> None:
    assert [bits.words_for(posts) for posts in (0, 1, 64, 65, 128, 129, 256)] == [1, 1, 1, 2, 2, 4, 4]
    with pytest.raises(ValueError, match="257 posts: at most 256"):
        bits.words_for(257)


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_kept_code_is_good_only_for_these_sources() -> None:
    assert all_of_them._cache._cache_file._source_stamp == SOURCES  # type: ignore[attr-defined]
