#!/usr/bin/env python3
"""Drives a running sandbox with boto3: python3 boto3_check.py http://127.0.0.1:4567

Needs a sandbox without fault rules. Leaves nothing behind, asserts everything, prints OK.
"""
import datetime
import json
import sys
import urllib.request
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = sys.argv[1].rstrip("/")
NAME = f"boto3-{uuid.uuid4().hex[:8]}"


def client(service):
    return boto3.client(
        service,
        endpoint_url=ENDPOINT,
        region_name="us-east-1",
        aws_access_key_id="AKIDSANDBOX",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}),
    )


def control(path):
    with urllib.request.urlopen(f"{ENDPOINT}/sandbox/{path}") as answer:
        return answer.read()


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        assert error.response["Error"]["Message"], error
        return
    raise AssertionError(f"{code} was expected")


def read_all(kinesis, arn):
    data = []
    for shard in kinesis.list_shards(StreamARN=arn)["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamARN=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        data += [record["Data"] for record in kinesis.get_records(ShardIterator=iterator)["Records"]]
    return sorted(data)


def check_kinesis():
    kinesis = client("kinesis")
    kinesis.create_stream(StreamName=NAME, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    kinesis.get_waiter("stream_exists").wait(StreamName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 1})
    summary = kinesis.describe_stream_summary(StreamName=NAME)["StreamDescriptionSummary"]
    assert summary["OpenShardCount"] == 4 and summary["StreamStatus"] == "ACTIVE", summary
    arn = summary["StreamARN"]
    records = [{"Data": f"{n:03}".encode(), "PartitionKey": str(n)} for n in range(100)]
    put = kinesis.put_records(StreamARN=arn, Records=records)
    assert put["FailedRecordCount"] == 0 and len({r["ShardId"] for r in put["Records"]}) == 4, put
    kinesis.put_record(StreamName=NAME, Data=b"\xff\x00", PartitionKey="k", ExplicitHashKey=str(2**128 - 1))
    assert read_all(kinesis, arn) == [r["Data"] for r in records] + [b"\xff\x00"]
    refused("ValidationException", kinesis.merge_shards, StreamARN=arn, ShardToMerge="0", AdjacentShardToMerge="1")
    refused("ResourceNotFoundException", kinesis.list_shards, StreamName="no-such-stream")
    refused("ResourceInUseException", kinesis.create_stream, StreamName=NAME, ShardCount=1)
    kinesis.delete_stream(StreamARN=arn)
    refused("ResourceNotFoundException", kinesis.describe_stream_summary, StreamName=NAME)


def check_shards():
    kinesis = client("kinesis")
    kinesis.create_stream(StreamName=NAME, ShardCount=2, Tags={"team": "logs"})
    assert kinesis.list_tags_for_stream(StreamName=NAME)["Tags"] == [{"Key": "team", "Value": "logs"}]
    arn = kinesis.describe_stream_summary(StreamName=NAME)["StreamDescriptionSummary"]["StreamARN"]
    kinesis.put_record(StreamName=NAME, Data=b"x", PartitionKey="\u00e9" * 256, ExplicitHashKey="0")
    refused("ValidationException", kinesis.put_record, StreamName=NAME, Data=b"x", PartitionKey="\u00e9" * 257)
    refused("LimitExceededException", scale, kinesis=kinesis, shards=5)
    scale(kinesis, 3)
    shards = {shard["ShardId"]: shard for shard in kinesis.list_shards(StreamName=NAME)["Shards"]}
    assert all("ParentShardId" in shard for shard in list(shards.values())[2:]), shards
    first = kinesis.list_shards(StreamName=NAME, ShardFilter={"Type": "AT_TRIM_HORIZON"}, MaxResults=1)
    second = kinesis.list_shards(NextToken=first["NextToken"], MaxResults=1)
    assert [shard["ShardId"] for shard in first["Shards"] + second["Shards"]] == list(shards)[:2], second
    assert "NextToken" not in second, second
    iterator = kinesis.get_shard_iterator(StreamName=NAME, ShardId=list(shards)[0], ShardIteratorType="TRIM_HORIZON")
    iterator, children = iterator["ShardIterator"], []
    while iterator:
        read = kinesis.get_records(ShardIterator=iterator)
        iterator, children = read.get("NextShardIterator"), read.get("ChildShards", [])
    assert len(children) == 2, children
    check_subscription(kinesis, arn, list(shards)[0], children)
    names = [name for page in kinesis.get_paginator("list_streams").paginate(Limit=1) for name in page["StreamNames"]]
    assert NAME in names, names
    kinesis.delete_stream(StreamName=NAME)


def scale(kinesis, shards):
    kinesis.update_shard_count(StreamName=NAME, TargetShardCount=shards, ScalingType="UNIFORM_SCALING")


def check_subscription(kinesis, arn, shard, children):
    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="app")["Consumer"]["ConsumerARN"]
    while kinesis.describe_stream_consumer(ConsumerARN=consumer)["ConsumerDescription"]["ConsumerStatus"] != "ACTIVE":
        pass
    subscription = kinesis.subscribe_to_shard(
        ConsumerARN=consumer, ShardId=shard, StartingPosition={"Type": "TRIM_HORIZON"}
    )
    events = [event["SubscribeToShardEvent"] for event in subscription["EventStream"]]
    assert [record["Data"] for event in events for record in event["Records"]] == [b"x"], events
    assert events[-1]["ChildShards"] == children and "ContinuationSequenceNumber" not in events[-1], events[-1]


