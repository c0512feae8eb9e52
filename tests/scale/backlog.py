#!/usr/bin/env python3
"""What a backlog at the start costs in memory: FILES files of MEGABYTES each, shipped to the sandbox by `run --once`.

    tests/scale/backlog.py target/release/kinesis-agent --files 40 --megabytes 128

Prints one line of JSON: the seconds it took, and the highest resident memory in each tenth of that time. Needs a binary
with the cargo feature `sandbox`, as much disk as there is backlog, and nothing but Python's own library.
"""
import argparse, json, os, shutil, subprocess, sys, tempfile, time


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--megabytes", type=int, default=128, help="of each file")
    parser.add_argument("--port", type=int, default=14561)
    return parser.parse_args()


def fill(root, files, megabytes):
    os.makedirs(f"{root}/log")
    line = b"abcdefghijklmnopqrstuvwxyz0123456789 the quick brown fox jumps over the lazy dog; level=info code=2 "
    for number in range(files):
        block = b"".join(b"%06d %06d %s\n" % (number, place, line) for place in range(9200))[:1 << 20]
        block = block[: block.rfind(b"\n") + 1]
        with open(f"{root}/log/app-x{number}.log", "wb") as file:
            for _ in range(megabytes):
                file.write(block)


def configure(root, port):
    config = {
        "kinesis.endpoint": f"http://127.0.0.1:{port}",
        "kinesis.region": "us-east-1",
        "awsAccessKeyId": "none",
        "awsSecretAccessKey": "none",
        "cloudwatch.emitMetrics": False,
        "checkpointFile": f"{root}/state/checkpoints.db",
        "importCheckpointFile": "",
        "flows": [
            {
                "filePattern": f"{root}/log/*.log",
                "kinesisStream": "scale",
                "initialPosition": "START_OF_FILE",
                "aggregation": True,
            }
        ],
    }
    with open(f"{root}/agent.json", "w") as file:
        json.dump(config, file)


def resident(pid):
    try:
        line = next(line for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS:"))
    except (OSError, StopIteration):
        return 0
    return int(line.split()[1]) / 1024


def main():
    options = arguments()
    binary = os.path.abspath(options.binary)
    root = tempfile.mkdtemp(prefix="kinesis-agent-backlog-")
    try:
        fill(root, options.files, options.megabytes)
        configure(root, options.port)
        sandbox = subprocess.Popen(
            [binary, "sandbox", "--listen", f"127.0.0.1:{options.port}", "--stream", "scale", "--shards", "64", "--discard"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)
        begun = time.time()
        agent = subprocess.Popen([binary, "run", "--once", "-c", f"{root}/agent.json"],
                                 stdout=subprocess.DEVNULL, stderr=open(f"{root}/agent.err", "w"))
        samples = []
        while agent.poll() is None:
            samples.append(resident(agent.pid))
            time.sleep(0.1)
        passed = time.time() - begun
        sandbox.kill()
        if agent.returncode != 0:
            sys.exit(open(f"{root}/agent.err").read()[-2000:])
        tenth = max(1, len(samples) // 10)
        print(json.dumps({
            "files": options.files,
            "gigabytes": round(sum(os.path.getsize(f"{root}/log/{name}") for name in os.listdir(f"{root}/log")) / 1e9, 2),
            "seconds": round(passed, 1),
            "resident_mb_by_tenths": [round(max(samples[i:i + tenth])) for i in range(0, len(samples), tenth)][:10],
        }))
    finally:
        shutil.rmtree(root)


main()
