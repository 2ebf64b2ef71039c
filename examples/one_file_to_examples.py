"""One file, looked at from all sides: cells for a notebook (`# %%`), or a script.

python examples/one_file_to_examples.py [FILE]
"""

# %% A file
import sys
import textwrap
from collections import Counter
from pathlib import Path

import stackfim

path = Path(sys.argv[1] if len(sys.argv) > 1 else textwrap.__file__)
text = path.read_text()

# %% Its examples: whole files as context, so that each can be checked against the syntax tree
examples = stackfim.split(text, "Python", context_bytes=0, max_slots=20)
print(Counter(row["category"] for row in examples))

# %% One of them: the middle in brackets
row = max(examples, key=lambda row: row["lines"])
print(f"{row['kind']}, ends at a {row['stop_reason']}:")
print(f"{row['prefix'][-300:]}⟦{row['middle']}⟧{row['suffix'][:100]}")

# %% Every invariant holds
violations = stackfim.verify(examples)
print(f"{len(violations)} violations")

# %% The prompt of a model family, and what the model should write
rendered = stackfim.render(examples, "starcoder2")
print(repr(rendered[0]["prompt"][-200:]), "->", repr(rendered[0]["completion"]))

# %% What the small model that comes along thinks of them
scored = stackfim.score(examples, "tiny")
print(Counter(row["verdict"] for row in scored))
