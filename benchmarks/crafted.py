"""Time tables of postings with crafted keys beside random ones: `python -m benchmarks.crafted`.

The hashes of words are public, so anyone can look for words whose keys lie close together, which all fall into one part of a
table of known layout. Here they are the smallest keys of many terms. Crafted keys must take less than twice the time of
random ones, in the hash table of a run and in the sorted runs of an index.
"""

import sys
import time
from collections.abc import Callable

import numpy as np

from dedup.index.key_run import LEVEL_ALL, LookupKeys, build_key_run, find_chain
from dedup.jit import jit
from dedup.matching.candidates import fill_lookup_keys
from dedup.matching.inverted_index import find_slot, insert_postings, make_index_for_postings

TERMS_TRIED = 1 << 22
ARTICLES, TERMS_EACH = 1 << 11, 28
ROUNDS = 5
MAX_RATIO = 2.0


@jit
def list_term_keys(sketches, scratch, out):
    """Write the key of each term, one article each."""
    for a in range(len(out)):
        fill_lookup_keys(sketches, a, scratch)
        out[a] = scratch[0]


@jit
def find_in_table(index, keys):
    """Return the sum of the slots of all keys."""
    total = np.uint64(0)
    for key in keys:
        total += find_slot(index, key)
    return total


@jit
def find_in_run(run, keys):
    """Return the sum of the chains of all keys."""
    total = np.uint64(0)
    for key in keys:
        total += find_chain(run, key)
    return total


def time_table(terms: np.ndarray, keys: np.ndarray) -> None:
    """Fill a hash table, and look up each key."""
    index = make_index_for_postings(len(keys), len(keys))
    insert_postings(index, keys, 0, len(keys), terms[0] & 1)
    find_in_table(index, keys)


def time_run(terms: np.ndarray, keys: np.ndarray) -> None:
    """Build a sorted run, and look up each key."""
    sketches = LookupKeys(terms.reshape(ARTICLES, TERMS_EACH), np.zeros((ARTICLES, 1), np.uint32))
    run = build_key_run(sketches, np.arange(ARTICLES), np.full(ARTICLES, LEVEL_ALL, np.uint8))
    find_in_run(run, keys)


def measure(work: Callable[[np.ndarray, np.ndarray], None], terms: np.ndarray, keys: np.ndarray) -> float:
    """Return the shortest CPU time of several rounds, in seconds."""
    seconds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work(terms, keys)
        seconds.append(time.process_time() - began)
    return min(seconds)


def main() -> int:
    """Print the times; return 1 where crafted keys take more than `MAX_RATIO` of the time of random ones."""
    terms = np.arange(1, TERMS_TRIED + 1, dtype=np.uint32)
    keys = np.zeros(len(terms), np.uint64)
    list_term_keys(
        LookupKeys(terms.reshape(-1, 1), np.zeros((len(terms), 1), np.uint32)), np.zeros(1, np.uint64), keys
    )
    crafted = np.sort(np.argsort(keys)[: ARTICLES * TERMS_EACH])
    random = np.sort(np.random.default_rng(0).choice(len(keys), ARTICLES * TERMS_EACH, replace=False))
    failed = False
    for work in (time_table, time_run):
        work(terms[random], keys[random])
        plain, worst = (measure(work, terms[chosen], keys[chosen]) for chosen in (random, crafted))
        failed |= worst > MAX_RATIO * plain
        print(f"{work.__name__:12} random {1e3 * plain:8.1f} ms   crafted {1e3 * worst:8.1f} ms")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
