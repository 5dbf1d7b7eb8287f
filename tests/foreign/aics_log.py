"""A log of others before our witness: python aics_log.py URL WITNESS_VKEY NAME, its key's seed in hex on standard input."""

from __future__ import annotations

import sys

import aics_tlog as foreign
from aics_witness.feeder import WitnessClient, WitnessConflict, WitnessRejected
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SIZES = (1, 2, 255, 256, 257, 1000)


def main() -> int:
    url, vkey, name = sys.argv[1:]
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(sys.stdin.read()))
    leaves = [b"leaf %d" % n for n in range(SIZES[-1] + 1)]
    tree, fork = foreign.MerkleTree(leaves), foreign.MerkleTree([b"another past", *leaves[1:]])

    def submit(of: foreign.MerkleTree, size: int) -> str:
        note = foreign.sign_checkpoint(foreign.Checkpoint(name, size, of.root(size)), key, name)
        with WitnessClient(url, vkey, max_attempts=1) as client:
            line: str = client.submit(note.to_bytes(), of.consistency_proof)
            return line

    for size in SIZES:
        submit(tree, size)  # raises unless our cosignature verifies
    for of, size in ((fork, SIZES[-1]), (fork, SIZES[-1] + 1), (tree, 257)):
        try:
            submit(of, size)
        except (WitnessConflict, WitnessRejected):
            continue
        print(f"our witness co-signed what it must not, at {size}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
