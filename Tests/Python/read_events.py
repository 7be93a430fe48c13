"""Prints, as JSON, what TensorBoard's own reader finds in the event files of a run's folder."""
import json
import logging
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

logging.disable()
run = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0, "histograms": 0})
run.Reload()
tags = run.Tags()
json.dump({
    "scalars": {tag: [[event.step, event.value] for event in run.Scalars(tag)] for tag in tags["scalars"]},
    "images": {
        tag: [[event.step, event.width, event.height, event.encoded_image_string.hex()] for event in run.Images(tag)]
        for tag in tags["images"]
    },
    "histograms": {
        tag: [[event.step, event.histogram_value.num, event.histogram_value.sum] for event in run.Histograms(tag)]
        for tag in tags["histograms"]
    },
}, sys.stdout)
