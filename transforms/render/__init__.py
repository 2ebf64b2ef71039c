"""Examples as prompts and completions of one model family: strings, token ids, packs of fixed length."""
