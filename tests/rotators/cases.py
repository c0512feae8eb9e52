"""The table of the cases: programs, their manners of rotation, and the patterns under which they are followed.

What `is_more` is left out of the short form. A limit says why a pattern cannot have each line once, and is no failure.
"""

import pathlib
import shutil
import sys

from case import Case, Limit

HERE = pathlib.Path(__file__).parent
LOG = "app.log"
# One name, and a glob that matches its generations, too.
NAMES, WORD = (LOG, "app.log*"), (LOG, "app*")

UNKNOWN_NAMES = Limit("missing", "a generation that came and went while no agent ran has a name that says nothing of this pattern")
CUT_ARCHIVE = Limit(
    "repeated",
    "logrotate compressed the log while the program still wrote to it (its manual has delaycompress for that), so the archive"
    " is not what was read, and after a restart nothing proves that it is a part of it",
)


def unknown_names(pattern):
    """What only a running agent can follow."""
    return {(agent, pattern): UNKNOWN_NAMES for agent in ("stopped", "killed")}


def cut_archive(*patterns):
    return {(agent, pattern): CUT_ARCHIVE for agent in ("running", "stopped") for pattern in patterns}


def script(place):
    return (sys.executable, str(HERE / place))


def are_here(*programs):
    return all(shutil.which(program) for program in programs)


def python():
    handlers = script("python/handlers.py")
    yield Case("Python RotatingFileHandler", "rotating", handlers, NAMES)
    yield Case("Python TimedRotatingFileHandler", "timed", handlers, NAMES)
    if are_here("logrotate"):
        yield Case("Python WatchedFileHandler, logrotate create", "create", handlers, NAMES)
        for manner in ("delaycompress", "nocreate", "copy", "renamecopy"):
            yield Case(f"Python WatchedFileHandler, logrotate {manner}", manner, handlers, NAMES, is_more=True)


def loguru(tools):
    if not (tools / "python" / "done").exists():
        return
    command = (str(tools / "python" / "bin" / "python"), str(HERE / "python" / "loguru_writer.py"))
    yield Case("loguru by size", "size", command, WORD, is_more=True)
    yield Case("loguru by time", "time", command, WORD, is_more=True)
    yield Case("loguru, gzip", "gzip", command, WORD)
    yield Case("loguru with the time in the name", "dated", command, ("app_*.log",), is_more=True)


def servers():
    nginx, rsyslog, httpd = (script(f"debian/{name}.py") for name in ("nginx", "rsyslog", "apache"))
    if are_here("nginx", "logrotate"):
        yield Case("nginx, logrotate compress", "compress", nginx, NAMES, cut_archive(*NAMES))
        yield Case("nginx, logrotate copytruncate", "copytruncate", nginx, NAMES)
        for manner in ("create", "delaycompress", "dateext", "maxsize", "copytruncate-compress"):
            yield Case(f"nginx, logrotate {manner}", manner, nginx, NAMES, is_more=True)
    if are_here("rsyslogd", "logrotate"):
        yield Case("rsyslog, logrotate create", "create", rsyslog, NAMES, is_more=True)
        yield Case("rsyslog, logrotate delaycompress", "delaycompress", rsyslog, NAMES)
        yield Case("rsyslog, logrotate dateext, compress", "dateext-compress", rsyslog, NAMES)
        yield Case("rsyslog, logrotate olddir", "olddir", rsyslog, NAMES, is_more=True)
    if are_here("apache2", "rotatelogs"):
        yield Case("httpd, rotatelogs by time", "time", httpd, ("app.*.log", "*"), is_more=True)
        yield Case("httpd, rotatelogs by size", "size", httpd, ("app.log.*", "*"))
        yield Case("httpd, rotatelogs numbered", "number", httpd, NAMES, is_more=True)
        yield Case("httpd, rotatelogs with a hard link", "link", httpd, (LOG, "access-*"), unknown_names(LOG))


def pipes():
    piped = script("debian/piped.py")
    if are_here("cronolog"):
        yield Case("cronolog with a link", "cronolog", piped, (LOG, "app-*.log", "app*"))
    if are_here("svlogd"):
        yield Case("svlogd", "svlogd", piped, ("current", "{current,@*}"), unknown_names("current"))
        # The compressed files do not say that they are.
        yield Case("svlogd, gzip", "svlogd-gzip", piped, ("current",), unknown_names("current"), is_more=True)
    if are_here("multilog"):
        patterns = ("current", "{current,@*}", "*")
        yield Case("multilog", "multilog", piped, patterns, unknown_names("current"), is_more=True)
    if are_here("s6-log"):
        yield Case("s6-log", "s6-log", piped, ("current", "{current,@*}", "*"), unknown_names("current"))


