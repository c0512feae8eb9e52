"""What the files hold against what arrived.

Invariant: a record counts only when it holds, byte for byte, one whole line.
"""

import collections
import dataclasses
import gzip
import json
import os

import numbered

GZIP_MAGIC = b"\x1f\x8b"
# Some files begin with lines of this kind.
HEADER = "# "


@dataclasses.dataclass
class Kept:
    """What the rotator left on the disk."""

    numbers: set
    files: int


def kept_in(directory):
    numbers, files = set(), set()
    for place, _, names in os.walk(directory):
        files.update(os.path.realpath(os.path.join(place, name)) for name in names)
    files = [file for file in files if os.path.isfile(file)]
    for file in files:
        for text in content(file).split(b"\n"):
            if (parsed := numbered.parsed(text)) is not None:
                numbers.add(parsed[0])
    return Kept(numbers, len(files))


def content(file):
    with open(file, "rb") as stored:
        is_gzip = stored.read(2) == GZIP_MAGIC
    try:
        with gzip.open(file) if is_gzip else open(file, "rb") as text:
            return text.read()
    except (EOFError, gzip.BadGzipFile):
        return b""


@dataclasses.dataclass
class Arrived:
    """What one stream holds."""

    times: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    mangled: list = dataclasses.field(default_factory=list)
    worst_lag: float = 0.0

    @property
    def repeated(self):
        return sum(self.times.values()) - len(self.times)

    def repeated_numbers(self):
        return sorted(number for number, times in self.times.items() if times > 1)

    def missing_of(self, numbers):
        return sorted(numbers - self.times.keys())


def arrived(consumed):
    """Reads what `kinesis-agent consume --json` printed."""
    books = Arrived()
    for row in consumed.splitlines():
        record = json.loads(row)
        text = record.get("data")
        found = None if text is None else numbered.parsed(text.encode())
        if found is None and text is not None and text.startswith(HEADER):
            continue
        if found is None:
            books.mangled.append(text if text is not None else record["dataBase64"])
            continue
        number, milliseconds = found
        if number not in books.times:
            books.worst_lag = max(books.worst_lag, record["approximateArrivalTimestamp"] - milliseconds / 1000)
        books.times[number] += 1
    return books


def ranges(numbers):
    """Numbers as a short text: 5-9, 12."""
    parts = []
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    shown = [f"{first}-{last}" if first != last else str(first) for first, last in parts[:12]]
    return ", ".join(shown) + (", ..." if len(parts) > 12 else "")
