"""nginx with logrotate, as Debian packages it: nginx.py DIRECTORY MANNER SECONDS. USR1 makes nginx open its log again."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

import place
import web_client
from logrotate import Logrotate

# Workers that may not reach the log cannot open it again.
USER = "user root;\n" if os.geteuid() == 0 else ""

CONFIGURATION = """
{user}daemon off;
worker_processes 2;
pid {root}/nginx.pid;
error_log {root}/nginx.error.log;
events {{ worker_connections 64; }}
http {{
  log_format numbered '$what $number $time $padding';
  client_body_temp_path {root}/nginx-tmp; proxy_temp_path {root}/nginx-tmp; fastcgi_temp_path {root}/nginx-tmp;
  uwsgi_temp_path {root}/nginx-tmp; scgi_temp_path {root}/nginx-tmp;
  server {{
    listen 127.0.0.1:{port};
    keepalive_requests 10000000;
    access_log {log} numbered;
    location ~ ^/(?<what>line)/(?<number>[0-9]+)/(?<time>[0-9]+)/(?<padding>x+)$ {{ return 200 ""; }}
  }}
}}
"""


def main():
    directory, manner, seconds = sys.argv[1:]
    log = pathlib.Path(directory) / "app.log"
    root, port = log.parent.parent, place.free_port()
    configuration = root / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(root=root, port=port, log=log, user=USER))
    server = subprocess.Popen([shutil.which("nginx"), "-e", root / "nginx.error.log", "-c", configuration])
    place.connect(("127.0.0.1", port)).close()
    told = None if manner == "copytruncate" else f"kill -USR1 {server.pid}"
    rotation = Logrotate(log, manner, told)
    written = web_client.send_requests(port, float(seconds))
    rotation.end()
    place.end(server, signal.SIGQUIT)
    print(written)


main()
