"""One typed way to compile a function, and the rule by which compiled code is kept between runs.

Belongs here: the decorators. Does not belong here: any algorithm.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.extending import overload

Function = TypeVar("Function", bound=Callable[..., Any])
Number = int | np.integer[Any]
"""A whole number in compiled code: an element of an array as well as a count."""


def _digest_of_sources() -> str:
    """A hash of all modules of this package, in which compiled functions call each other across files."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(one.read_bytes() for one in sources)).hexdigest()


SOURCES = _digest_of_sources()
OPTIONS = {"_nrt": False, "forceinline": True}


def compiled(function: Function) -> Function:
    """The function as machine code, made at its first call and kept on disk where a folder may be written.

    numba takes kept code for good as long as the file of the function itself is unchanged, although it holds
    the code of what it calls in other files too. Here it is good as long as the whole package is.

    Compiled functions make no arrays: they are given them. So nothing has to be counted to be freed, and
    the counting (`_nrt`) is left out; it would take two thirds of the time of a small program. A call would
    hand over every word of every array of a Seating, a third of the time of a small program: what is called is
    put in the place of the call (`forceinline`).
    """
    njit: Any = numba.njit
    try:
        dispatcher = njit(cache=True, **OPTIONS)(function)
    except RuntimeError:  # no folder for kept code may be written
        return cast(Function, njit(**OPTIONS)(function))
    kept = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if kept is not None:
        kept._source_stamp = SOURCES
    return cast(Function, dispatcher)


def compiled_by_type(function: Callable[..., Any]) -> Callable[[Function], Function]:
    """Marks a function of argument types that returns what `function` is for them in compiled code."""
    # not strict: annotations would have to agree too
    return cast(Callable[[Function], Function], overload(function, strict=False))
