"""The real logrotate, run again and again beside a program."""

import shutil
import subprocess
import threading

PAUSE_SECONDS = 0.3

MANNERS = {
    "create": "create",
    "compress": "create\ncompress",
    "delaycompress": "create\ncompress\ndelaycompress",
    "copytruncate": "copytruncate",
    "copytruncate-compress": "copytruncate\ncompress",
    "copy": "copy",
    "renamecopy": "create\nrenamecopy",
    "nocreate": "nocreate",
    "dateext": "create\ndateext\ndateformat -%Y%m%d-%s",
    "dateext-compress": "create\ncompress\ndateext\ndateformat -%Y%m%d-%s",
    "olddir": "create\nolddir archive\ncreateolddir 755",
    "maxsize": "create\nmaxsize 16k",
}


class Logrotate:
    """Rotates `log` in this manner until it is ended; `told` is a command with which the program is told."""

    def __init__(self, log, manner, told=None):
        root = log.parent.parent
        self.command = [shutil.which("logrotate"), "-s", str(root / "logrotate.state"), "-f", str(root / "logrotate.conf")]
        script = f"postrotate\n{told}\nendscript\n" if told else ""
        # What logrotate deletes unread is lost, so it keeps more generations than it makes.
        text = f"{log} {{\nsu root root\nnotifempty\nmissingok\nrotate 1000\n{MANNERS[manner]}\n{script}}}\n"
        (root / "logrotate.conf").write_text(text)
        self.ended = threading.Event()
        self.rotation = threading.Thread(target=self.rotate, daemon=True)
        self.rotation.start()

    def rotate(self):
        while not self.ended.wait(PAUSE_SECONDS):
            subprocess.run(self.command, stdout=subprocess.DEVNULL)

    def end(self):
        self.ended.set()
        self.rotation.join()
