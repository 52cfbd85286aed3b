import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.core.errors import TypingError

from sim.numbers import philox
from sim.numbers.compiled import kernel
from tests.numbers import loops
from tests.numbers.loops import applied, same_bits

WORDS = st.integers(0, 2**32 - 1)
RUNS = st.integers(0, philox.RUN_LIMIT - 1)
DAYS = st.integers(0, philox.DAY_LIMIT - 1)
DECISIONS = st.integers(0, philox.DECISION_LIMIT - 1)
ONES = 0xFFFFFFFF
# The two-sided probability of five standard errors, the tolerance of every statistical test here.
FIVE_SIGMA = math.erfc(5 / math.sqrt(2))
COORDINATES = ("run", "day", "actor", "decision")


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ONES, ONES, ONES, ONES), (ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
    ids=["zeros", "ones", "digits of pi"],
)
def test_philox_gives_the_known_answers_of_random123(counter, key, words):
    assert philox.philox(*counter, *key) == words
    assert kernel(lambda a, b, c, d, k, m: philox.philox(a, b, c, d, k, m))(*counter, *key) == words


@given(RUNS, DAYS, WORDS, DECISIONS)
def test_the_address_can_be_read_back_from_the_counter(run, day, actor, decision):
    first, second, third, fourth = philox.counter(run, day, actor, decision >> 2)
    assert first | (second >> 16) << 32 == run
    assert (second & 0xFFFF, third, fourth) == (day, actor, decision >> 2)
    assert all(0 <= word < 2**32 for word in (first, second, third, fourth))


def test_runs_beyond_32_bits_have_random_numbers_of_their_own():
    draws = {philox.compiled_uniform(1, 2, run, 3, 4, 5) for run in (0, 2**32, 2**33, 2**47, 1, 2**16)}
    assert len(draws) == 6


@given(WORDS, WORDS, RUNS, DAYS, WORDS, st.integers(0, 2**32 - 1))
def test_a_block_holds_the_draws_of_four_decisions(low, high, run, day, actor, block):
    words = philox.words(low, high, run, day, actor, block)
    draws = [philox.uniform(low, high, run, day, actor, 4 * block + place) for place in range(4)]
    assert [philox.unit(word) for word in words] == draws


def test_unit_is_exact_and_inside_the_open_interval():
    for word in (0, 1, 2**31, ONES - 1, ONES):
        assert philox.unit(word) * 2.0**33 == 2 * word + 1
    assert 0.0 < philox.unit(0) < philox.unit(ONES) < 1.0


@given(WORDS, WORDS, RUNS, DAYS, WORDS, DECISIONS)
def test_plain_and_compiled_draws_are_the_same(low, high, run, day, actor, decision):
    compiled = philox.compiled_uniform(low, high, run, day, actor, decision)
    assert type(compiled) is float
    assert compiled == philox.uniform(low, high, run, day, actor, decision)


def test_plain_and_compiled_loops_are_the_same():
    address = loops.addresses(2000, 5)
    low, high = philox.split_seed(2**64 - 3)
    rows = zip(*(part.tolist() for part in address), strict=True)
    expected = np.array([philox.uniform(low, high, *row) for row in rows])
    assert same_bits(applied(loops.chance_loop, low, high, *address), expected)
    assert not same_bits(applied(loops.chance_loop, low, high ^ 1, *address), expected)


@pytest.mark.parametrize("kind", [np.int32, np.uint32, np.int64, np.uint64])
def test_the_integer_type_of_an_address_does_not_matter(kind):
    address = [part % 2**31 for part in loops.addresses(300, 6)]
    expected = applied(loops.chance_loop, 7, 8, *address)
    typed = applied(loops.chance_loop, kind(7), kind(8), *(part.astype(kind) for part in address))
    assert same_bits(typed, expected)


