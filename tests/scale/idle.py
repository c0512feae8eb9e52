#!/usr/bin/env python3
"""What an idle agent costs: FLOWS flows with FILES files each, shipped to the sandbox, then left alone.

    tests/scale/idle.py target/release/kinesis-agent --flows 1 --files 10000

Prints one line of JSON: CPU in per cent of a core over --seconds, memory (resident, and its peak), descriptors, threads.
Needs a binary with the cargo feature `sandbox`, and nothing but Python's own library.
"""
import argparse, json, os, shutil, signal, subprocess, sys, tempfile, time

TICKS = os.sysconf("SC_CLK_TCK")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--flows", type=int, default=1)
    parser.add_argument("--files", type=int, default=10_000, help="of each flow")
    parser.add_argument("--lines", type=int, default=20, help="of each file, 100 bytes each")
    parser.add_argument("--settle", type=float, default=20, help="seconds to wait after the last line was shipped")
    parser.add_argument("--seconds", type=float, default=60, help="of the measurement")
    parser.add_argument("--port", type=int, default=14571)
    parser.add_argument("--option", action="append", default=[], help='of the agent, for example maxOpenFiles=16')
    return parser.parse_args()


def fill(root, flows, files, lines):
    for flow in range(flows):
        os.makedirs(f"{root}/log/{flow}")
        for number in range(files):
            with open(f"{root}/log/{flow}/app-x{number}.log", "w") as file:
                file.writelines(f"{flow:04} {number:06} {line:06} {'x' * 81}\n" for line in range(lines))


def configure(root, options):
    config = {
        "kinesis.endpoint": f"http://127.0.0.1:{options.port}",
        "kinesis.region": "us-east-1",
        "awsAccessKeyId": "none",
        "awsSecretAccessKey": "none",
        "cloudwatch.emitMetrics": False,
        "checkpointFile": f"{root}/state/checkpoints.db",
        "importCheckpointFile": "",
        "log.statusReportingPeriodSeconds": 1,
        "flows": [
            {
                "filePattern": f"{root}/log/{flow}/*.log",
                "kinesisStream": "scale",
                "initialPosition": "START_OF_FILE",
                "aggregation": True,
                "maxBufferAgeMillis": 1000,
            }
            for flow in range(options.flows)
        ],
    }
    for option in options.option:
        name, value = option.split("=", 1)
        config[name] = json.loads(value)
    with open(f"{root}/agent.json", "w") as file:
        json.dump(config, file)


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def status(pid, key):
    line = next(line for line in open(f"/proc/{pid}/status") if line.startswith(key + ":"))
    return int(line.split()[1])


def switches(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        line = next(line for line in open(f"/proc/{pid}/task/{task}/status") if line.startswith("voluntary_ctxt"))
        total += int(line.split()[1])
    return total


def sent(log):
    lines = [line for line in open(log) if "records_sent=" in line]
    return int(lines[-1].split("records_sent=")[1].split()[0]) if lines else 0


def main():
    options = arguments()
    binary = os.path.abspath(options.binary)
    root = tempfile.mkdtemp(prefix="kinesis-agent-scale-")
    fill(root, options.flows, options.files, options.lines)
    configure(root, options)
    os.makedirs(f"{root}/state")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": open(f"{root}/agent.err", "w")}
    sandbox = subprocess.Popen(
        [binary, "sandbox", "--listen", f"127.0.0.1:{options.port}", "--stream", "scale", "--shards", "64", "--discard"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1)
    begun = time.time()
    agent = subprocess.Popen([binary, "run", "-c", f"{root}/agent.json"], **quiet)
    try:
        log = f"{root}/agent.err"
        while sent(log) < options.flows * options.files * options.lines:
            if agent.poll() is not None or time.time() - begun > 300:
                sys.exit(f"shipped only {sent(log)}, see {root}")
            time.sleep(0.2)
        shipped_after = time.time() - begun
        cpu_of_start = cpu_seconds(agent.pid)
        time.sleep(options.settle)
        before, switched, from_ = cpu_seconds(agent.pid), switches(agent.pid), time.time()
        time.sleep(options.seconds)
        passed = time.time() - from_
        print(json.dumps({
            "flows": options.flows,
            "files": options.flows * options.files,
            "idle_cpu_percent": round(100 * (cpu_seconds(agent.pid) - before) / passed, 2),
            "wake_ups_per_second": round((switches(agent.pid) - switched) / passed, 1),
            "resident_mb": round(status(agent.pid, "VmRSS") / 1024, 1),
            "peak_mb": round(status(agent.pid, "VmHWM") / 1024, 1),
            "descriptors": len(os.listdir(f"/proc/{agent.pid}/fd")),
            "threads": status(agent.pid, "Threads"),
            "shipped_after_s": round(shipped_after, 1),
            "cpu_of_start_s": round(cpu_of_start, 2),
        }))
    finally:
        agent.send_signal(signal.SIGTERM)
        agent.wait(30)
        sandbox.kill()
    shutil.rmtree(root)


main()
