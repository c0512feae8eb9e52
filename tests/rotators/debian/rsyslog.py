"""rsyslog with logrotate, as Debian packages it: rsyslog.py DIRECTORY MANNER SECONDS. HUP makes it open its log again."""

import pathlib
import shutil
import signal
import socket
import subprocess
import sys

import place
import numbered
from logrotate import Logrotate

CONFIGURATION = """
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{root}/log.sock" RateLimit.Interval="0" Ruleset="log")
template(name="bare" type="string" string="%msg%\\n")
ruleset(name="log") {{ action(type="omfile" file="{log}" template="bare") }}
"""


def main():
    directory, manner, seconds = sys.argv[1:]
    log = pathlib.Path(directory) / "app.log"
    root = log.parent.parent
    configuration = root / "rsyslog.conf"
    configuration.write_text(CONFIGURATION.format(root=root, log=log))
    modules = place.find("/usr/lib/*/rsyslog")
    server = subprocess.Popen(
        [shutil.which("rsyslogd"), "-n", "-f", configuration, "-i", root / "rsyslog.pid", "-M", modules]
    )
    client = place.connect(str(root / "log.sock"), socket.AF_UNIX, socket.SOCK_DGRAM)
    told = None if manner == "copytruncate" else f"kill -HUP {server.pid}"
    rotation = Logrotate(log, manner, told)
    written = 0
    for line in numbered.lines(float(seconds)):
        client.send(f"<13>program: {line}".encode())
        written += 1
    rotation.end()
    place.end(server, signal.SIGTERM)
    print(written)


main()