def check_firehose():
    firehose = client("firehose")
    firehose.create_delivery_stream(DeliveryStreamName=NAME, Tags=[{"Key": "a", "Value": "1"}])
    firehose.tag_delivery_stream(DeliveryStreamName=NAME, Tags=[{"Key": "b", "Value": "2"}])
    firehose.untag_delivery_stream(DeliveryStreamName=NAME, TagKeys=["a"])
    tags = firehose.list_tags_for_delivery_stream(DeliveryStreamName=NAME)["Tags"]
    assert tags == [{"Key": "b", "Value": "2"}], tags
    described = firehose.describe_delivery_stream(DeliveryStreamName=NAME)["DeliveryStreamDescription"]
    assert described["DeliveryStreamStatus"] == "ACTIVE", described
    batch = firehose.put_record_batch(DeliveryStreamName=NAME, Records=[{"Data": b"one\n"}, {"Data": b"two\n"}])
    assert batch["FailedPutCount"] == 0 and len(batch["RequestResponses"]) == 2, batch
    lines = [json.loads(line)["data"] for line in control(f"delivery-streams/{NAME}").splitlines()]
    assert lines == ["b25lCg==", "dHdvCg=="], lines
    refused("InvalidArgumentException", firehose.put_record, DeliveryStreamName=NAME, Record={"Data": b"x" * 1_024_001})
    assert NAME in firehose.list_delivery_streams(Limit=1000)["DeliveryStreamNames"]
    firehose.delete_delivery_stream(DeliveryStreamName=NAME)
    refused("ResourceNotFoundException", firehose.put_record, DeliveryStreamName=NAME, Record={"Data": b"x"})


def check_cloudwatch():
    cloudwatch = client("cloudwatch")
    dimensions = [{"Name": "Host", "Value": "a <b> & c"}]
    cloudwatch.put_metric_data(
        Namespace=NAME,
        MetricData=[
            {"MetricName": "One", "Value": 1.5, "Unit": "Count", "Dimensions": dimensions},
            {"MetricName": "Many", "Values": [1.0, 2.0], "Counts": [3.0, 4.0]},
        ],
    )
    # Large enough to be compressed.
    long_names = [{"MetricName": f"metric {n} {'x' * 50}", "Value": n} for n in range(300)]
    cloudwatch.put_metric_data(Namespace=NAME, MetricData=long_names)
    metrics = [metric for metric in json.loads(control("metrics")) if metric["namespace"] == NAME]
    assert len(metrics) == 302 and metrics[0]["value"] == 1.5, metrics[:2]
    assert metrics[1]["values_and_counts"] == {"values": [1.0, 2.0], "counts": [3.0, 4.0]}, metrics[1]
    listed = cloudwatch.list_metrics(Namespace=NAME, MetricName="One")["Metrics"]
    assert listed == [{"Namespace": NAME, "MetricName": "One", "Dimensions": dimensions}], listed


def check_statistics():
    cloudwatch = client("cloudwatch")
    start = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
    end = start + datetime.timedelta(minutes=5)
    data = [{"MetricName": "Timed", "Value": value, "Timestamp": start} for value in (1, 2)]
    cloudwatch.put_metric_data(Namespace=NAME, MetricData=data)
    points = cloudwatch.get_metric_statistics(
        Namespace=NAME, MetricName="Timed", StartTime=start, EndTime=end, Period=60, Statistics=["Sum", "Maximum"]
    )["Datapoints"]
    assert points == [{"Timestamp": start, "Unit": "None", "Sum": 3.0, "Maximum": 2.0}], points
    stat = {"Metric": {"Namespace": NAME, "MetricName": "Timed"}, "Period": 60, "Stat": "Average"}
    results = cloudwatch.get_metric_data(
        MetricDataQueries=[{"Id": "q", "MetricStat": stat}], StartTime=start, EndTime=end
    )["MetricDataResults"]
    assert (results[0]["Timestamps"], results[0]["Values"]) == ([start], [1.5]), results
    refused("InvalidParameterCombination", cloudwatch.get_metric_statistics, Namespace=NAME, MetricName="Timed",
            StartTime=start, EndTime=end, Period=60)


def check_sts():
    sts = client("sts")
    role = sts.assume_role(RoleArn="arn:aws:iam::000000000000:role/writer", RoleSessionName="me")
    assert role["Credentials"]["Expiration"].year == 2099, role
    assert role["AssumedRoleUser"]["Arn"].endswith(":assumed-role/writer/me"), role
    assert sts.get_caller_identity()["Account"] == "000000000000"


if __name__ == "__main__":
    check_kinesis()
    check_shards()
    check_firehose()
    check_cloudwatch()
    check_statistics()
    check_sts()
    assert json.loads(control("health")) == {"status": "ok"}
    assert json.loads(control("counters"))["put_records"]["stored_entries"] >= 100
    print("OK")
