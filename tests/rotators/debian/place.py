"""Where Debian's programs lie: unpacked below $ROTATORS_DEBIAN, or installed. And ports of 127.0.0.1."""

import glob
import os
import pathlib
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))


def find(pattern):
    """The first file or directory that this glob names."""
    for root in (os.environ.get("ROTATORS_DEBIAN", ""), ""):
        if found := sorted(glob.glob(root + pattern)):
            return found[0]
    raise SystemExit(f"{pattern} is not there")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def connect(address, family=socket.AF_INET, kind=socket.SOCK_STREAM):
    """Connects as soon as somebody listens."""
    end = time.monotonic() + 30
    while True:
        client = socket.socket(family, kind)
        try:
            client.connect(address)
            return client
        except OSError:
            client.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def end(server, signal_number):
    """Ends a server and waits until it has written everything."""
    server.send_signal(signal_number)
    try:
        server.wait(30)
    except subprocess.TimeoutExpired:
        server.kill()
        raise
