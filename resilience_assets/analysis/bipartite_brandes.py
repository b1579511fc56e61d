"""Exact betweenness of a bipartite graph from all sources at once, as matrix products.

Belongs here: the algorithm over the matrix that says who is joined to what. Does not belong here: graphs of networkx
and how it dispatches (networkx_backend), the measures of a roster (centrality).

Theorem (U. Brandes, A faster algorithm for betweenness centrality, J. Math. Sociol. 25 (2001) 163-177). With
`sigma(s, v)` the number of shortest paths from s to v, the dependency of s on v, the sum over all t of the share of
shortest paths from s to t that lead over v, obeys

    delta(s, v) = sum over w that follow v on a shortest path of sigma(s, v) / sigma(s, w) * (1 + delta(s, w)),

and the betweenness of v is the sum of delta(s, v) over all s other than v.

All edges run between rows and columns of the matrix A. So level l of all searches from row sources lies on the
rows for even l and on the columns for odd l, and is one product: S_l = S_{l-1} A, or S_{l-1} A^T, where not seen
before; the dependencies are the same products backwards. Sources on the columns are the same with A^T for A.

Cost: 2 * sources * R * C operations a level and direction, in BLAS, and no pointer is followed. It pays where the
graph is dense between its sides and shallow, as a roster is; on a long thin graph it is right, and slow. Memory:
sources are taken in blocks, and what is kept of a block does not grow with the depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Levels = npt.NDArray[np.int32]

BLOCK_CELLS = 2_000_000
"""Sources x nodes that are worked on at once: about 100 MB."""
UNSEEN = -1


def betweenness(joined: npt.NDArray[Any], block_cells: int = BLOCK_CELLS) -> tuple[FloatArray, FloatArray]:
    """Betweenness of the rows [R] and of the columns [C], summed over ordered pairs of other nodes, not scaled.

    `joined` [R, C] is true where row and column are joined. `block_cells` bounds the memory and does not change the
    answer by more than rounding.
    """
    if joined.ndim != 2:
        raise ValueError(f"betweenness needs a matrix of rows x columns, not an array of shape {joined.shape}")
    if block_cells < 1:
        raise ValueError(f"block_cells must be at least 1, not {block_cells}")
    matrix = np.ascontiguousarray(joined, dtype=np.bool_).astype(np.float64)
    from_rows = _from_one_side(matrix, block_cells)
    from_columns = _from_one_side(np.ascontiguousarray(matrix.T), block_cells)
    return from_rows[0] + from_columns[1], from_rows[1] + from_columns[0]


@dataclass(frozen=True, eq=False)
class _Searches:
    """Breadth-first searches of a block of sources; a pair is for the sources' own side [R] and the other [C].

    - `sigma`: shortest paths from source to node, [block, R] and [block, C]; 0 where there is none.
    - `level`: edges from source to node, same shapes; `UNSEEN` where there is no path.
    - `depth`: the last level on which any node lies.
    """

    sigma: tuple[FloatArray, FloatArray]
    level: tuple[Levels, Levels]
    depth: int


def _from_one_side(matrix: FloatArray, block_cells: int) -> tuple[FloatArray, FloatArray]:
    """Dependencies of all sources on the side of the rows, summed: on the rows [R], on the columns [C]."""
    rows, columns = matrix.shape
    total = np.zeros(rows), np.zeros(columns)
    if not rows or not columns:
        return total
    block = max(1, block_cells // (rows + columns))
    for first in range(0, rows, block):
        _add_dependencies(matrix, _search(matrix, first, min(rows, first + block)), total)
    return total


def _search(matrix: FloatArray, first: int, last: int) -> _Searches:
    """Count shortest paths from the rows `first` to `last` (exclusive), level by level."""
    across = matrix, matrix.T
    count = last - first
    source = np.arange(count)
    sigma = np.zeros((count, matrix.shape[0])), matrix[first:last].copy()
    sigma[0][source, first + source] = 1.0
    level = np.full(sigma[0].shape, UNSEEN, np.int32), np.where(sigma[1] > 0, 1, UNSEEN).astype(np.int32)
    level[0][source, first + source] = 0
    reached, depth = sigma[1], 1
    while True:
        side = (depth + 1) % 2
        unseen = level[side] == UNSEEN
        if not unseen.any():
            break  # nothing can lie on the next level, and so on none behind it
        reached = reached @ across[1 - side]
        reached *= unseen
        new = reached > 0
        if not new.any():
            break
        depth += 1
        level[side][new] = depth
        sigma[side][...] += reached
    return _Searches(sigma, level, depth)


def _add_dependencies(matrix: FloatArray, found: _Searches, total: tuple[FloatArray, FloatArray]) -> None:
    """Add the dependencies of a block of sources to `total`, from the last level to the first; not on the source."""
    across = matrix, matrix.T
    delta = np.zeros_like(found.sigma[found.depth % 2])
    for depth in range(found.depth, 1, -1):
        side = depth % 2
        share = np.zeros_like(delta)
        delta += 1.0
        np.divide(delta, found.sigma[side], out=share, where=found.level[side] == depth)
        delta = share @ across[side]
        delta *= found.sigma[1 - side]
        delta *= found.level[1 - side] == depth - 1
        total[1 - side][...] += delta.sum(axis=0)
