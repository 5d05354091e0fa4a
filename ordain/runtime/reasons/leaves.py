"""Shapley values of a sum of trees, from tables that are made once for a background.

For one leaf, one row and one background row the game has a closed form. Of the inputs tested on the
way to it, u are met by the row alone and v by the background row alone; where every test is met by
one of the two, each of the u earns the leaf's value times (u-1)! v! / (u+v)! and each of the v
loses it times u! (v-1)! / (u+v)! (Lundberg et al. 2020, "From local explanations to global
understanding with explainable AI for trees", supplementary algorithm 3).

All that a leaf knows of a row is which inputs miss their tests: a number with a bit for each. The
background is therefore counted by that number once, and the sums over it are written down for every
number that a row may have (`Tabled`). A row then costs its own tests and one look-up for each leaf.
Sums over all background rows that meet what the row misses are sums over subsets, so that a table
is made by zeta transforms (Björklund et al. 2007), in 2^k k² steps and not in 4^k.

A leaf behind more than `NARROW` inputs would need too large a table, and so do the widest ones of a
chunk whose tables would hold more than `TABLES` numbers. It keeps the different numbers
of the background (`Paired`), and a row goes through those that it completes: where many inputs are
tested, these are few.

Memory: trees are compiled in chunks of some `CHUNK` leaves, a tree is never divided. Working
space is bounded by `CELLS` numbers beside one number for each leaf of the chunk and background row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ordain.runtime.models import Tree

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]
    Mask = NDArray[np.bool_]
    # Integers with a bit for each input; Python's own where 63 bits are too few.
    Codes = NDArray[Any]

NARROW = 9
CHUNK = 4_096
CELLS = 2_000_000
TABLES = 8_000_000
_BITS = 62


@dataclass(frozen=True, slots=True)
class Paths:
    """The ways to the leaves of some trees, as parallel arrays.

    A split has a column, a threshold and a side for missing values. A test is a split and the side
    it has to be left by, and stands beside the other tests of its leaf, which begin at `starts`;
    `bits` is the bit of its input there. A slot is a leaf and an input that is tested on the way.
    """

    column: Places
    threshold: Floats
    missing_left: Mask
    split: Places
    left: Mask
    bits: Codes
    starts: Places
    widths: Places
    value: Floats
    slot_leaf: Places
    slot_bit: Places
    slot_input: Places

    def missed(self, rows: Floats) -> Codes:
        """Which inputs miss their tests, (rows, leaves); rows are encoded."""
        size = max(1, CELLS // max(1, len(self.split)))
        return np.concatenate(
            [self._missed(rows[at : at + size]) for at in range(0, len(rows), size)]
        )

    def _missed(self, rows: Floats) -> Codes:
        values = rows[:, self.column]
        left = values <= self.threshold
        gone = np.isnan(values)
        if gone.any():
            left = np.where(gone, self.missing_left, left)
        wrong = left[:, self.split] != self.left
        missed: Codes = np.bitwise_or.reduceat(np.where(wrong, self.bits, 0), self.starts, axis=1)
        return missed


@dataclass(frozen=True, slots=True)
class Tabled:
    """What each slot of the narrow leaves gets, for every number that a row may have."""

    leaves: Places
    table: Floats
    begins: Places
    widths: Places
    slot_leaf: Places
    slot_bit: Places
    slot_input: Places

    @property
    def size(self) -> int:
        return int(self.table.nbytes)

    def add(self, total: Floats, missed: Codes) -> None:
        """Add the contributions of these leaves to `total`, (rows, inputs)."""
        size = max(1, CELLS // max(1, len(self.slot_leaf)))
        for at in range(0, len(total), size):
            part = total[at : at + size]
            cells = self.begins + missed[at : at + size, self.leaves].astype(int) * self.widths
            values = self.table[cells[:, self.slot_leaf] + self.slot_bit]
            _scatter(part, values, self.slot_input)


@dataclass(frozen=True, slots=True)
class Paired:
    """The different numbers of the background at each wide leaf, and how much of it has each."""

    leaves: Places
    codes: Codes
    per_leaf: Places
    inputs: Places
    earned: Floats
    slot_leaf: Places
    slot_bit: Places
    slot_input: Places

    @property
    def size(self) -> int:
        return int(self.codes.nbytes + self.earned.nbytes + self.inputs.nbytes)

    def add(self, total: Floats, missed: Codes) -> None:
        """Add the contributions of these leaves to `total`, (rows, inputs)."""
        for into, codes in zip(total, missed[:, self.leaves], strict=True):
            values = self._values(codes)
            _scatter(into[np.newaxis], values[np.newaxis], self.slot_input)

    def _values(self, missed: Codes) -> Floats:
        """What each slot gets from one row."""
        met = np.flatnonzero((self.codes & np.repeat(missed, self.per_leaf)) == 0)
        leaf = np.repeat(np.arange(len(missed)), self.per_leaf)[met]
        lost, others, earned = _count(missed)[leaf], self.inputs[met], self.earned[met]
        weights = _weights(int(self.slot_bit.max()) + 1)
        gain = earned * weights[others, lost]
        loss = np.bincount(leaf, earned * weights[lost, others], len(missed))
        found = np.empty((int(self.slot_bit.max()) + 1, len(missed)))
        for bit in range(len(found)):
            has = ((self.codes[met] >> bit) & 1).astype(float)
            own = ((missed >> bit) & 1).astype(float)
            found[bit] = np.bincount(leaf, gain * has, len(missed)) - loss * own
        return found[self.slot_bit, self.slot_leaf]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some trees, compiled for one background."""

    paths: Paths
    parts: tuple[Tabled | Paired, ...]

    @property
    def size(self) -> int:
        """Bytes of what depends on the background; the rest is in proportion to the trees."""
        return sum(part.size for part in self.parts)

    def add(self, total: Floats, rows: Floats) -> None:
        """Add the contributions of these trees to `total`, (rows, inputs); rows are encoded."""
        missed = self.paths.missed(rows)
        for part in self.parts:
            part.add(total, missed)


