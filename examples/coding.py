"""Bits wasted by a code for Q on symbols from P: a range coder (rANS) in whole numbers, its length counted."""

import argparse
import sys
from itertools import accumulate

import numpy as np

from klsym import entropy, kl

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--symbols", type=int, default=10_000, help="how many symbols to code")
size = parser.parse_args().symbols

TOTAL = 256
LETTERS = "etaoin"
P = (96, 64, 48, 24, 16, 8)  # how often a letter comes, of 256
Q = (32, 32, 64, 64, 32, 32)  # what the code was made for


def encode(message, counts):
    """One whole number: each symbol takes it apart by its count (Duda, arXiv 1311.2540, section 2)."""
    starts, state = [0, *accumulate(counts)], 1
    for s in reversed(message):
        blocks, rest = divmod(state, counts[s])
        state = blocks * TOTAL + starts[s] + rest
    return state


def decode(state, counts, length):
    starts = [0, *accumulate(counts)]
    symbols = [s for s, count in enumerate(counts) for _ in range(count)]
    for _ in range(length):
        blocks, slot = divmod(state, TOTAL)
        s = symbols[slot]
        yield s
        state = counts[s] * blocks + slot - starts[s]


p, q = np.array(P) / TOTAL, np.array(Q) / TOTAL
message = np.random.default_rng(0).choice(len(P), size=size, p=p).tolist()
bits = {}
for name, counts in (("P", P), ("Q", Q)):
    state = encode(message, counts)
    assert list(decode(state, counts, size)) == message
    bits[name] = state.bit_length()

print(f"{size} symbols of {LETTERS!r}\n")
print(f"  code for P  {bits['P'] / size:.4f} bits a symbol, and the entropy is {entropy(p, base=2):.4f}")
print(f"  code for Q  {bits['Q'] / size:.4f} bits a symbol")
waste = (bits["Q"] - bits["P"]) / size
error = np.std(np.log2(p / q)[message]) / size**0.5
print(f"  wasted      {waste:.4f} +- {error:.4f}, and KL(P || Q) is {kl(p, q, base=2):.4f} bits")
fine = abs(waste - kl(p, q, base=2)) < 4 * error
print(f"  {'the waste is the divergence' if fine else 'something is off'}")
sys.exit(not fine)
