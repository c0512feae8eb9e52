"""The real KCL reads what the real agent ships while the stream's shards are split, merged and counted anew.

    through_reshards.py AGENT-BINARY CLASS-PATH [--long] [--fault RULE]...

Needs moto's server beside this Python. Two applications (polling and enhanced fan-out) start before the first change of
shards and two after the last one, from the oldest record on. Each must be given every line by the KCL's own
de-aggregation, which drops a whole aggregate when one of its records has a hash key outside the shard. How often lines
came again is reported; with --no-repeats it must be never.

--long makes six times as many changes, gives each early application a second worker, and kills the agent and one of the
workers half way: what was in flight then may arrive twice. So may what a --fault of the sandbox answers with nothing.
"""

import argparse
import collections
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import boto3
from botocore.config import Config

STREAM = "lines"
HALF = 1 << 127
# Lines between two changes, and the pace at which they are written.
LINES_A_CHANGE = 3_000
LINES_A_SECOND = 2_000
PATIENCE_SECONDS = 240

started = []


def start(arguments, log, **more):
    process = subprocess.Popen(arguments, stderr=log, **more)
    started.append(process)
    return process


def stop_all():
    for process in reversed(started):
        process.kill()
        process.wait()


def wait_for(what, condition, seconds=PATIENCE_SECONDS):
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise SystemExit(f"waited {seconds} s in vain for {what}")
        time.sleep(0.1)
    return value


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def answers(url):
    try:
        urllib.request.urlopen(url, timeout=1).close()
        return True
    except OSError:
        return False


