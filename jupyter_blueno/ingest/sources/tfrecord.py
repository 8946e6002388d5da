"""TFRecord shards beside the array_record ones of a prepared set.

TFDS reads array_record at random only (`tfds.data_source`), and TFRecord as a
stream only (`tfds.load`). A folder may hold both: its ``dataset_info.json`` then
names TFRecord first, and TFDS takes what it needs where it is asked for a version
(``mnist:3.0.1``). Without one it goes by the set's code, which knows one format.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

GROUP = 256  # records read at a time


def add_tfrecord(folder: Path, say: Callable[[str], None]) -> None:
    """Give `folder` TFRecord shards, unless it has them; needs TensorFlow.

    Ended at any moment, the folder is what it was before: ``dataset_info.json``
    is replaced last.

    Parameters
    ----------
    folder : Path
        A set prepared as array_record, ``…/tfds/mnist/3.0.1``.
    say : callable
        Called with a few words for each shard.
    """
    described = folder / "dataset_info.json"
    info = json.loads(described.read_bytes())
    if info.get("fileFormat") != "array_record":
        return
    shards = [
        (f"{info['name']}-{split['name']}", f"{number:05d}-of-{len(split['shardLengths']):05d}")
        for split in info["splits"]
        for number in range(len(split["shardLengths"]))
    ]
    for number, (stem, place) in enumerate(shards):
        say(f"Writing TFRecord for tfds.load, {number} of {len(shards)} files")
        _copy(folder / f"{stem}.array_record-{place}", folder / f"{stem}.tfrecord-{place}")
    info |= {"fileFormat": "tfrecord", "alternativeFileFormats": ["array_record"]}
    _replace(described, json.dumps(info, indent=2))


def _copy(source: Path, target: Path) -> None:
    import tensorflow as tf
    from array_record.python import array_record_module

    reader = array_record_module.ArrayRecordReader(str(source), "readahead_buffer_size:0")
    partial = target.with_name(f"incomplete.{target.name}")
    with tf.io.TFRecordWriter(str(partial)) as writer:
        many = reader.num_records()
        for start in range(0, many, GROUP):
            for record in reader.read(start, min(start + GROUP, many)):
                writer.write(record)
    reader.close()
    os.replace(partial, target)


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f"incomplete.{path.name}")
    partial.write_text(text, "utf-8")
    os.replace(partial, path)
