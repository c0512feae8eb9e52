"""Runs the cases and prints a Markdown table: see run.sh.

Exit code 1 when a line is missing, or came twice without a kill, where no limit says why.
"""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import books
import cases
from agents import Broken
from case import AGENTS, run

HEADER = """\
| rotator | patterns | lines | files | missing | repeated | after a kill | worst lag, s |
|---|---|--:|--:|--:|--:|--:|--:|"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="kinesis-agent, with the cargo feature `sandbox`")
    parser.add_argument("tools", help="where run.sh put the programs")
    parser.add_argument("--all", action="store_true", help="the cases that need Maven, Go or a C++ compiler, too")
    parser.add_argument("--seconds", type=float, default=10, help="for which each program writes")
    parser.add_argument("--jobs", type=int, default=1, help="cases at once")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT", help="cases whose names hold this text")
    parser.add_argument("--keep", metavar="DIRECTORY", help="keep files and logs of cases that failed there")
    return parser.parse_args()


def rows(result):
    """One row, and one for each pattern that has a limit. Missing and repeated: running + stopped + killed."""
    limited = {pattern for _, pattern in result.case.limits}
    plain = [pattern for pattern in result.case.patterns if pattern not in limited]
    for patterns in [plain, *([pattern] for pattern in result.case.patterns if pattern in limited)]:
        if patterns:
            yield row(result, patterns)


def row(result, patterns):
    of = {agent: [result.arrived[agent, pattern] for pattern in patterns] for agent in AGENTS}
    missing = {agent: sum(len(one.missing_of(result.kept)) for one in of[agent]) for agent in AGENTS}
    repeated = {agent: sum(one.repeated for one in of[agent]) for agent in AGENTS}
    cells = (
        result.case.name,
        ", ".join(f"`{pattern}`" for pattern in patterns),
        result.written,
        result.files,
        shown(missing.values()),
        shown([repeated["running"], repeated["stopped"]]),
        repeated["killed"],
        f"{max(one.worst_lag for one in of['running']):.1f}",
    )
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def shown(numbers):
    numbers = list(numbers)
    return " + ".join(str(number) for number in numbers) if any(numbers) else "0"


def judge(result, say):
    """Says what was promised and is not so; whether all is well."""
    is_well = True
    lost = result.written - len(result.kept)
    if lost:
        say(f"note: the rotator itself did not keep {lost} of {result.written} lines")
    for agent, pattern, what, lines in result.differences():
        limit = result.case.limits.get((agent, pattern))
        is_known = limit is not None and limit.what == what
        is_well &= is_known
        some = [text[:40] for text in lines[:2]] if what == "mangled" else books.ranges(lines)
        verdict, reason = ("limit", f": {limit.reason}") if is_known else ("FAULT", "")
        say(f"{verdict}: {agent}, {pattern}: {len(lines)} {what} ({some}){reason}")
    return is_well


def keep(scratch, place):
    """Sockets cannot be copied."""
    ignored = shutil.ignore_patterns("*.sock")
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(scratch, place, symlinks=True, ignore=ignored)


def follow(case, binary, options):
    """Runs one case and says how it went."""
    begun, scratch, said = time.monotonic(), tempfile.mkdtemp(prefix="rotators-"), []
    try:
        result = run(case, binary, scratch, options.seconds)
        is_well = judge(result, said.append)
        print("\n".join(rows(result)), flush=True)
    except (Broken, OSError, subprocess.SubprocessError) as problem:
        is_well = False
        said.append(f"FAULT: {problem}")
    if not is_well and options.keep:
        keep(scratch, os.path.join(options.keep, case.name.replace("/", "_")))
    shutil.rmtree(scratch)
    said.append(f"{case.name}: {time.monotonic() - begun:.0f} s")
    print("\n".join(f"  {text}" for text in said), file=sys.stderr, flush=True)
    return is_well


def main():
    options = arguments()
    binary = os.path.abspath(options.binary)
    chosen = cases.available(pathlib.Path(options.tools).resolve(), options.all)
    if options.only:
        chosen = [case for case in chosen if any(text in case.name for text in options.only)]
    print(HEADER, flush=True)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        outcome = collections.Counter(pool.map(lambda case: follow(case, binary, options), chosen))
    print(f"rotators: {outcome[True]} passed, {outcome[False]} failed")
    sys.exit(1 if outcome[False] or not outcome[True] else 0)


main()
