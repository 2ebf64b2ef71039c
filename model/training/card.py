"""The card of a trained checkpoint, from what training and evaluation recorded."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CARD = """---
license: apache-2.0
library_name: stackfim
pipeline_tag: text-generation
tags:
- code
- fill-in-the-middle
---
# A tiny Refact

A network of Refact-1.6B's architecture with {parameters:,} parameters ({inner:,} beside the embeddings), {n_layer} layers of
{n_embd}, a context of {n_positions} tokens and a vocabulary of {vocabulary:,}. It exists so that
everything that scores with the real model can run, and be tested, where that is not at hand: on a laptop, in minutes. The
figures below say what its scores can tell and what they cannot. It is no coding assistant: it writes short, often wrong
code, and has never seen a conversation.

```python
from stackfim import model
from stackfim.model.generation import complete

tiny = model.load("tiny", dtype="float32")
print(complete(tiny, 'def print_hello_world():\\n    \"\"\"', '\\n    print("Hello world!")').text)
```

The same prompt written out, in the layout with the prefix first (PSM; SPM has the suffix first):

```
<fim_prefix>def print_hello_world():\\n    \"\"\"<fim_suffix>\\n    print("Hello world!")<fim_middle>
```

## Training data

{examples:,} examples ({tokens:,} tokens in {passes}) that `stackfim build` cut from {files:,} files of {repositories:,}
packages{origin}. All are under licenses of the permissive list; `repositories.tsv` names every package, its revision and its
licenses. Held out, by a hash of the package's name whatever its version, were {held_out_examples:,} examples of
{held_out_repositories}.

| Language | Examples |
|---|---:|
{languages}

## Training

{steps:,} steps of about {batch_tokens:,} tokens in float32 on a CPU; half of the sequences PSM, half SPM, packed without
attention between them, with contexts of {shortest_context} to {longest_context} tokens. The Lion optimizer, a rate of
{learning_rate} after {warm_up_steps} steps of warm-up, from step {cool_down_step:,} on straight down to
{last_learning_rate}; weight decay {weight_decay}; early dropout {dropout}, falling to none over the first {dropout_steps}
steps. The loss is over all tokens, {middle_weight:g} times for a middle's tokens and {end_weight:g} times for the
end-of-text after it, none for sentinels. End-of-text is also made unlikely where a middle does not end:
{line_end_weight:g} times where a line ends inside of it, {later_end_weight:g} times after the suffix's first line, written
once more. Seed {seed}. The weights are rounded to bfloat16.

## Figures

On examples of packages that it was not trained on ({rows:,} drawn by a seed), float32, with contexts of at most
{context_tokens} tokens:

{held_out_table}
{sample_section}
"Ends" compares `p_eot_end` at true ends of single-line and multi-line middles with ends a line earlier and a line later in
the file; "silence" compares `p_eot_start` at EMPTY places with others; both are areas under the ROC curve, 0.5 for guessing.
"Shuffled" is how often a middle with its lines in another order has a higher mean negative log likelihood than the middle.
The 5-gram model is an interpolated modified Kneser-Ney model of the very same training tokens.
{missed_section}
`make tiny-model` makes such a checkpoint; the same data, seed and number of threads give the same bytes on one machine.
"""

SAMPLE = """
On the {rows:,} examples of `tests/data/tiny`, cut from files written for this project's tests; the tests measure these again:

{table}
"""

MISSED = """
What it does not reach, so that nothing should rest on it:

{lines}
"""

ROWS = (
    ("nll", "negative log likelihood, nats a token"),
    ("ngram_nll", "the same of a 5-gram model"),
    ("auc_end", "ends, AUC"),
    ("auc_end_multi_line", "ends of multi-line middles alone, AUC"),
    ("auc_start", "silence, AUC"),
    ("shuffled_worse", "shuffled lines worse than code"),
    ("greedy_match", "middle and end exactly by greedy decoding"),
)


def figures_table(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Figures by layout as a Markdown table."""
    lines = ["| | " + " | ".join(layout.upper() for layout in figures) + " |", "|---|" + "---:|" * len(figures)]
    for name, words in ROWS:
        if all(name in values for values in figures.values()):
            lines.append(f"| {words} | " + " | ".join(f"{values[name]:.3f}" for values in figures.values()) + " |")
    return "\n".join(lines)


def card(described: Mapping[str, Any], config: Mapping[str, Any], parameters: int) -> str:
    """The text of README.md; `described` is what `training.json` holds, `config` what `config.json` does."""
    data, settings, figures = described["data"], described["settings"], described["figures"]
    names = sorted({name.rsplit("/", 1)[-1] for name in data["held_out_repositories"]})
    sample, missed = figures.get("sample"), described["missed_bars"]
    values = {
        **config,
        **{key: value for key, value in settings.items() if key != "sequences"},
        **settings["sequences"],
        **data,
        "vocabulary": config["vocab_size"],
        "context_tokens": described["context_tokens"],
        "parameters": parameters,
        "inner": parameters - 2 * config["vocab_size"] * config["n_embd"],
        "origin": f": {data['origin']}" if data["origin"] else "",
        "passes": "one pass" if data["passes"] == 1 else f"{data['passes']} passes",
        "held_out_repositories": ", ".join(names),
        "languages": "\n".join(f"| {language} | {count:,} |" for language, count in data["languages"].items()),
        "rows": next(iter(figures["held_out"].values()))["rows"],
        "held_out_table": figures_table(figures["held_out"]),
        "missed_section": MISSED.format(lines="\n".join(f"- {line}" for line in missed)) if missed else "",
        "sample_section": ""
        if sample is None
        else SAMPLE.format(rows=next(iter(sample.values()))["rows"], table=figures_table(sample)),
    }
    return CARD.format(**values)


def write_card(folder: Path, described: Mapping[str, Any], parameters: int) -> None:
    """Write `training.json` and `README.md` of a checkpoint, each complete or not at all."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    texts = {
        "training.json": json.dumps(described, indent=1, ensure_ascii=False) + "\n",
        "README.md": card(described, config, parameters),
    }
    for name, text in texts.items():
        part = folder / (name + ".part")
        part.write_text(text, encoding="utf-8")
        os.replace(part, folder / name)
