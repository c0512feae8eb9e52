"""The sandbox and the agents of one case: real processes of the binary under test, on 127.0.0.1 only."""

import concurrent.futures
import json
import os
import re
import subprocess
import time

import books

START_SECONDS = 60
STOP_SECONDS = 60


class Broken(Exception):
    """A program that a case needs did not do its part."""


class Sandbox:
    def __init__(self, binary, scratch, streams):
        self.binary, self.scratch = binary, scratch
        arguments = [binary, "sandbox", "--listen", "127.0.0.1:0", "--shards", "1"]
        for stream in streams:
            arguments += ["--stream", stream]
        with open(scratch / "sandbox.log", "wb") as log:
            self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=log, text=True)
        self.endpoint = self.process.stdout.readline().split()[-1]

    def read_all(self, streams):
        """The books of everything in each of the streams."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            return dict(zip(streams, pool.map(self.read, streams)))

    def read(self, stream):
        command = [self.binary, "consume", "--json", "--stream", stream, "--endpoint", self.endpoint]
        return books.arrived(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)

    def end(self):
        self.process.kill()
        self.process.wait()


class Agent:
    """One agent with its own checkpoints; each pattern is a flow into a stream of its own."""

    def __init__(self, name, binary, sandbox, patterns, scratch):
        self.name, self.binary, self.process = name, binary, None
        self.patterns = patterns
        self.log = scratch / f"{name}.log"
        self.configuration = scratch / f"{name}.json"
        tree = {
            "kinesis.endpoint": sandbox.endpoint,
            "kinesis.region": "us-east-1",
            "cloudwatch.emitMetrics": False,
            "awsAccessKeyId": "test",
            "awsSecretAccessKey": "test",
            "checkpointFile": str(scratch / f"{name}-state" / "checkpoints.db"),
            "importCheckpointFile": "",
            "flows": [
                {
                    "filePattern": str(pattern),
                    "kinesisStream": stream_of(name, number),
                    "initialPosition": "START_OF_FILE",
                    "aggregation": True,
                    "maxBufferAgeMillis": 1000,
                }
                for number, pattern in enumerate(patterns)
            ],
        }
        self.configuration.write_text(json.dumps(tree, indent=2))

    def command(self, *more):
        return [self.binary, "run", "-c", str(self.configuration), *more]

    def start(self):
        size = self.log.stat().st_size if self.log.exists() else 0
        environment = dict(os.environ, KINESIS_AGENT_LOG=os.environ.get("KINESIS_AGENT_LOG", "info"))
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stderr=log, stdout=log, env=environment)
        end = time.monotonic() + START_SECONDS
        while not re.search(rb"\bstarted\b", self.log.read_bytes()[size:]):
            if time.monotonic() > end or self.process.poll() is not None:
                raise Broken(f"the agent {self.name} did not start: {self.log}")
            time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        self.process.wait(STOP_SECONDS)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def once(self):
        """A last start, which looks at everything again."""
        with open(self.log, "ab") as log:
            subprocess.run(self.command("--once", "--timeout", "60"), stderr=log, stdout=log)

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()


def stream_of(name, number):
    return f"{name}-{number}"
