"""Reads what kpl wrote with aws_kinesis_agg and writes the same records itself. The form of the files: see
kpl/examples/third_party.rs."""

import base64
import gzip
import pathlib
import sys

from aws_kinesis_agg.aggregator import RecordAggregator
from aws_kinesis_agg.deaggregator import deaggregate_records


def hexadecimal(data):
    return data.hex() or "-"


def from_hexadecimal(text):
    return b"" if text == "-" else bytes.fromhex(text)


def read(path):
    data = path.read_bytes()
    if path.stem.endswith("+gzip"):
        data = gzip.decompress(data)
    record = {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "sequenceNumber": "1",
            "approximateArrivalTimestamp": 0,
            "partitionKey": "outer",
            "data": base64.b64encode(data),
        }
    }
    for member in deaggregate_records([record]):
        kinesis = member["kinesis"]
        key = hexadecimal(kinesis["partitionKey"].encode())
        hash_key = kinesis.get("explicitHashKey") or "-"
        yield f"{key} {hash_key} {hexadecimal(base64.b64decode(kinesis['data']))}\n"


def write(records):
    aggregator = RecordAggregator()
    for line in records.splitlines():
        key, hash_key, data = line.split(" ")
        hash_key = None if hash_key == "-" else hash_key
        full = aggregator.add_user_record(from_hexadecimal(key).decode(), from_hexadecimal(data), hash_key)
        assert full is None, "the vectors fit into one record"
    return aggregator.clear_and_get().get_contents()[2]


def main(directory):
    for records in sorted(directory.glob("*.records")):
        name = records.stem
        (directory / f"{name}.python.read").write_text("".join(read(directory / f"{name}.bin")))
        if not name.startswith("plain") and not name.endswith("+gzip"):
            (directory / f"{name}.python.bin").write_bytes(write(records.read_text()))


main(pathlib.Path(sys.argv[1]))
