"""Number n -> a damaged file, always the same one.

Knows bytes and a few names that containers give their fields; it decodes nothing.
"""

import random
from collections.abc import Callable

from fuzz.corpus import NAMES, valid_file
from support.attacks.parts import with_checksum

# Behind (or right before) these stand lengths, counts and rates.
_MAGIC = (
    b"RIFF", b"RF64", b"fmt ", b"data", b"ds64", b"fact", b"FORM", b"COMM", b"SSND", b"CHAN", b"FVER",
    b".snd", b"fLaC", b"OggS", b"OpusHead", b"OpusTags", b"\x01vorbis", b"\x05vorbis", b"\x7fFLAC", b"ID3",
    b"Xing", b"Info", b"LAME", b"wvpk", b"ftyp", b"moov", b"mvhd", b"trak", b"tkhd", b"edts", b"elst",
    b"mdia", b"mdhd", b"hdlr", b"minf", b"dinf", b"dref", b"stbl", b"stsd", b"mp4a", b"esds", b"alac",
    b"chan", b"wave", b"stts", b"stsc", b"stsz", b"stco", b"sgpd", b"sbgp", b"udta", b"meta", b"ilst",
    b"moof", b"mfhd", b"traf", b"tfhd", b"tfdt", b"trun", b"mdat", b"mfra", b"sidx", b"\x1a\x45\xdf\xa3",
    b"\x18\x53\x80\x67", b"\x15\x49\xa9\x66", b"\x16\x54\xae\x6b", b"\x1f\x43\xb6\x75", b"\x1c\x53\xbb\x6b",
    b"\xae", b"\xe1", b"\xb5", b"\x9f", b"\x62\x64", b"\x63\xa2", b"\xa3", b"\xa0", b"\x86",
    b"\x30\x26\xb2\x75", b"\xa1\xdc\xab\x8c", b"\x91\x07\xdc\xb7", b"\x36\x26\xb2\x75", b"\x40\x9e\x69\xf8",
    b"\xff\xfb", b"\xff\xf3", b"\xff\xf1", b"\xff\xf8", b"\x0b\x77", b"TTA1",
)  # fmt: skip
_TELLING = (
    0,
    1,
    2,
    3,
    7,
    8,
    9,
    16,
    127,
    128,
    255,
    2**15,
    2**16 - 1,
    2**24,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63,
    2**64 - 1,
)
_HEAD_BYTES = 400
_MOST_BYTES = 2**18  # of what is repeated

Mutation = Callable[[random.Random, bytearray], bytearray]


def mutated_file(number: int, *, seed: int = 0) -> tuple[str, bytes]:
    """The name of the valid file that it came from, and the damaged file."""
    dice = random.Random(f"{seed}/{number}")
    name = NAMES[number % len(NAMES)]
    data = bytearray(valid_file(name))
    for _ in range(dice.choice((1, 1, 1, 2, 3, 6))):
        data = dice.choice(_MUTATIONS)(dice, data)
    damaged = bytes(data)
    return name, _with_checksums(damaged) if dice.random() < 0.7 else damaged


def _with_checksums(data: bytes) -> bytes:
    """Pages of Ogg that are wrong by their checksum are passed over, and what is in them is never tried."""
    before, *pages = data.split(b"OggS")
    if not data.startswith(b"OggS"):
        return data
    return before + b"".join(with_checksum(b"OggS" + page) for page in pages)


def _place(dice: random.Random, data: bytearray) -> int:
    """Half of them in the head and a sixth in the tail, where the fields are."""
    size = max(1, len(data))
    kind = dice.random()
    if kind < 0.5:
        return dice.randrange(min(_HEAD_BYTES, size))
    if kind < 0.67:
        return size - 1 - dice.randrange(min(4 * _HEAD_BYTES, size))
    return dice.randrange(size)


def _span(dice: random.Random, data: bytearray) -> tuple[int, int]:
    start = _place(dice, data)
    return start, min(len(data), start + 2 ** dice.randrange(15))


def _flip_bits(dice: random.Random, data: bytearray) -> bytearray:
    for _ in range(2 ** dice.randrange(7)):
        if data:
            data[_place(dice, data)] ^= 1 << dice.randrange(8)
    return data


