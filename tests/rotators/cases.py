"""The table of the cases: programs, their manners of rotation, and the patterns under which they are followed."""

import pathlib
import shutil
import sys

from case import Case

HERE = pathlib.Path(__file__).parent
ONE_NAME = ("app.log", "app.log*")
UNKNOWN_NAMES = "files that came and went while no agent ran have names that do not begin with the pattern's"


def while_away(*patterns):
    return {(agent, pattern): UNKNOWN_NAMES for agent in ("stopped", "killed") for pattern in patterns}



def python():
    handlers = (sys.executable, str(HERE / "python" / "handlers.py"))
    yield Case("Python RotatingFileHandler", "rotating", handlers, ONE_NAME)
    yield Case("Python TimedRotatingFileHandler", "timed", handlers, ONE_NAME)
    if shutil.which("logrotate"):
        for manner in ("create", "delaycompress"):
            yield Case(f"Python WatchedFileHandler, logrotate {manner}", manner, handlers, ONE_NAME)


def debian():
    here = HERE / "debian"

    def program(name):
        return (sys.executable, str(here / name))

    if shutil.which("nginx") and shutil.which("logrotate"):
        for manner in ("create", "delaycompress", "compress", "copytruncate", "dateext"):
            yield Case(f"nginx, logrotate {manner}", manner, program("nginx.py"), ONE_NAME)
    if shutil.which("rsyslogd") and shutil.which("logrotate"):
        for manner in ("create", "delaycompress", "dateext-compress"):
            yield Case(f"rsyslog, logrotate {manner}", manner, program("rsyslog.py"), ONE_NAME)
    if shutil.which("apache2") and shutil.which("rotatelogs"):
        yield Case("httpd, rotatelogs by time", "time", program("apache.py"), ("app.*.log", "*"))
        yield Case("httpd, rotatelogs by size", "size", program("apache.py"), ("app.log.*", "*"))
        yield Case("httpd, rotatelogs numbered", "number", program("apache.py"), ("app.log", "app.log*"))
        yield Case(
            "httpd, rotatelogs with a link", "link", program("apache.py"), ("app.log", "access-*"), while_away("app.log")
        )
    if shutil.which("cronolog"):
        yield Case("cronolog", "cronolog", program("piped.py"), ("app.log", "app-*.log", "app*"))
    if shutil.which("svlogd"):
        yield Case("svlogd", "svlogd", program("piped.py"), ("current", "{current,@*}"))
        yield Case("svlogd, gzip", "svlogd-gzip", program("piped.py"), ("current",))
    for name in ("multilog", "s6-log"):
        if shutil.which(name):
            yield Case(name, name, program("piped.py"), ("current", "{current,@*}", "*"))


def loguru(tools):
    interpreter = tools / "python" / "bin" / "python"
    if (tools / "python" / "done").exists():
        command = (str(interpreter), str(HERE / "python" / "loguru_writer.py"))
        for manner in ("size", "time", "gzip"):
            yield Case(f"loguru by {manner}", manner, command, ("app.log", "app*"))
        yield Case("loguru with the time in the name", "dated", command, ("app_*.log",))


def npm(tools):
    if not (tools / "npm" / "done").exists():
        return

    def program(name):
        return ("node", str(HERE / "node" / name))

    for manner in ("size", "time", "gzip"):
        yield Case(f"rotating-file-stream by {manner}", manner, program("rotating_file_stream.js"), ("app.log", "app*"))
    yield Case("rotating-file-stream, classic", "classic", program("rotating_file_stream.js"), ONE_NAME)
    yield Case("rotating-file-stream, default names", "default", program("rotating_file_stream.js"), ("app.log", "*app.log"))
    yield Case("rotating-file-stream, immutable", "immutable", program("rotating_file_stream.js"), ("app-*.log",))
    for manner in ("size", "time", "gzip"):
        command = program("winston_daily_rotate_file.js")
        yield Case(f"winston-daily-rotate-file by {manner}", manner, command, ("app-*.log*", "app*"))
    yield Case("winston-daily-rotate-file with a link", "link", program("winston_daily_rotate_file.js"), ("app.log", "app-*"))
    for manner in ("size", "time"):
        yield Case(f"pino-roll by {manner}", manner, program("pino_roll.js"), ("app.*.log",))
    yield Case("pino-roll with a link", "link", program("pino_roll.js"), ("current.log", "app.*.log"))


def java(tools):
    def program(name, libraries=""):
        classes = f"{tools}/java/classes:{tools}/java/{libraries}/*"
        return ("java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", classes, name)

    if not (tools / "java" / "classes").exists():
        return
    yield Case("java.util.logging", "size", program("JavaUtilLogging"), ("app.0.log", "app.*.log"))
    yield Case("Spring Boot as it comes", "default", program("SpringBoot", "spring"), ("app.log", "app.log*", "app*", "*"))
    for manner in ("size", "time", "time-gzip", "both", "both-gzip", "subdirectory", "subdirectory-plain"):
        yield Case(f"logback, {manner}", manner, program("Logback", "spring"), ("app.log", "app*"))
    yield Case("logback, no-file", "no-file", program("Logback", "spring"), ("app-*.log",))
    for manner in ("size", "size-max", "time", "both-gzip", "subdirectory"):
        yield Case(f"Log4j 2, {manner}", manner, program("Log4j", "log4j"), ("app.log", "app*"))
    yield Case("Log4j 2, direct", "direct", program("Log4j", "log4j"), ("app-*.log",))


def containers():
    links = ("containers/*.log", "pods/*/*/*.log")
    yield Case("kubelet and containerd (imitated)", "default", (sys.executable, str(HERE / "containers" / "kubelet.py")), links)


def compiled(tools):
    if (tools / "go" / "lumberjack").exists():
        for manner in ("plain", "gzip"):
            yield Case(f"zap with lumberjack, {manner}", manner, (str(tools / "go" / "lumberjack"),), ("app.log", "app*"))
    if (tools / "go" / "docker").exists():
        log = "containers/0123456789abcdef/0123456789abcdef-json.log"
        for manner in ("plain", "gzip"):
            patterns = (log, "containers/*/*-json.log", "containers/*/*-json.log*")
            yield Case(f"Docker json-file, {manner}", manner, (str(tools / "go" / "docker"),), patterns)
    if (tools / "spdlog").exists():
        yield Case("spdlog", "size", (str(tools / "spdlog"),), ("app.log", "app*"))


def available(tools, is_all):
    """The cases whose programs are there."""
    short = [*python(), *loguru(tools), *debian(), *npm(tools), *containers()]
    return [*short, *java(tools), *compiled(tools)] if is_all else short
