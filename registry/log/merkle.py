"""Merkle trees of RFC 6962, section 2: hashes, proofs and their verification. SHA-256, pure.

A proof is asked of ranges of leaves: every hash in it is the root over some range `[start, end)`, so that whoever holds the leaves,
or tiles of them, says what a range hashes to, and the mathematics stays here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

HASH = 32
EMPTY = hashlib.sha256().digest()  # the root of no leaves

RangeHash = Callable[[int, int], bytes]


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def subtrees(start: int, end: int) -> list[tuple[int, int]]:
    """The perfect subtrees that make up `[start, end)`, left to right, as (height, index at that height).

    The range is one of a proof's or a whole tree's: it begins where its largest subtree begins.
    """
    found = []
    while start < end:
        height = (end - start).bit_length() - 1
        found.append((height, start >> height))
        start += 1 << height
    return found


def joined(roots: Sequence[bytes]) -> bytes:
    """The hash over neighbouring perfect subtrees, ever smaller to the right; of none, the empty tree's."""
    if not roots:
        return EMPTY
    hash_ = roots[-1]
    for left in reversed(roots[:-1]):
        hash_ = node_hash(left, hash_)
    return hash_


class Frontier:
    """A tree that only grows: a root for each of the perfect subtrees it is made of, so its own root is at hand at any size."""

    def __init__(self, size: int = 0, roots: Sequence[bytes] = ()) -> None:
        self.size = size
        self._roots = list(roots)  # of subtrees(0, size)

    def add(self, leaf: bytes) -> None:
        """Append a leaf's hash."""
        self.size += 1
        hash_ = leaf
        for _ in range((self.size & -self.size).bit_length() - 1):  # one join for each subtree this leaf completes
            hash_ = node_hash(self._roots.pop(), hash_)
        self._roots.append(hash_)

    def root(self) -> bytes:
        return joined(self._roots)


def root(hashes: Iterable[bytes]) -> bytes:
    """The root over leaf hashes."""
    tree = Frontier()
    for hash_ in hashes:
        tree.add(hash_)
    return tree.root()


def inclusion_proof(index: int, size: int, range_hash: RangeHash) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves, from its sibling up (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    path = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return [range_hash(*part) for part in reversed(path)]


def consistency_proof(old: int, new: int, range_hash: RangeHash) -> list[bytes]:
    """Why the tree of `new` leaves begins with that of `old` (RFC 6962, 2.1.2); empty from none or to itself."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} cannot continue one of {old}")
    if old in {0, new}:
        return []
    path = []
    start, end, known = 0, new, True  # known: the old tree's root stands for this part
    while old < end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start, known = middle, False
    proof = [range_hash(*part) for part in reversed(path)]
    return proof if known else [range_hash(start, end), *proof]


def includes(root_: bytes, size: int, index: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof leads from the leaf hash at `index` to the root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, hash_ = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            hash_ = node_hash(sibling, hash_)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            hash_ = node_hash(hash_, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and hash_ == root_


def continues(old_root: bytes, old: int, new_root: bytes, new: int, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the new tree begins with the whole of the old one (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == 0:
        return not proof and old_root == EMPTY and (new > 0 or new_root == EMPTY)
    if old == new:
        return not proof and old_root == new_root
    path = list(proof)
    if old & (old - 1) == 0:  # a perfect old tree is its own first hash
        path.insert(0, old_root)
    if not path:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = path[0]
    for hash_ in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(hash_, first), node_hash(hash_, second)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, hash_)
        place, last = place >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(size: int) -> int:
    """The largest power of two below `size`, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)
