"""Loggers that read standard input: piped.py DIRECTORY PROGRAM SECONDS."""

import pathlib
import subprocess
import sys

import place  # noqa: F401 (makes `numbered` importable)
import numbered

ROTATE_BYTES = 16_000
KEPT = 1000


def cronolog(logs):
    return ["cronolog", f"--link={logs}/app.log", f"{logs}/app-%Y-%m-%d-%H-%M-%S.log"]


def svlogd(logs, *more):
    (logs / "config").write_text("\n".join([f"s{ROTATE_BYTES}", f"n{KEPT}", *more]) + "\n")
    return ["svlogd", str(logs)]


PROGRAMS = {
    "cronolog": cronolog,
    "svlogd": svlogd,
    "svlogd-gzip": lambda logs: svlogd(logs, "!gzip"),
    "multilog": lambda logs: ["multilog", f"s{ROTATE_BYTES}", f"n{KEPT}", str(logs)],
    "s6-log": lambda logs: ["s6-log", "-b", f"n{KEPT}", f"s{ROTATE_BYTES}", str(logs)],
    "s6-log-time": lambda logs: ["s6-log", "-b", f"n{KEPT}", "s1000000", "R1", str(logs)],
}


def main():
    directory, program, seconds = sys.argv[1:]
    logger = subprocess.Popen(PROGRAMS[program](pathlib.Path(directory)), stdin=subprocess.PIPE, text=True)
    written = 0
    for line in numbered.lines(float(seconds)):
        logger.stdin.write(line + "\n")
        logger.stdin.flush()
        written += 1
    logger.stdin.close()
    logger.wait(30)
    print(written)


main()