@pytest.mark.skipif(not hasattr(philox.compiled_uniform, "py_func"), reason="compilation is switched off")
def test_a_float_is_no_address():
    with pytest.raises(TypingError):
        philox.compiled_uniform(1, 2, 3.0, 4, 5, 6)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        philox.uniform(1, 2, 3, 4, 5, 6.0)  # type: ignore[arg-type]


def sample(along: str, size: int = 100_000, start: int = 0) -> np.ndarray:
    """Draws at addresses that differ in one coordinate only, from `start` on."""
    address = [np.full(size, value) for value in (17, 40, 2_000_000_011, 9)]
    address[COORDINATES.index(along)] = np.arange(start, start + size)
    return applied(loops.chance_loop, *philox.split_seed(12), *address)


def distance_from_uniform(draws: np.ndarray) -> float:
    """The Kolmogorov-Smirnov distance between draws and the uniform law."""
    ordered, size = np.sort(draws), draws.size
    ranks = np.arange(size)
    return float(max((ordered - ranks / size).max(), ((ranks + 1) / size - ordered).max()))


@pytest.mark.parametrize("along", COORDINATES)
def test_draws_are_uniform_along_every_coordinate(along):
    size = 60_000
    draws = sample(along, size)
    tolerance = math.sqrt(-math.log(FIVE_SIGMA / 2) / (2 * size))
    assert distance_from_uniform(draws) < tolerance
    assert distance_from_uniform(draws**1.05) > tolerance


@pytest.mark.parametrize("along", COORDINATES)
@pytest.mark.parametrize("lag", [1, 2, 4, 7])
def test_neighbouring_draws_are_uncorrelated(along, lag):
    size = 60_000
    first, second = sample(along, size), sample(along, size, start=lag)
    tolerance = 5 / math.sqrt(size)
    assert abs(np.corrcoef(first, second)[0, 1]) < tolerance
    assert abs(np.corrcoef(first, 0.05 * first + 0.95 * second)[0, 1]) > tolerance


def test_draws_of_different_coordinates_are_uncorrelated():
    size = 60_000
    draws = np.corrcoef([sample(along, size) for along in COORDINATES])
    assert np.abs(draws[np.triu_indices(4, 1)]).max() < 5 / math.sqrt(size)


@pytest.mark.parametrize("seed", [0, 1, 2**32, 2**64 - 1, np.int64(5)])
def test_a_seed_is_split_and_can_be_put_together_again(seed):
    low, high = philox.split_seed(seed)
    assert (high << 32) + low == seed
    assert type(low) is type(high) is int


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "1", None])
def test_anything_else_is_no_seed(seed):
    with pytest.raises(ValueError, match=rf"^seed={seed!r}: allowed are whole numbers from 0 to {2**64 - 1}$"):
        philox.split_seed(seed)


def test_an_actor_keeps_its_number_whoever_stands_beside_it():
    alone = philox.actor_ids(["alpha"])
    assert alone == (249657340,)
    assert philox.actor_ids(["beta", "alpha"])[1] == alone[0]
    assert all(0 <= number < 2**32 for number in philox.actor_ids(map(str, range(1000))))


@pytest.mark.parametrize("pair", [("alpha", "alpha"), ("wing 79589", "wing 110007")])
def test_two_actors_with_one_number_are_refused(pair):
    with pytest.raises(ValueError, match=f"{pair[0]}.*{pair[1]}"):
        philox.actor_ids(["beta", *pair])


def test_lanes_draw_in_vectors(assembly):
    applied(loops.lanes_loop, 1, 2, np.arange(64), 3, np.uint32(4))
    code = assembly(loops.lanes_loop)
    assert code.in_vectors("pmuludq")
    assert code.in_vectors("p(xor|ternlog)[dq]?")


def test_the_vector_test_would_notice(assembly):
    @kernel
    def chained(run, out):
        value = 0.0
        for i in range(run.size):
            value = philox.uniform(1, 2, run[i] + int(value * 1000.0), 3, 4, 5)
            out[i] = value

    applied(chained, np.arange(64))
    assert not assembly(chained).in_vectors("pmuludq")
