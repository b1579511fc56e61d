"""How long demand waits for somebody free: M/M/1 and M/M/c (Erlang C).

Belongs here: the two closed formulas. Does not belong here: what counts as a server (utilization.py).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def mm1_wait_factor(rate: npt.ArrayLike) -> FloatArray:
    """Mean wait in units of the mean service time, rho / (1 - rho), of an M/M/1 queue.

    `rate` is the utilization rho, any shape. 0 and less give 0, 1 and more infinity, NaN stays NaN.
    Source: Kleinrock, Queueing Systems vol. 1 (1975), 3.2.
    """
    rho = np.asarray(rate, dtype=np.float64)
    inside = (rho > 0) & (rho < 1)
    out = np.where(rho >= 1, np.inf, np.where(np.isnan(rho), np.nan, 0.0))
    return np.where(inside, rho / np.where(inside, 1 - rho, 1.0), out)


def erlang_c(servers: npt.ArrayLike, load: npt.ArrayLike) -> FloatArray:
    """Probability that an arrival must wait in an M/M/c queue, elementwise over equal shapes.

    `servers` is c (whole, 0 or more), `load` the offered load a = arrival rate x mean service time.
    No load gives 0, a load of c and more gives 1, NaN stays NaN. By the recursion of Erlang B,
    B(n) = a B(n-1) / (n + a B(n-1)), then C = c B / (c - a (1 - B)): no factorials, exact for
    thousands of servers. Source: Erlang (1917); Cooper, Introduction to Queueing Theory (1981), 3.5.
    """
    a = np.asarray(load, dtype=np.float64)
    c = np.broadcast_to(np.asarray(servers, dtype=np.int64), a.shape)
    blocked = np.ones(a.shape, dtype=np.float64)
    for n in range(1, int(c.max(initial=0)) + 1):
        blocked = np.where(n <= c, a * blocked / (n + a * blocked), blocked)
    busy = a >= c
    room = np.where(busy, 1.0, c - a * (1 - blocked))
    waiting = np.where(busy, 1.0, c * blocked / room)
    waiting = np.where(a <= 0, 0.0, waiting)
    return np.where(np.isnan(a), np.nan, waiting)


def erlang_wait_factor(servers: npt.ArrayLike, load: npt.ArrayLike) -> FloatArray:
    """Mean wait in units of the mean service time, C(c, a) / (c - a), of an M/M/c queue.

    Infinite from a load of c on, 0 without load. With one server it is rho / (1 - rho).
    """
    a = np.asarray(load, dtype=np.float64)
    c = np.broadcast_to(np.asarray(servers, dtype=np.float64), a.shape)
    free = (c > a) & (a > 0)
    out = np.where((a >= c) & (a > 0), np.inf, np.where(np.isnan(a), np.nan, 0.0))
    return np.where(free, erlang_c(servers, load) / np.where(free, c - a, 1.0), out)
