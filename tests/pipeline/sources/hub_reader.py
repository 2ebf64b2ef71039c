"""A process that reads from a test's hub: each line of input is a command, each line of output its answer, in JSON.

It is a process of its own because `huggingface_hub` reads HF_ENDPOINT when it is imported. It records waits instead of
waiting.
"""

import io
import json
import logging
import os
import pickle
import sys
import traceback
from typing import Any
from unittest.mock import patch

from stackfim.pipeline.sources import Source, open_source

slept: list[float] = []
log = io.StringIO()


def source_of(command: dict[str, Any]) -> Source:
    """The source that a command names, by its specification or pickled."""
    if "pickle" in command:
        source: Source = pickle.loads(bytes.fromhex(command["pickle"]))
        return source
    return open_source(command["spec"], command.get("columns"))


def answer(command: dict[str, Any]) -> dict[str, Any]:
    """The answer to a command: `environment` sets variables, `shards` lists shards, `read` reads one of them."""
    if command["do"] == "environment":
        for name, value in command["variables"].items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        return {}
    source = source_of(command)
    if command["do"] == "shards":
        shards = source.shards(command.get("limit"))
        return {
            "identity": source.identity(),
            "shards": [[shard.index, shard.locator, shard.rows, shard.size_bytes] for shard in shards],
            "pickle": pickle.dumps(source).hex(),
        }
    rows: list[dict[str, Any]] = []
    rejections: list[dict[str, Any]] = []
    batch_rows: list[int] = []
    for batch in source.read(command["locator"]):
        batch_rows.append(batch.rows.num_rows)
        rows += batch.rows.drop_columns(["content"]).to_pylist()
        rejections += batch.rejections.to_pylist()
    return {"rows": rows, "rejections": rejections, "batch_rows": batch_rows}


def main() -> None:
    """Answers commands until the input ends."""
    logging.basicConfig(stream=log, level=logging.DEBUG)
    with patch("time.sleep", slept.append):
        for line in sys.stdin:
            slept.clear()
            try:
                reply = answer(json.loads(line))
            except Exception as error:
                reply = {"error": type(error).__name__, "message": str(error), "traceback": traceback.format_exc()}
            print(json.dumps({**reply, "slept": list(slept), "log": log.getvalue()}), flush=True)


if __name__ == "__main__":
    main()
