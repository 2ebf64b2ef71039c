"""Examples into the prompts and completions of one model family: strings, token ids, fixed-length packs."""
