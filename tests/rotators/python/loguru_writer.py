"""loguru: loguru_writer.py DIRECTORY MANNER SECONDS."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import numbered
from loguru import logger

MANNERS = {
    "size": {"rotation": "16 KB"},
    "time": {"rotation": "1 second"},
    "gzip": {"rotation": "16 KB", "compression": "gz"},
    "dated": {"rotation": "16 KB"},
}


def main():
    directory, manner, seconds = sys.argv[1:]
    name = "app_{time}.log" if manner == "dated" else "app.log"
    logger.remove()
    logger.add(os.path.join(directory, name), format="{message}", **MANNERS[manner])
    written = 0
    for line in numbered.lines(float(seconds)):
        logger.info(line)
        written += 1
    logger.remove()
    print(written)


main()
