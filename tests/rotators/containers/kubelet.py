"""What the kubelet and containerd do with a container's log: kubelet.py DIRECTORY MANNER SECONDS.

An imitation, because neither runs here. As in kubernetes/pkg/kubelet/logs/container_log_manager.go: what was rotated
before is compressed into `0.log.TIME.tmp`, which is renamed to `0.log.TIME.gz`, and then the plain file goes; after that
`0.log` is renamed to `0.log.TIME`, and only then the runtime is told to open its log again. `containers/` holds a
symbolic link to each log, as the kubelet lays it out.
"""

import gzip
import os
import pathlib
import shutil
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import numbered

# The kubelet's names go to the second.
ROTATE_SECONDS = 1.05
# What the call to the runtime takes.
REOPEN_SECONDS = 0.02


class Runtime:
    """Writes the container's lines in the CRI's format."""

    def __init__(self, path):
        self.path, self.lock = path, threading.Lock()
        self.file = open(path, "ab", buffering=0)

    def write(self, line):
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000000000Z", time.gmtime())
        with self.lock:
            self.file.write(f"{now} stdout F {line}\n".encode())

    def reopen(self):
        with self.lock:
            self.file.close()
            self.file = open(self.path, "ab", buffering=0)


def rotate(log, runtime):
    for old in log.parent.glob(log.name + ".*"):
        if old.suffix == ".tmp":
            old.unlink()
        elif old.suffix != ".gz":
            compress(old)
    os.rename(log, f"{log}.{time.strftime('%Y%m%d-%H%M%S')}")
    time.sleep(REOPEN_SECONDS)
    runtime.reopen()


def compress(old):
    temporary = f"{old}.tmp"
    with open(old, "rb") as plain, gzip.open(temporary, "wb") as packed:
        shutil.copyfileobj(plain, packed)
    os.rename(temporary, f"{old}.gz")
    old.unlink()


def main():
    directory, _, seconds = sys.argv[1:]
    root = pathlib.Path(directory)
    log = root / "pods" / "default_app_0123" / "app" / "0.log"
    log.parent.mkdir(parents=True)
    (root / "containers").mkdir()
    runtime = Runtime(log)
    (root / "containers" / "app_default_app-0123.log").symlink_to(log)
    written = 0
    ended = threading.Event()

    def rotate_again():
        while not ended.wait(ROTATE_SECONDS):
            rotate(log, runtime)

    rotation = threading.Thread(target=rotate_again)
    rotation.start()
    for line in numbered.lines(float(seconds)):
        runtime.write(line)
        written += 1
    ended.set()
    rotation.join()
    print(written)


main()