def chunks(trees: Sequence[Tree], places: Sequence[int], background: Floats) -> Iterator[Chunk]:
    """The trees, compiled for these encoded background rows; `places` are the inputs of columns."""
    group: list[Tree] = []
    leaves = 0
    for tree in trees:
        group.append(tree)
        leaves += tree.feature.count(-1)
        if leaves >= CHUNK:
            yield from _compiled(group, places, background)
            group, leaves = [], 0
    yield from _compiled(group, places, background)


def _compiled(trees: list[Tree], places: Sequence[int], background: Floats) -> Iterator[Chunk]:
    paths = _paths(trees, np.asarray(places, dtype=np.int64)) if trees else None
    if paths is None:
        return
    missed = paths.missed(background)
    parts: list[Tabled | Paired] = []
    most = _narrow(paths.widths)
    narrow = np.flatnonzero(paths.widths <= most)
    if len(narrow):
        parts.append(_tabled(paths, narrow, missed))
    wide = np.flatnonzero(paths.widths > most)
    if len(wide):
        parts.append(_paired(paths, wide, missed))
    yield Chunk(paths, tuple(parts))


def _narrow(widths: Places) -> int:
    """Up to how many inputs a leaf of this chunk gets a table."""
    counts = np.bincount(widths, minlength=NARROW + 1)
    cells = np.cumsum([int(counts[width]) * width << width for width in range(NARROW + 1)])
    return int(np.flatnonzero(cells <= TABLES)[-1])


# ── ways to the leaves ───────────────────────────────────────────────────────────────────────────


