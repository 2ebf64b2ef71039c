"""Examples into a training loop in plain PyTorch: the loss falls on the middle and the end-of-text alone.

    python examples/render_and_train.py [STEPS]

It trains the small Refact network that comes along, on examples of Python's own standard library; another network and
its tokenizer fit into the same lines.
"""

import sys
import sysconfig
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

import stackfim

IGNORED = -100


def main(steps: int = 20) -> None:
    """Trains a few steps and prints the loss of each."""
    library = Path(sysconfig.get_path("stdlib"))
    rows = [{"content": path.read_text(), "path": path.name} for path in sorted(library.glob("*.py"))[:20]]
    examples = stackfim.split(rows, "Python", context_bytes=2_000)

    model = stackfim.load("tiny", dtype="float32", device="cpu")
    tokenizer = Path(stackfim.__file__).parent / "model" / "tiny" / "tokenizer.json"
    rendered = stackfim.render(examples, "refact", tokenizer, max_tokens=256, tokenize=True)
    print(f"{len(examples)} examples, {len(rendered)} of them fit into 256 tokens")

    network = model.network.train().requires_grad_(True)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
    for step in range(steps):
        batch = [rendered[(step * 8 + place) % len(rendered)] for place in range(8)]
        ids = pad_sequence([torch.tensor(row["input_ids"]) for row in batch], batch_first=True)
        labels = pad_sequence([torch.tensor(row["labels"]) for row in batch], True, padding_value=IGNORED)
        logits = network.logits(network.hidden(ids[:, :-1]))
        loss = cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        print(f"step {step + 1}: loss {loss.item():.3f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