def npm(tools):
    if not (tools / "npm" / "done").exists():
        return
    stream, winston, roll = (
        ("node", str(HERE / "node" / f"{name}.js"))
        for name in ("rotating_file_stream", "winston_daily_rotate_file", "pino_roll")
    )
    yield Case("rotating-file-stream by size", "size", stream, WORD, is_more=True)
    yield Case("rotating-file-stream by time", "time", stream, WORD, is_more=True)
    yield Case("rotating-file-stream, gzip", "gzip", stream, WORD)
    yield Case("rotating-file-stream, classic", "classic", stream, NAMES)
    # 20261127-1646-01-app.log
    names = (LOG, "*app.log")
    yield Case("rotating-file-stream, default names", "default", stream, names, unknown_names(LOG), is_more=True)
    yield Case("rotating-file-stream, immutable", "immutable", stream, ("app-*.log",), is_more=True)
    yield Case("winston-daily-rotate-file by size", "size", winston, ("app-*.log*", "app*"), is_more=True)
    yield Case("winston-daily-rotate-file by time", "time", winston, ("app-*.log*", "app*"), is_more=True)
    yield Case("winston-daily-rotate-file, gzip", "gzip", winston, ("app-*.log*", "app*"))
    yield Case("winston-daily-rotate-file with a link", "link", winston, (LOG, "app-*"), unknown_names(LOG))
    yield Case("pino-roll by size", "size", roll, ("app.*.log",))
    yield Case("pino-roll by time", "time", roll, ("app.*.log",), is_more=True)
    yield Case("pino-roll with a link", "link", roll, ("current.log", "app.*.log"), unknown_names("current.log"), is_more=True)


def containers(tools):
    kubelet = script("containers/kubelet.py")
    yield Case("kubelet and containerd (imitated)", "default", kubelet, ("containers/*.log", "pods/*/*/*.log"))
    driver = tools / "go" / "docker"
    if driver.exists():
        log = "containers/0123456789abcdef/0123456789abcdef-json.log"
        patterns = (log, "containers/*/*-json.log", "containers/*/*-json.log*")
        yield Case("Docker json-file", "plain", (str(driver),), patterns, is_more=True)
        yield Case("Docker json-file, gzip", "gzip", (str(driver),), patterns, is_more=True)


def java(tools):
    def program(name, libraries="spring"):
        classes = f"{tools}/java/classes:{tools}/java/{libraries}/*"
        return ("java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", classes, name)

    if not (tools / "java" / "classes").exists():
        return
    yield Case("java.util.logging", "size", program("JavaUtilLogging"), ("app.0.log", "app.*.log"), is_more=True)
    yield Case("Spring Boot as it comes", "default", program("SpringBoot"), (*NAMES, "app*", "*"), is_more=True)
    for manner in ("size", "time", "time-gzip", "both", "both-gzip", "subdirectory", "subdirectory-plain"):
        yield Case(f"logback, {manner}", manner, program("Logback"), WORD, is_more=True)
    yield Case("logback, no-file", "no-file", program("Logback"), ("app-*.log",), is_more=True)
    for manner in ("size", "size-max", "time", "both-gzip", "subdirectory", "header"):
        yield Case(f"Log4j 2, {manner}", manner, program("Log4j", "log4j"), WORD, is_more=True)
    yield Case("Log4j 2, direct", "direct", program("Log4j", "log4j"), ("app-*.log",), is_more=True)


def compiled(tools):
    lumberjack, spdlog = tools / "go" / "lumberjack", tools / "spdlog"
    if lumberjack.exists():
        yield Case("zap with lumberjack", "plain", (str(lumberjack),), WORD, is_more=True)
        yield Case("zap with lumberjack, gzip", "gzip", (str(lumberjack),), WORD, is_more=True)
    if spdlog.exists():
        yield Case("spdlog", "size", (str(spdlog),), WORD, is_more=True)


def available(tools, is_all):
    """The cases whose programs are there."""
    families = (python(), loguru(tools), servers(), pipes(), npm(tools), containers(tools), java(tools), compiled(tools))
    return [case for family in families for case in family if is_all or not case.is_more]