def _paths(trees: list[Tree], places: Places) -> Paths | None:
    """The ways to all leaves that have a value and a test; None where there are none."""
    sizes = [len(tree.feature) for tree in trees]
    offsets = np.repeat(np.cumsum([0, *sizes[:-1]]), sizes)
    feature = _joined([tree.feature for tree in trees], np.int64)
    value = _joined([tree.value for tree in trees], np.float64)
    splits = np.flatnonzero(feature >= 0)
    parent = np.full(len(feature), -1)
    from_left = np.zeros(len(feature), dtype=bool)
    for side in ("left", "right"):
        child = (_joined([getattr(tree, side) for tree in trees], np.int64) + offsets)[splits]
        parent[child] = splits
        from_left[child] = side == "left"
    # A plan may hold nodes that no way from a root leads to; they take no part in an answer.
    used = np.isin(_roots(parent), np.unique(offsets))
    found = np.flatnonzero((feature < 0) & (value != 0.0) & (parent >= 0) & used)
    if not len(found):
        return None
    leaf, node, left = _tests(found, parent, from_left)
    slot, test_slot = np.unique(
        leaf * (len(places) + 1) + places[feature[node]], return_inverse=True
    )
    slot_leaf, slot_input = slot // (len(places) + 1), slot % (len(places) + 1)
    widths = np.bincount(slot_leaf, minlength=len(found))
    slot_bit = np.arange(len(slot)) - np.repeat(np.cumsum(widths) - widths, widths)
    return Paths(
        column=feature[splits],
        threshold=_joined([tree.threshold for tree in trees], np.float64)[splits],
        missing_left=_joined([tree.missing_left for tree in trees], np.bool_)[splits],
        split=np.searchsorted(splits, node),
        left=left,
        bits=_bits(slot_bit[test_slot]),
        starts=np.searchsorted(leaf, np.arange(len(found))),
        widths=widths,
        value=value[found],
        slot_leaf=slot_leaf,
        slot_bit=slot_bit,
        slot_input=slot_input,
    )


def _joined(parts: list[tuple[Any, ...]], kind: type) -> NDArray[Any]:
    return np.concatenate([np.asarray(part, dtype=kind) for part in parts])


def _roots(parent: Places) -> Places:
    """The topmost node above each node."""
    at = np.where(parent < 0, np.arange(len(parent)), parent)
    while not np.array_equal(above := at[at], at):
        at = above
    return at


def _tests(found: Places, parent: Places, from_left: Mask) -> tuple[Places, Places, Mask]:
    """The leaf, the split and the side of every test, ordered by leaf."""
    leaf, at = np.arange(len(found)), found
    parts = []
    while len(at):
        up = parent[at]
        inside = up >= 0
        parts.append((leaf[inside], up[inside], from_left[at[inside]]))
        leaf, at = leaf[inside], up[inside]
    leaves, nodes, sides = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(leaves, kind="stable")
    return leaves[order], nodes[order], sides[order]


def _bits(places: Places) -> Codes:
    if places.max() < _BITS:
        return np.left_shift(1, places)
    return np.array([1 << place for place in places.tolist()], dtype=object)


# ── tables ───────────────────────────────────────────────────────────────────────────────────────


def _tabled(paths: Paths, leaves: Places, missed: Codes) -> Tabled:
    """Tables of leaves, those of equally many inputs together."""
    widths = paths.widths[leaves]
    leaves = leaves[np.argsort(widths, kind="stable")]
    widths = paths.widths[leaves]
    sizes = widths << widths
    tables = [
        part
        for width in np.unique(widths).tolist()
        for part in _tables(paths, leaves[widths == width], missed, width)
    ]
    slot_leaf, slot_bit, slot_input = _slots(paths, leaves)
    begins = np.cumsum(sizes) - sizes
    table = np.concatenate(tables)
    return Tabled(leaves, table, begins, widths, slot_leaf, slot_bit, slot_input)


