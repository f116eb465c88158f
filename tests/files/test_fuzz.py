"""Damaged files of every format: a few new ones, and each that has ever been a find. `make fuzz` has more."""

import pytest
from fuzz.campaign import SEEDS, Footprint, WorkerReport
from fuzz.corpus import NAMES, valid_file
from fuzz.mutator import mutated_file

from support.attempts import OK, attempt, attempted


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_not_damaged_is_decoded(name):
    assert attempt(valid_file(name)) == OK


@pytest.mark.parametrize("part", range(4))
def test_a_damaged_file_ends_in_an_answer_or_in_a_typed_error(part):
    ended = {number: attempted(mutated_file(number)[1]) for number in range(part, 4 * len(NAMES), 4)}

    assert {number: ending for number, ending in ended.items() if not ending.is_good} == {}


def test_the_same_number_is_always_the_same_file():
    files = [[mutated_file(number, seed=seed) for number in range(50)] for seed in (0, 0, 1)]

    assert files[0] == files[1]
    assert files[0] != files[2]


def test_every_find_of_the_past_ends_well_today():
    seeds = sorted(SEEDS.glob("*.bin"))

    ended = {seed.name: attempted(seed.read_bytes(), limit_seconds=10) for seed in seeds}

    assert ended
    assert {name: ending for name, ending in ended.items() if not ending.is_good} == {}


@pytest.mark.parametrize(
    ("last", "complaint"),
    [
        (Footprint(resident_bytes=105 * 2**20, descriptors=9, children=0), None),
        (Footprint(resident_bytes=115 * 2**20, descriptors=9, children=0), "grew"),
        (Footprint(resident_bytes=100 * 2**20, descriptors=10, children=0), "descriptors"),
        (Footprint(resident_bytes=100 * 2**20, descriptors=9, children=1), "children"),
    ],
)
def test_a_worker_that_grows_or_leaves_things_behind_is_told_on(last, complaint):
    warm = Footprint(resident_bytes=100 * 2**20, descriptors=9, children=0)

    complaints = WorkerReport(warm=warm, last=last).complaints()

    assert len(complaints) == (complaint is not None)
    assert complaint is None or complaint in complaints[0]