def _set_bytes(dice: random.Random, data: bytearray) -> bytearray:
    for _ in range(2 ** dice.randrange(6)):
        if data:
            data[_place(dice, data)] = dice.randrange(256)
    return data


def _overwrite_run(dice: random.Random, data: bytearray) -> bytearray:
    start, end = _span(dice, data)
    run = dice.choice((b"\0", b"\xff", b"\x80", b"\x7f", dice.randbytes(1), dice.randbytes(end - start or 1)))
    data[start:end] = (run * (end - start))[: end - start]
    return data


def _truncate(dice: random.Random, data: bytearray) -> bytearray:
    return data[: dice.randrange(len(data) + 1)]


def _truncate_front(dice: random.Random, data: bytearray) -> bytearray:
    return data[_place(dice, data) :]


def _duplicate(dice: random.Random, data: bytearray) -> bytearray:
    start, end = _span(dice, data)
    times = max(1, min(dice.choice((1, 2, 50, 1_000)), _MOST_BYTES // max(1, end - start)))
    data[end:end] = data[start:end] * times
    return data


def _remove(dice: random.Random, data: bytearray) -> bytearray:
    start, end = _span(dice, data)
    del data[start:end]
    return data


def _insert(dice: random.Random, data: bytearray) -> bytearray:
    start = _place(dice, data)
    data[start:start] = dice.randbytes(2 ** dice.randrange(10))
    return data


def _move(dice: random.Random, data: bytearray) -> bytearray:
    start, end = _span(dice, data)
    block = data[start:end]
    del data[start:end]
    place = _place(dice, data)
    data[place:place] = block
    return data


def _splice(dice: random.Random, data: bytearray) -> bytearray:
    """The beginning of this one and the end of another."""
    other = valid_file(dice.choice(NAMES))
    return data[: _place(dice, data)] + other[dice.randrange(len(other)) :]


def _other_body(dice: random.Random, data: bytearray) -> bytearray:
    """This one's head on the whole of another, or another's head on this one's body."""
    other = bytearray(valid_file(dice.choice(NAMES)))
    cut = dice.choice((12, 44, 64, 200, 600))
    return data[:cut] + other[cut:] if dice.random() < 0.5 else other[:cut] + data[cut:]


def _lie_in_a_field(dice: random.Random, data: bytearray) -> bytearray:
    """A telling number close behind (or before) a name that the container gives."""
    known = [magic for magic in _MAGIC if magic in data]
    for _ in range(dice.choice((1, 1, 2, 4)) if known else 0):
        magic = dice.choice(known)
        found = _anywhere(dice, data, magic)
        place = (
            found - 4
            if dice.random() < 0.2
            else found + len(magic) + dice.choice((0, 0, 4, 8, dice.randrange(48)))
        )
        width = dice.choice((1, 2, 2, 4, 4, 4, 8))
        number = dice.choice((*_TELLING, dice.randrange(2**32))) % 256**width
        place = max(0, min(place, len(data) - width))
        data[place : place + width] = number.to_bytes(width, dice.choice(("big", "little")))
    return data


def _anywhere(dice: random.Random, data: bytearray, magic: bytes) -> int:
    first = data.find(magic)
    later = data.find(magic, dice.randrange(len(data)))
    return first if later < 0 or dice.random() < 0.5 else later


def _swap_names(dice: random.Random, data: bytearray) -> bytearray:
    """One box, chunk or page takes the name of another."""
    known = [magic for magic in _MAGIC if len(magic) == 4 and magic in data]
    if known:
        place = _anywhere(dice, data, dice.choice(known))
        data[place : place + 4] = dice.choice([magic for magic in _MAGIC if len(magic) == 4])
    return data


_MUTATIONS: tuple[Mutation, ...] = (
    _flip_bits, _set_bytes, _overwrite_run, _truncate, _truncate_front, _duplicate, _remove, _insert, _move,
    _splice, _other_body, _lie_in_a_field, _lie_in_a_field, _lie_in_a_field, _swap_names,
)  # fmt: skip
