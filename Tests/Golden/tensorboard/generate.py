"""Writes an event file of one of every value, by TensorBoard's own messages and record writer.

Run with the packages of Tests/Python/requirements.txt: python generate.py
"""
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary
from tensorboard.summary.writer.record_writer import RecordWriter

STEP = 50_000_000_000
PICTURE = bytes(range(256))
USE = [0, 0.5, 1, 2.5]

width = max(USE) / 30
buckets = [0.0] * 30
for value in USE:
    buckets[min(int(value / width), 29)] += 1
histogram = HistogramProto(
    min=min(USE), max=max(USE), num=len(USE), sum=sum(USE), sum_squares=sum(value * value for value in USE),
    bucket_limit=[number * width for number in range(1, 31)], bucket=buckets)
values = [
    Summary.Value(tag="loss/mean", simple_value=0.125),
    Summary.Value(
        tag="pictures/samples",
        image=Summary.Image(height=3, width=4, colorspace=1, encoded_image_string=PICTURE)),
    Summary.Value(tag="node_use/level_1", histo=histogram),
]
events = [
    Event(wall_time=1.5, file_version="brain.Event:2"),
    Event(wall_time=1.5, step=20001, session_log=SessionLog(status=SessionLog.START)),
    Event(wall_time=2.25, step=STEP, summary=Summary(value=values)),
]
with open(Path(__file__).parent / "events.out.tfevents.golden", "wb") as file:
    writer = RecordWriter(file)
    for event in events:
        writer.write(event.SerializeToString())