def _tables(paths: Paths, leaves: Places, missed: Codes, width: int) -> Iterator[Floats]:
    size = max(1, CELLS // ((width + 1) << width))
    for at in range(0, len(leaves), size):
        some = leaves[at : at + size]
        codes = missed[:, some].astype(np.int64) + (np.arange(len(some)) << width)
        counts = np.bincount(codes.ravel(), minlength=len(some) << width)
        table = _table(counts.reshape(len(some), 1 << width), width)
        scale = paths.value[some] / len(missed)
        yield (table * scale[:, np.newaxis, np.newaxis]).ravel()


def _table(counts: Places, width: int) -> Floats:
    """Contributions at a leaf of value 1 times the size of the background, (leaves, 2^k, k).

    `counts` says how often each number occurs in the background, (leaves, 2^k). What a background
    row does not decide comes out as 0 and not as a rounding error, because both sums then add the
    same numbers in the same order.
    """
    codes = np.arange(1 << width)
    size = np.bitwise_count(codes).astype(np.int64)
    weights = _weights(width)
    # At [v, leaf, set]: the sum over the background rows that miss no more than the set, as it is
    # where the row misses v.
    gains = _subset_sums(weights[size, :].T[:, np.newaxis] * counts, width)
    losses = _subset_sums(weights[:, size][:, np.newaxis] * counts, width)
    met = codes ^ ((1 << width) - 1)
    lost, within = losses[size, :, met], gains[size, :, met]
    table = np.empty((len(codes), len(counts), width))
    for bit in range(width):
        missing = codes & (1 << bit) != 0
        table[missing, :, bit] = -lost[missing]
        others = gains[size[~missing], :, met[~missing] & ~(1 << bit)]
        table[~missing, :, bit] = within[~missing] - others
    return table.transpose(1, 0, 2)


def _subset_sums(values: Floats, width: int) -> Floats:
    """Over all subsets of each set, along the last axis."""
    for bit in range(width):
        pairs = values.reshape(*values.shape[:2], -1, 2, 1 << bit)
        pairs[..., 1, :] += pairs[..., 0, :]
    return values


def _paired(paths: Paths, leaves: Places, missed: Codes) -> Paired:
    """The numbers of the background at wide leaves, equal ones counted together."""
    ordered = np.sort(missed[:, leaves].T, axis=1)
    first = np.ones(ordered.shape, dtype=bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    at = np.flatnonzero(first)
    counts = np.diff(np.append(at, ordered.size))
    per_leaf = first.sum(axis=1)
    codes = ordered.ravel()[at]
    earned = counts * np.repeat(paths.value[leaves], per_leaf) / len(missed)
    slots = _slots(paths, leaves)
    return Paired(leaves, codes, per_leaf, _count(codes), earned, *slots)


def _slots(paths: Paths, leaves: Places) -> tuple[Places, Places, Places]:
    """The slots of some leaves, which are numbered anew, in the order given."""
    place = np.full(len(paths.widths), -1)
    place[leaves] = np.arange(len(leaves))
    leaf = place[paths.slot_leaf]
    kept = np.flatnonzero(leaf >= 0)
    return leaf[kept], paths.slot_bit[kept], paths.slot_input[kept]


def _scatter(total: Floats, values: Floats, inputs: Places) -> None:
    """Add values, (rows, slots), to the inputs of their slots."""
    rows, width = total.shape
    places = np.arange(rows)[:, np.newaxis] * width + inputs
    added = np.bincount(places.ravel(), values.ravel(), rows * width)
    total += added.reshape(rows, width)


def _count(codes: Codes) -> Places:
    """How many bits are set."""
    if codes.dtype == object:
        return np.array([code.bit_count() for code in codes.tolist()], dtype=np.int64)
    return np.bitwise_count(codes).astype(np.int64)


@cache
def _weights(size: int) -> Floats:
    """(u-1)! v! / (u+v)! at [u, v] for u and v up to `size`; 0 where u is 0."""
    table = np.zeros((size + 1, size + 1))
    for u in range(1, size + 1):
        for v in range(size + 1):
            table[u, v] = 1.0 / (u * math.comb(u + v, u))
    return table
