"""Tiles: their paths, which of them a size needs, and that proofs made from them are those of the tree."""

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualrandom.log.errors import LogError
from dualrandom.log.merkle import inclusion_proof, nodes_of, root
from dualrandom.log.tile import (
    ENTRIES_LEVEL,
    WIDTH,
    Tile,
    bundle,
    entries_of,
    parse_bundle,
    parse_path,
    tile_data,
    tile_levels,
    tile_nodes,
    tiles_of,
)

PATHS = {
    Tile(0, 0, 256): "tile/0/000",
    Tile(0, 0, 1): "tile/0/000.p/1",
    Tile(0, 999, 256): "tile/0/999",
    Tile(0, 1000, 256): "tile/0/x001/000",
    Tile(1, 1234067, 256): "tile/1/x001/x234/067",
    Tile(63, 5, 255): "tile/63/005.p/255",
    Tile(ENTRIES_LEVEL, 1234, 17): "tile/entries/x001/234.p/17",
}


@pytest.mark.parametrize("tile", PATHS, ids=str)
def test_paths_are_those_of_the_specification(tile: Tile) -> None:
    assert tile.path == PATHS[tile]
    assert parse_path(PATHS[tile]) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/234",
        "tile/0/x001/x234",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p",
        "tile/entries/000/",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/data/000",
    ],
)
def test_other_spellings_are_no_paths(path: str) -> None:
    assert parse_path(path) is None


@given(st.integers(-1, 63), st.integers(0, 10**12), st.integers(1, 256))
def test_every_path_is_read_back(level: int, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert parse_path(tile.path) == tile


def test_a_tree_of_70000_has_the_tiles_that_the_specification_counts() -> None:
    tiles = list(tiles_of(70_000))
    at = {level: [tile for tile in tiles if tile.level == level] for level in (-1, 0, 1, 2, 3)}
    assert [tile.width for tile in at[0]] == [256] * 273 + [112]
    assert [tile.width for tile in at[ENTRIES_LEVEL]] == [256] * 273 + [112]
    assert [tile.width for tile in at[1]] == [256, 17]
    assert [tile.width for tile in at[2]] == [1]
    assert at[3] == []


def test_a_tree_of_256_has_a_full_tile_and_one_hash_above_it() -> None:
    assert [(tile.level, tile.width) for tile in tiles_of(256)] == [(ENTRIES_LEVEL, 256), (0, 256), (1, 1)]
    assert list(tiles_of(0)) == []


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 600])
def test_roots_and_proofs_from_tiles_are_those_of_the_tree(rfc6962: ModuleType, size: int) -> None:
    entries = [f"{number}".encode() for number in range(size)]
    leaves = [rfc6962.leaf(entry) for entry in entries]
    levels = tile_levels(leaves)
    files = {tile.path: tile_data(tile, levels, entries) for tile in tiles_of(size)}
    node = tile_nodes(files.get, size)
    assert root(size, node) == root(size, nodes_of(leaves))
    for index in {0, size // 2, size - 1}:
        assert inclusion_proof(index, size, node) == inclusion_proof(index, size, nodes_of(leaves))
    assert entries_of(files.get, size) == tuple(entries)


def test_a_full_tile_stands_in_for_a_partial_one_that_was_removed(rfc6962: ModuleType) -> None:
    entries = [f"{number}".encode() for number in range(WIDTH)]
    levels = tile_levels([rfc6962.leaf(entry) for entry in entries])
    files = {tile.path: tile_data(tile, levels, entries) for tile in tiles_of(WIDTH)}
    assert root(100, tile_nodes(files.get, 100)) == rfc6962.mth(entries[:100])
    assert entries_of(files.get, 100) == tuple(entries[:100])


def test_a_missing_tile_is_named() -> None:
    with pytest.raises(LogError) as refused:
        tile_nodes(lambda path: None, 3)(0, 2)
    assert refused.value.value == "tile/0/000.p/3"


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundles_are_read_back(entries: list[bytes]) -> None:
    data = bundle(entries)
    assert parse_bundle(data, len(entries)) == tuple(entries)
    for wrong in (data + b"\x00", data[:-1] if data else b"\x00\x01"):
        with pytest.raises(LogError):
            parse_bundle(wrong, len(entries))


def test_an_entry_may_fill_two_bytes_of_length_and_no_more() -> None:
    assert parse_bundle(bundle([b"x" * 65_535]), 1) == (b"x" * 65_535,)
    with pytest.raises(LogError) as refused:
        bundle([b"x" * 65_536])
    assert refused.value.code == "entry-too-long"
