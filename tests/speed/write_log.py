#!/usr/bin/env python3
"""Appends lines to a file at a given pace, as an application that logs, and says what that cost it.

    write_log.py FILE LINE_BYTES SECONDS RATE [--line-by-line]

RATE is in bytes a second; with --line-by-line it is a number of lines instead, each written by a call of its own and as
fast as it goes, and SECONDS is ignored. Prints one line: what was written, the time it took, the CPU time.
"""
import os
import sys
import time

PERIOD = 0.01


def line(length):
    text = b"2026-11-21T12:00:00.000Z INFO order=4711 the quick brown fox jumps over the lazy dog "
    return (text * (length // len(text) + 1))[: length - 1] + b"\n"


def at_a_pace(log, one, seconds, rate):
    block = one * max(1, int(rate * PERIOD * 4) // len(one))
    started, written = time.monotonic(), 0
    while True:
        due = min(time.monotonic() - started, seconds) * rate
        while due - written >= len(one):
            wanted = min(int(due - written) // len(one) * len(one), len(block))
            written += os.write(log, memoryview(block)[:wanted])
        if time.monotonic() - started >= seconds:
            return written
        time.sleep(PERIOD)


def main():
    path, length, seconds, rate = sys.argv[1], *map(float, sys.argv[2:5])
    one = line(int(length))
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    before, started = os.times(), time.monotonic()
    if "--line-by-line" in sys.argv:
        written = sum(os.write(log, one) for _ in range(int(rate)))
    else:
        written = at_a_pace(log, one, seconds, rate)
    wall, after = time.monotonic() - started, os.times()
    cpu = after.user + after.system - before.user - before.system
    print(f"writer: {written / 1e6:.0f} MB in {wall:.2f} s, {cpu:.2f} s of CPU")


if __name__ == "__main__":
    main()