class World:
    """The servers, the agent and the applications of one run."""

    def __init__(self, binary, class_path, faults, scratch):
        self.binary, self.class_path, self.scratch = binary, class_path, scratch
        self.log = open(scratch / "log", "ab")
        arguments = [binary, "sandbox", "--listen", "127.0.0.1:0", "--stream", STREAM, "--shards", "2"]
        for fault in faults:
            arguments += ["--fault", fault]
        sandbox = start(arguments, self.log, stdout=subprocess.PIPE, text=True)
        self.endpoint = sandbox.stdout.readline().split()[-1]
        port = free_port()
        self.dynamo = f"http://127.0.0.1:{port}"
        moto = pathlib.Path(sys.executable).with_name("moto_server")
        start([moto, "-H", "127.0.0.1", "-p", str(port)], self.log, stdout=subprocess.DEVNULL)
        wait_for("moto", lambda: answers(f"{self.dynamo}/moto-api/"))
        self.kinesis = boto3.client(
            "kinesis",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def consume(self, name, worker):
        """An application for each way of reading, and what each is given."""
        seen = {mode: Seen(self.scratch, f"{name}-{mode}") for mode in ("polling", "fanout")}
        wanted = [
            f"{mode}:{one.application}:{self.scratch / one.application}.{worker}" for mode, one in seen.items()
        ]
        java = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        java += ["-cp", self.class_path, "Consume", self.endpoint, self.dynamo, STREAM, worker]
        process = start(java + wanted, self.log, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        return process, seen

    def run_agent(self):
        self.logs = self.scratch / "app.log"
        configuration = {
            "kinesis.endpoint": self.endpoint,
            "kinesis.region": "us-east-1",
            "cloudwatch.emitMetrics": False,
            "awsAccessKeyId": "test",
            "awsSecretAccessKey": "test",
            "checkpointFile": str(self.scratch / "checkpoints.db"),
            "flows": [
                {
                    "filePattern": str(self.logs),
                    "kinesisStream": STREAM,
                    "aggregation": True,
                    "initialPosition": "START_OF_FILE",
                    "maxBufferAgeMillis": 1000,
                }
            ],
        }
        self.configuration = self.scratch / "agent.json"
        self.configuration.write_text(json.dumps(configuration))
        return start([self.binary, "run", "-c", self.configuration], self.log, stdout=subprocess.DEVNULL)

    def open_shards(self):
        shards = self.kinesis.list_shards(StreamName=STREAM, ShardFilter={"Type": "AT_LATEST"})["Shards"]
        return sorted(shards, key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))

    def split(self):
        widest = max(self.open_shards(), key=lambda shard: width(shard))
        middle = int(widest["HashKeyRange"]["StartingHashKey"]) + width(widest) // 2
        self.kinesis.split_shard(
            StreamName=STREAM, ShardToSplit=widest["ShardId"], NewStartingHashKey=str(middle)
        )

    def merge(self):
        first, second = self.open_shards()[:2]
        self.kinesis.merge_shards(
            StreamName=STREAM, ShardToMerge=first["ShardId"], AdjacentShardToMerge=second["ShardId"]
        )

    def count(self, shards):
        self.kinesis.update_shard_count(
            StreamName=STREAM, TargetShardCount=shards, ScalingType="UNIFORM_SCALING"
        )


def width(shard):
    return int(shard["HashKeyRange"]["EndingHashKey"]) - int(shard["HashKeyRange"]["StartingHashKey"])


class LogWriter(threading.Thread):
    """Writes numbered lines at a steady pace until it is stopped."""

    def __init__(self, file):
        super().__init__(daemon=True)
        self.file, self.written, self.stopped = file, 0, threading.Event()

    def run(self):
        with open(self.file, "a") as log:
            while not self.stopped.wait(0.05):
                for _ in range(LINES_A_SECOND // 20):
                    log.write(f"line-{self.written:07} {'x' * 60}\n")
                    self.written += 1
                log.flush()


class Seen:
    """How often an application's workers were given each line, and from which shards: read on where it was left."""

    def __init__(self, scratch, application):
        self.scratch, self.application = scratch, application
        self.offsets, self.lines, self.shards = collections.Counter(), collections.Counter(), set()

    def read(self):
        for file in self.scratch.glob(f"{self.application}.*"):
            with open(file, "rb") as rows:
                rows.seek(self.offsets[file])
                # The last row may be half written.
                complete = rows.read().rpartition(b"\n")[0]
            self.offsets[file] += len(complete) + (1 if complete else 0)
            for row in complete.decode().splitlines():
                shard, _, _, line = row.split(" ", 3)
                self.lines[line.split(" ")[0]] += 1
                self.shards.add(shard)
        return self

    def report(self, name, written):
        missing, repeats = written - len(self.lines), sum(self.lines.values()) - len(self.lines)
        print(f"{name:14} {len(self.lines):8} of {written}   missing {missing}   repeats {repeats}   shards {len(self.shards)}")
        return missing, repeats


def wait_for_all(applications, lines):
    """Until each was given every line, or none anything new for a long time: each generation of shards takes seconds."""
    read, progress = 0, time.monotonic()
    while any(len(seen.read().lines) < lines for seen in applications):
        total = sum(len(seen.lines) for seen in applications)
        if total > read:
            read, progress = total, time.monotonic()
        if time.monotonic() > progress + PATIENCE_SECONDS:
            return
        time.sleep(0.5)


def changes(world, long):
    """What is done to the shards; the stream begins with two, and ends a round with two."""
    short = [world.split, world.merge, lambda: world.count(4), lambda: world.count(2)]
    # Counts that do not divide each other: shards that live for no time stand between the old ones and the new.
    uneven = [lambda: world.count(3), lambda: world.count(5), lambda: world.count(4), lambda: world.count(2)]
    return (short + uneven) * 3 if long else short


def run(arguments, scratch):
    begin = time.monotonic()
    clock = lambda: f"{time.monotonic() - begin:5.1f} s"
    world = World(arguments.binary, arguments.class_path, arguments.fault, scratch)
    worker, early = world.consume("early", "worker-1")
    agent = world.run_agent()
    writer = LogWriter(world.logs)
    writer.start()
    wait_for("the early applications", lambda: all(one.read().lines for one in early.values()))
    print(f"{clock()}: both early applications read")
    if arguments.long:
        world.consume("early", "worker-2")
    everything = changes(world, arguments.long)
    for number, change in enumerate(everything):
        change()
        print(f"{clock()}: change {number + 1}, {len(world.open_shards())} open shards, {writer.written} lines")
        goal = writer.written + LINES_A_CHANGE
        wait_for("more lines", lambda: writer.written >= goal)
        if arguments.long and number == len(everything) // 2:
            agent.send_signal(signal.SIGKILL)
            agent.wait()
            worker.kill()
            agent = world.run_agent()
            print(f"{clock()}: the agent and a worker were killed, the agent is back")
    _, late = world.consume("late", "worker-1")
    applications = {f"early {mode}": seen for mode, seen in early.items()}
    applications |= {f"late {mode}": seen for mode, seen in late.items()}
    writer.stopped.set()
    writer.join()
    shipped = [arguments.binary, "shipped", "-q", "-c", world.configuration, "--wait", "120", world.logs]
    if subprocess.run(shipped, stdout=subprocess.DEVNULL).returncode != 0:
        raise SystemExit("the agent could not ship everything")
    print(f"{clock()}: {writer.written} lines are acknowledged")

    wait_for_all(applications.values(), writer.written)
    # What arrives twice may arrive the second time after everything has arrived once.
    time.sleep(3)
    results = [seen.read().report(name, writer.written) for name, seen in applications.items()]
    print(f"{clock()}: done")
    return all(missing == 0 and (repeats == 0 or not arguments.no_repeats) for missing, repeats in results)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("class_path")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--no-repeats", action="store_true")
    parser.add_argument("--fault", action="append", default=[])
    arguments = parser.parse_args()
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="kcl-"))
    try:
        good = run(arguments, scratch)
    finally:
        stop_all()
        if not locals().get("good"):
            print(f"the log's end ({scratch} is kept):")
            print((scratch / "log").read_text(errors="replace")[-4000:])
    if not good:
        raise SystemExit(1)
    shutil.rmtree(scratch)


main()
