"""A limit takes the first rows, or rows that are spread over shards drawn by a hash."""

from hypothesis import given
from hypothesis import strategies as st

from stackfim.pipeline.sources.row_limit import limited

SIZES = st.lists(st.lists(st.integers(0, 40), max_size=6), max_size=30)


@given(SIZES, st.integers(1, 500), st.one_of(st.none(), st.integers(0, 9)))
def test_a_limit_takes_as_many_rows_as_there_are_up_to_it_in_order(
    sizes: list[list[int]], limit: int, seed: int | None
) -> None:
    names = [f"{file}.parquet" for file in range(len(sizes))]
    taken = limited(names, lambda file: sizes[file], limit, seed)
    assert sum(each.rows for each in taken) == min(limit, sum(map(sum, sizes)))
    assert all(0 < each.rows <= sizes[each.file][each.part] for each in taken)
    assert [each[:2] for each in taken] == sorted({each[:2] for each in taken})
    assert taken == limited(names, lambda file: sizes[file], limit, seed)


def test_a_draw_is_spread_and_another_seed_draws_others() -> None:
    names = [f"{file}.parquet" for file in range(200)]
    looked_at: list[int] = []

    def part_rows(file: int) -> list[int]:
        looked_at.append(file)
        return [1_000]

    first, second = (limited(names, part_rows, 1_600, seed) for seed in (1, 2))
    assert [each.rows for each in first] == [100] * 16
    assert {each.file for each in first} != {each.file for each in second}
    assert max(each.file for each in first) > 20
    assert len(looked_at) <= 2 * 17


def test_without_a_seed_the_first_rows_are_taken_and_no_file_beyond_is_looked_at() -> None:
    looked_at: list[int] = []

    def part_rows(file: int) -> list[int]:
        looked_at.append(file)
        return [10, 0, 10]

    assert limited(["a", "b", "c"], part_rows, 25) == [(0, 0, 10), (0, 2, 10), (1, 0, 5)]
    assert looked_at == [0, 1]
