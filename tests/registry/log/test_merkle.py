"""Merkle trees against RFC 6962's own definitions, written down a second time, naively, and against its published vectors."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.log import merkle

# The reference data of RFC 6962's test suites: leaves, and the roots of the first n of them.
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [hashlib.sha256(b"\x00" + str(number).encode()).digest() for number in range(700)]

sizes = st.integers(min_value=1, max_value=700)


def reference_root(hashes: list[bytes]) -> bytes:
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return hashlib.sha256(b"\x01" + reference_root(hashes[:k]) + reference_root(hashes[k:])).digest()


def reference_path(index: int, hashes: list[bytes]) -> list[bytes]:
    if len(hashes) == 1:
        return []
    k = split(len(hashes))
    if index < k:
        return [*reference_path(index, hashes[:k]), reference_root(hashes[k:])]
    return [*reference_path(index - k, hashes[k:]), reference_root(hashes[:k])]


def reference_consistency(old: int, hashes: list[bytes], *, whole: bool = True) -> list[bytes]:
    if old == len(hashes):
        return [] if whole else [reference_root(hashes)]
    k = split(len(hashes))
    if old <= k:
        return [*reference_consistency(old, hashes[:k], whole=whole), reference_root(hashes[k:])]
    return [*reference_consistency(old - k, hashes[k:], whole=False), reference_root(hashes[:k])]


def split(size: int) -> int:
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def over(hashes: list[bytes]) -> merkle.RangeHash:
    return lambda start, end: merkle.root(hashes[start:end])


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_published_vectors(size: int) -> None:
    assert merkle.root(map(merkle.leaf_hash, LEAVES[:size])).hex() == ROOTS[size]


def test_the_root_of_every_size_is_the_definitions() -> None:
    for size in range(1, 701):
        assert merkle.root(HASHES[:size]) == reference_root(HASHES[:size])


@given(sizes)
def test_the_subtrees_of_a_tree_join_to_its_root(size: int) -> None:
    roots = [reference_root(HASHES[i << h : (i + 1) << h]) for h, i in merkle.subtrees(0, size)]
    assert merkle.joined(roots) == reference_root(HASHES[:size])


@given(sizes, st.data())
def test_an_inclusion_proof_is_the_definitions_and_verifies(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, over(HASHES))
    assert proof == reference_path(index, HASHES[:size])
    assert merkle.includes(reference_root(HASHES[:size]), size, index, HASHES[index], proof)


@given(sizes, st.data())
def test_a_consistency_proof_is_the_definitions_and_verifies(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    proof = merkle.consistency_proof(old, size, over(HASHES))
    assert proof == reference_consistency(old, HASHES[:size])
    roots = reference_root(HASHES[:old]), reference_root(HASHES[:size])
    assert merkle.continues(roots[0], old, roots[1], size, proof)


@given(sizes, st.data())
def test_an_inclusion_proof_verifies_for_nothing_else(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    root, proof = reference_root(HASHES[:size]), reference_path(index, HASHES[:size])
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index)) if size > 1 else size
    assert not merkle.includes(root, size, other, HASHES[index], proof)
    assert not merkle.includes(root, size, index, hashlib.sha256(b"another").digest(), proof)
    assert not merkle.includes(root, size, index, HASHES[index], [*proof, merkle.EMPTY])
    assert not merkle.includes(root, size, index, HASHES[index], proof[:-1]) or not proof
    assert not merkle.includes(merkle.EMPTY, size, index, HASHES[index], proof)
    assert not merkle.includes(root, size, size, HASHES[index], proof)


@given(st.integers(2, 700), st.data())
def test_a_consistency_proof_refuses_a_changed_past(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size - 1))
    changed = data.draw(st.integers(0, old - 1))
    past = [*HASHES[:changed], merkle.EMPTY, *HASHES[changed + 1 : old]]
    proof = reference_consistency(old, HASHES[:size])
    new_root = reference_root(HASHES[:size])
    assert not merkle.continues(reference_root(past), old, new_root, size, proof)
    assert not merkle.continues(reference_root(HASHES[:old]), old, merkle.EMPTY, size, proof)
    assert not merkle.continues(reference_root(HASHES[:old]), old, new_root, size, [*proof, merkle.EMPTY])
    assert not merkle.continues(reference_root(HASHES[:old]), old, new_root, size, proof[:-1])


def test_a_smaller_tree_never_continues_a_larger_one() -> None:
    roots = reference_root(HASHES[:5]), reference_root(HASHES[:7])
    assert not merkle.continues(roots[1], 7, roots[0], 5, [])
    with pytest.raises(ValueError, match="cannot continue"):
        merkle.consistency_proof(7, 5, over(HASHES))


def test_every_tree_continues_the_empty_one_and_itself() -> None:
    root = reference_root(HASHES[:5])
    assert merkle.continues(merkle.EMPTY, 0, root, 5, [])
    assert merkle.continues(root, 5, root, 5, [])
    assert not merkle.continues(root, 0, root, 5, [])
    assert not merkle.continues(merkle.EMPTY, 5, root, 5, [])
    assert not merkle.continues(merkle.EMPTY, 0, root, 0, [])


def test_there_is_no_proof_of_a_leaf_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="no leaf 5"):
        merkle.inclusion_proof(5, 5, over(HASHES))
