"""Python's own handlers: handlers.py DIRECTORY MANNER SECONDS. logrotate moves the log from under WatchedFileHandler."""

import logging
import logging.handlers
import os
import pathlib
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import numbered
from logrotate import Logrotate

ROTATE_BYTES = 16_000


def rotating(log):
    return logging.handlers.RotatingFileHandler(log, maxBytes=ROTATE_BYTES, backupCount=1000)


def timed(log):
    return logging.handlers.TimedRotatingFileHandler(log, when="S", interval=1)


def watched(log):
    return logging.handlers.WatchedFileHandler(log)


def main():
    directory, manner, seconds = sys.argv[1:]
    log = pathlib.Path(directory) / "app.log"
    logger = logging.getLogger("app")
    logger.setLevel(logging.INFO)
    logger.addHandler({"rotating": rotating, "timed": timed}.get(manner, watched)(log))
    rotation = Logrotate(log, manner) if manner not in ("rotating", "timed") else None
    written = 0
    for burst in numbered.ticks(float(seconds)):
        for number in burst:
            logger.info(numbered.line(number))
            written += 1
    if rotation:
        rotation.end()
    logging.shutdown()
    print(written)


main()
