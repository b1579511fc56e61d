"""Sets of posts as bits: one word of 64, or a pair of two such sets, so that 1, 2 and 4 words share one code.

Belongs here: the operations on sets and on arrays of sets. Does not belong here: what the sets mean.

A set is a uint64 or a pair of equally wide sets. Each operation has its meaning in Python, and beside it
what it is compiled to: for a word an instruction or two, for a pair the same on both halves. An array
of sets is a flat uint64 array, set i in words i * W to i * W + W - 1. `blank` is the empty set of the wanted width.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types
from numba.cpython.unsafe import numbers
from numba.extending import intrinsic

from resilience_assets.analysis.contingency.compiled import Number, compiled_by_type

_trailing_zeros: Any = numbers.trailing_zeros

Words = npt.NDArray[np.uint64]
PostSet = Any
"""A uint64, or a pair of PostSets of the same width."""

WORD = 64
WIDTHS = (1, 2, 4)
"""Words that a set may have; more posts than 256 are too many for one kernel."""
NONE = np.uint64(0)
ONE = np.uint64(1)


def words_for(posts: int) -> int:
    """Words of a set that can hold so many posts; ValueError above 256."""
    for words in WIDTHS:
        if posts <= words * WORD:
            return words
    raise ValueError(f"{posts} posts: at most {WIDTHS[-1] * WORD} can be analysed together; split the program")


def blank_of(words: int) -> PostSet:
    """The empty set of 1, 2 or 4 words."""
    return NONE if words == 1 else (blank_of(words // 2), blank_of(words // 2))


def bits_of(members: npt.NDArray[np.bool_], words: int | None = None) -> Words:
    """Rows of a boolean array [N, posts] as sets, [N, W]; W is as many `words` as the posts need when it is not said.

    A set of more than four words is for reading (`members_of`), no kernel takes it.
    """
    count, posts = members.shape
    words = words_for(posts) if words is None else words
    padded = np.zeros((count, words * WORD), dtype=np.bool_)
    padded[:, :posts] = members
    return np.packbits(padded, axis=1, bitorder="little").view("<u8").astype(np.uint64)


def members_of(sets: Words, posts: int) -> npt.NDArray[np.bool_]:
    """The inverse of `bits_of`: sets [..., W] as booleans [..., posts]."""
    octets = np.ascontiguousarray(sets).astype("<u8").view(np.uint8)
    return np.unpackbits(octets, axis=-1, bitorder="little")[..., :posts].astype(np.bool_)


def _width(kind: Any) -> int:
    return 1 if isinstance(kind, types.Integer) else 2 * _width(kind[0])


def _is_word(kind: Any) -> bool:
    return isinstance(kind, types.Integer | np.uint64)


def ones(word: np.uint64) -> int:
    """Bits set in a word."""
    return int(word).bit_count()


def union(a: PostSet, b: PostSet) -> PostSet:
    """Posts in either set."""
    return a | b if _is_word(a) else (union(a[0], b[0]), union(a[1], b[1]))


def common(a: PostSet, b: PostSet) -> PostSet:
    """Posts in both sets."""
    return a & b if _is_word(a) else (common(a[0], b[0]), common(a[1], b[1]))


def without(a: PostSet, b: PostSet) -> PostSet:
    """Posts of a that are not in b."""
    return a & ~b if _is_word(a) else (without(a[0], b[0]), without(a[1], b[1]))


def some(a: PostSet) -> bool:
    """True when the set is not empty."""
    return bool(a != NONE) if _is_word(a) else some(a[0]) or some(a[1])


def only(i: Number, blank: PostSet) -> PostSet:
    """The set of post i alone."""
    if _is_word(blank):
        return ONE << np.uint64(i)
    half = WORD * _python_width(blank) // 2
    return (only(i, blank[0]), blank[1]) if i < half else (blank[0], only(i - half, blank[1]))


def has(a: PostSet, i: Number) -> bool:
    """True when post i is in the set."""
    if _is_word(a):
        return bool((a >> np.uint64(i)) & ONE)
    half = WORD * _python_width(a) // 2
    return has(a[0], i) if i < half else has(a[1], i - half)


def lowest(a: PostSet) -> int:
    """The smallest post of a set that is not empty."""
    if _is_word(a):
        return (int(a) & -int(a)).bit_length() - 1
    return lowest(a[0]) if some(a[0]) else WORD * _python_width(a) // 2 + lowest(a[1])


def after_lowest(a: PostSet) -> PostSet:
    """The set without its smallest post."""
    if _is_word(a):
        return a & np.uint64((int(a) - 1) % 2**WORD)
    return (after_lowest(a[0]), a[1]) if some(a[0]) else (a[0], after_lowest(a[1]))


def load(array: Words, i: Number, blank: PostSet) -> PostSet:
    """Set i of an array of sets."""
    return array[i] if _is_word(blank) else (load(array, 2 * i, blank[0]), load(array, 2 * i + 1, blank[1]))


def store(array: Words, i: Number, value: PostSet) -> None:
    """Write set i of an array of sets."""
    if _is_word(value):
        array[i] = value
        return
    store(array, 2 * i, value[0])
    store(array, 2 * i + 1, value[1])


def _python_width(value: PostSet) -> int:
    return 1 if _is_word(value) else 2 * _python_width(value[0])


def _population(_: Any, word: Any) -> tuple[Any, Callable[..., Any]]:
    """The instruction that counts bits, for numba."""
    return types.uint64(types.uint64), lambda context, builder, signature, arguments: builder.ctpop(arguments[0])


_population_count: Any = intrinsic(_population)


@compiled_by_type(ones)
def _ones(word: Any) -> Callable[..., Any]:
    return lambda word: np.int64(_population_count(word))


@compiled_by_type(union)
def _union(a: Any, b: Any) -> Callable[..., Any]:
    if _is_word(a):
        return lambda a, b: a | b
    return lambda a, b: (union(a[0], b[0]), union(a[1], b[1]))


@compiled_by_type(common)
def _common(a: Any, b: Any) -> Callable[..., Any]:
    if _is_word(a):
        return lambda a, b: a & b
    return lambda a, b: (common(a[0], b[0]), common(a[1], b[1]))


@compiled_by_type(without)
def _without(a: Any, b: Any) -> Callable[..., Any]:
    if _is_word(a):
        return lambda a, b: a & ~b
    return lambda a, b: (without(a[0], b[0]), without(a[1], b[1]))


@compiled_by_type(some)
def _some(a: Any) -> Callable[..., Any]:
    if _is_word(a):
        return lambda a: a != NONE
    return lambda a: some(a[0]) or some(a[1])


@compiled_by_type(only)
def _only(i: Any, blank: Any) -> Callable[..., Any]:
    if _is_word(blank):
        return lambda i, blank: ONE << np.uint64(i)
    half = WORD * _width(blank) // 2
    return lambda i, blank: (only(i, blank[0]), blank[1]) if i < half else (blank[0], only(i - half, blank[1]))


@compiled_by_type(has)
def _has(a: Any, i: Any) -> Callable[..., Any]:
    if _is_word(a):
        return lambda a, i: ((a >> np.uint64(i)) & ONE) != NONE
    half = WORD * _width(a) // 2
    return lambda a, i: has(a[0], i) if i < half else has(a[1], i - half)


@compiled_by_type(lowest)
def _lowest(a: Any) -> Callable[..., Any]:
    if _is_word(a):
        return lambda a: np.int64(_trailing_zeros(a))
    half = WORD * _width(a) // 2
    return lambda a: lowest(a[0]) if some(a[0]) else half + lowest(a[1])


@compiled_by_type(after_lowest)
def _after_lowest(a: Any) -> Callable[..., Any]:
    if _is_word(a):
        return lambda a: a & (a - ONE)
    return lambda a: (after_lowest(a[0]), a[1]) if some(a[0]) else (a[0], after_lowest(a[1]))


@compiled_by_type(load)
def _load(array: Any, i: Any, blank: Any) -> Callable[..., Any]:
    if _is_word(blank):
        return lambda array, i, blank: array[i]
    return lambda array, i, blank: (load(array, 2 * i, blank[0]), load(array, 2 * i + 1, blank[1]))


def _put(array: Words, i: Number, value: PostSet) -> None:
    array[i] = value


def _put_both(array: Words, i: Number, value: PostSet) -> None:
    store(array, 2 * i, value[0])
    store(array, 2 * i + 1, value[1])


@compiled_by_type(store)
def _store(array: Any, i: Any, value: Any) -> Callable[..., Any]:
    return _put if _is_word(value) else _put_both
