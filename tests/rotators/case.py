"""One case: a program that writes and rotates, and the patterns under which three agents follow it.

The agent `running` is never stopped. `stopped` is stopped cleanly twice and stays away while the program goes on
rotating; `killed` is killed with `kill -9` four times. The first two have to ship each line once, the third may repeat
what it had sent and not saved. In the end each agent is started once more, which looks at every file again.
"""

import concurrent.futures
import dataclasses
import pathlib
import subprocess
import threading
import time

from agents import Agent, Broken, Sandbox, stream_of
from books import kept_in

AGENTS = ("running", "stopped", "killed")

# When each agent goes and comes back, in shares of the time for which the program writes.
AWAY = {"running": (), "stopped": ((0.2, 0.4), (0.6, 0.75)), "killed": ((0.15, 0.15), (0.35, 0.45), (0.6, 0.6), (0.8, 0.85))}

POLL_SECONDS = 1
# No line comes for so long: what is missing is missing.
QUIET_SECONDS = 30
WRITER_SECONDS = 180


@dataclasses.dataclass(frozen=True)
class Limit:
    """What may happen, `missing` or `repeated`, and why."""

    what: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Case:
    """`command` is given DIRECTORY MANNER SECONDS, prints `writing` when it begins, and in the end how many lines it wrote."""

    name: str
    manner: str
    command: tuple
    patterns: tuple
    # (agent, pattern) -> what cannot be promised
    limits: dict = dataclasses.field(default_factory=dict, hash=False)
    is_more: bool = False


@dataclasses.dataclass
class Result:
    case: Case
    written: int
    files: int
    kept: set
    arrived: dict

    def differences(self):
        """What is not each line once: agent, pattern, what, the lines."""
        for (agent, pattern), books in self.arrived.items():
            if missing := books.missing_of(self.kept):
                yield agent, pattern, "missing", missing
            if agent != "killed" and (repeated := books.repeated_numbers()):
                yield agent, pattern, "repeated", repeated
            if books.mangled:
                yield agent, pattern, "mangled", books.mangled


def run(case, binary, scratch, seconds):
    # Programs are started in it by path; a link on the way would be one more thing to follow.
    scratch = pathlib.Path(scratch).resolve()
    logs = scratch / "logs"
    logs.mkdir()
    patterns = [logs / pattern for pattern in case.patterns]
    streams = [stream_of(agent, number) for agent in AGENTS for number in range(len(patterns))]
    sandbox = Sandbox(binary, scratch, streams)
    agents = {name: Agent(name, binary, sandbox, patterns, scratch) for name in AGENTS}
    try:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(Agent.start, agents.values()))
        written = write(case, logs, seconds, agents, scratch)
        kept = kept_in(logs)
        await_lines(sandbox, streams, kept.numbers)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(look_again, agents.values()))
        books = sandbox.read_all(streams)
        arrived = {
            (agent, pattern): books[stream_of(agent, number)]
            for agent in AGENTS
            for number, pattern in enumerate(case.patterns)
        }
        return Result(case, written, kept.files, kept.numbers, arrived)
    finally:
        for agent in agents.values():
            agent.end()
        sandbox.end()


def look_again(agent):
    agent.kill() if agent.name == "killed" else agent.stop()
    agent.once()


def write(case, logs, seconds, agents, scratch):
    """Lets the program write, and agents come and go meanwhile."""
    command = [*case.command, str(logs), case.manner, str(seconds)]
    with open(scratch / "writer.log", "wb") as log:
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=scratch, text=True)
    guard = threading.Timer(WRITER_SECONDS, writer.kill)
    guard.start()
    plans = []
    try:
        for said in writer.stdout:
            if said.strip() == "writing":
                plans = [threading.Thread(target=come_and_go, args=(agents[name], AWAY[name], seconds)) for name in AGENTS]
                for plan in plans:
                    plan.start()
        if writer.wait() != 0:
            raise Broken(f"the program ended with {writer.returncode}: {scratch / 'writer.log'}")
        return int(said)
    finally:
        guard.cancel()
        writer.kill()
        for plan in plans:
            plan.join()


def come_and_go(agent, times, seconds):
    begun = time.monotonic()
    for leaves, returns in times:
        time.sleep(max(0, begun + leaves * seconds - time.monotonic()))
        agent.kill() if agent.name == "killed" else agent.stop()
        time.sleep(max(0, begun + returns * seconds - time.monotonic()))
        agent.start()


def await_lines(sandbox, streams, numbers):
    """Waits until every stream has all lines, or none gets any more."""
    waiting, counts, last = set(streams), {}, time.monotonic()
    while waiting and time.monotonic() < last + QUIET_SECONDS:
        time.sleep(POLL_SECONDS)
        for stream, books in sandbox.read_all(sorted(waiting)).items():
            if not books.missing_of(numbers):
                waiting.remove(stream)
            elif counts.get(stream) != len(books.times):
                counts[stream], last = len(books.times), time.monotonic()
