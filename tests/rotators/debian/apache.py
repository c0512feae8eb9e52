"""Apache httpd, its log piped to rotatelogs: apache.py DIRECTORY MANNER SECONDS."""

import pathlib
import shutil
import signal
import subprocess
import sys

import place
import web_client

# What follows `rotatelogs`; see its manual page.
MANNERS = {
    "time": "{logs}/app.%Y%m%d-%H%M%S.log 1",
    "size": "{logs}/app.log.%s 16B",
    "number": "-n 500 {logs}/app.log 1",
    "link": "-L {logs}/app.log {logs}/access-%Y%m%d-%H%M%S 1",
}

CONFIGURATION = """
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {root}/apache.pid
ErrorLog {root}/apache.error.log
DefaultRuntimeDir {root}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule alias_module {modules}/mod_alias.so
MaxKeepAliveRequests 0
RedirectMatch 204 ^/line/
LogFormat "%U" numbered
CustomLog "|{rotatelogs} {manner}" numbered
"""


def main():
    directory, manner, seconds = sys.argv[1:]
    logs = pathlib.Path(directory)
    root, port = logs.parent, place.free_port()
    configuration = root / "apache.conf"
    configuration.write_text(
        CONFIGURATION.format(
            root=root,
            port=port,
            modules=place.find("/usr/lib/apache2/modules"),
            rotatelogs=shutil.which("rotatelogs"),
            manner=MANNERS[manner].format(logs=logs),
        )
    )
    server = subprocess.Popen([shutil.which("apache2"), "-f", configuration, "-DFOREGROUND"])
    place.connect(("127.0.0.1", port)).close()
    written = web_client.send_requests(port, float(seconds))
    place.end(server, signal.SIGWINCH)
    print(written)


main()
