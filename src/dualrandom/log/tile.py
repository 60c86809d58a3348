"""Tiles and entry bundles: the whole log as static files (C2SP tlog-tiles).

A tile holds up to 256 consecutive hashes of one level; a full tile's own hash is one hash of the level above. An
entry bundle holds the entries under one tile of level 0, each after its length in two bytes. A file's name never
stands for two contents: a tile that is not full yet carries its width in its path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from dualrandom.log.errors import refusal
from dualrandom.log.merkle import HASH_BYTES, Node, parent_hash

WIDTH = 256
"""Hashes of a full tile."""
HEIGHT = 8
LARGEST_ENTRY = 65_535
"""Bytes of an entry: its length stands in two bytes."""
ENTRIES_LEVEL = -1
"""Stands for entry bundles where a tile has its level."""
_PATH = re.compile(
    r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """One tile (level 0 to 63) or entry bundle (level ENTRIES_LEVEL): its index from 0 and width from 1 to 256."""

    level: int
    index: int
    width: int

    @property
    def path(self) -> str:
        """The path below the log's prefix."""
        level = "entries" if self.level == ENTRIES_LEVEL else str(self.level)
        digits = f"{self.index:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
        name = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        return f"tile/{level}/{name}" + (f".p/{self.width}" if self.width < WIDTH else "")

    @property
    def full(self) -> Tile:
        """The same place when it has filled up."""
        return Tile(self.level, self.index, WIDTH)


def parse_path(path: str) -> Tile | None:
    """Return the tile of a path, or None if the path is not exactly one that :attr:`Tile.path` gives."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    level = ENTRIES_LEVEL if match[1] == "entries" else int(match[1])
    tile = Tile(
        level, int(match[2].replace("/x", "").replace("x", "").replace("/", "")), int(match[3] or WIDTH)
    )
    return tile if tile.path == path else None


def tiles_of(size: int) -> Iterator[Tile]:
    """Yield every tile and entry bundle of a tree of ``size`` entries."""
    for level in (ENTRIES_LEVEL, *range(64)):
        count = size >> (HEIGHT * max(level, 0))
        if not count:
            return
        for index in range(-(-count // WIDTH)):
            yield Tile(level, index, min(WIDTH, count - index * WIDTH))


def tile_levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Return the hashes of tile level 0, 1, …: each level holds the hashes of the full tiles below it."""
    levels = [list(leaves)]
    while len(levels[-1]) >= WIDTH:
        below = levels[-1]
        levels.append([perfect_hash(below[i : i + WIDTH]) for i in range(0, len(below) - WIDTH + 1, WIDTH)])
    return levels


def tile_data(tile: Tile, levels: Sequence[Sequence[bytes]], entries: Sequence[bytes]) -> bytes:
    """Return a tile's or bundle's bytes from :func:`tile_levels` and all entries of the tree."""
    start = tile.index * WIDTH
    if tile.level == ENTRIES_LEVEL:
        return bundle(entries[start : start + tile.width])
    return b"".join(levels[tile.level][start : start + tile.width])


def perfect_hash(hashes: Sequence[bytes]) -> bytes:
    """Return the hash of a perfect subtree given 2^k hashes of one level."""
    level = list(hashes)
    while len(level) > 1:
        level = [parent_hash(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


def bundle(entries: Iterable[bytes]) -> bytes:
    """Return an entry bundle. Raises LogError ``entry-too-long``."""
    parts = []
    for entry in entries:
        if len(entry) > LARGEST_ENTRY:
            raise refusal(
                "entry-too-long",
                str(len(entry)),
                f"日志条目超过 {LARGEST_ENTRY} 字节",
                f"a log entry is longer than {LARGEST_ENTRY} bytes",
                remedy_zh="条目只载文书的散列；内容放在文书中。",
                remedy_en="An entry holds only a document's digest; put the content into the document.",
            )
        parts.append(len(entry).to_bytes(2, "big") + entry)
    return b"".join(parts)


def parse_bundle(data: bytes, width: int) -> tuple[bytes, ...]:
    """Return the ``width`` entries of a bundle. Raises LogError ``tile-malformed`` for other counts or leftover bytes."""
    entries = []
    at = 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data):
            raise _malformed("条目包在条目中间断开", "an entry bundle ends within an entry")
        entries.append(data[at + 2 : end])
        at = end
    if len(entries) != width:
        raise _malformed(f"条目包应有 {width} 条", f"an entry bundle should have {width} entries")
    return tuple(entries)


def parse_tile(data: bytes, width: int) -> tuple[bytes, ...]:
    """Return the ``width`` hashes of a tile. Raises LogError ``tile-malformed`` for any other length."""
    if len(data) != width * HASH_BYTES:
        raise _malformed(
            f"散列块应为 {width * HASH_BYTES} 字节", f"a tile should have {width * HASH_BYTES} bytes"
        )
    return tuple(data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES))


def entries_of(read: Callable[[str], bytes | None], size: int) -> tuple[bytes, ...]:
    """Return the first ``size`` entries; ``read`` gives a file's bytes by its path, or None.

    A partial bundle may have been removed once the full one exists, so the full one is the fallback. Raises LogError
    ``tile-missing``, ``tile-malformed``. Nothing is verified against a checkpoint here.
    """
    entries: list[bytes] = []
    for tile in tiles_of(size):
        if tile.level == ENTRIES_LEVEL:
            data, width = _fetch(tile, read)
            entries += parse_bundle(data, width)[: tile.width]
    return tuple(entries)


def tile_nodes(read: Callable[[str], bytes | None], size: int) -> Node:
    """Return the node function of the tree of ``size`` entries, reading only the tiles that are asked for.

    What it returns is as good as the files: check roots and proofs made from it against a checkpoint.
    """
    known: dict[Tile, tuple[bytes, ...]] = {}

    def node(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, HEIGHT)
        start = index << height
        count = size >> (HEIGHT * tile_level)
        place = start // WIDTH
        tile = Tile(tile_level, place, min(WIDTH, count - place * WIDTH))
        if tile not in known:
            data, width = _fetch(tile, read)
            known[tile] = parse_tile(data, width)
        first = start % WIDTH
        return perfect_hash(known[tile][first : first + (1 << height)])

    return node


def _fetch(tile: Tile, read: Callable[[str], bytes | None]) -> tuple[bytes, int]:
    for candidate in (tile, tile.full):
        data = read(candidate.path)
        if data is not None:
            return data, candidate.width
    raise refusal("tile-missing", tile.path, f"缺文件 {tile.path}", f"the file {tile.path} is missing")


def _malformed(zh: str, en: str) -> Exception:
    return refusal("tile-malformed", "", zh, en)
