"""The lines that every program here writes: a number, the time in milliseconds, and as many x as the number asks for.

Invariant: the other languages write the same lines at the same pace, so the books need not know who wrote them.
"""

import re
import time

LINES_A_TICK = 10
TICK_SECONDS = 0.01
# A web server's log has slashes, because its lines are paths.
FORM = re.compile(rb"line[ /](\d{9})[ /](\d{13})[ /](x+)")


def padding(number):
    return "x" * (1 + number * 7 % 80)


def line(number):
    return f"line {number:09} {time.time_ns() // 1_000_000:013} {padding(number)}"


def ticks(seconds):
    """Bursts of line numbers for so long. Says when it begins: some programs take seconds to start."""
    print("writing", flush=True)
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        yield range(number, number + LINES_A_TICK)
        number += LINES_A_TICK
        time.sleep(TICK_SECONDS)


def lines(seconds):
    for burst in ticks(seconds):
        for number in burst:
            yield line(number)


def parsed(text):
    """Number and time of the line in these bytes, or None if it is not exactly one whole line."""
    found = FORM.findall(text)
    if len(found) != 1:
        return None
    number, milliseconds, xs = found[0]
    return (int(number), int(milliseconds)) if len(xs) == len(padding(int(number))) else None
