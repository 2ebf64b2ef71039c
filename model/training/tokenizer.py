"""A small byte-level BPE for a small network, with StarCoder's sentinels at StarCoder's ids."""

from __future__ import annotations

import json
from collections.abc import Iterable

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

from stackfim.model.tokenizer import Tokenizer
from stackfim.transforms.render.families import STARCODER_SENTINELS


def train_tokenizer(texts: Iterable[str], size: int) -> Tokenizer:
    """A tokenizer of at most `size` ids, the same for the same texts.

    Sentinels have ids 0 to 18, then come the 256 bytes and the tokens that merges make. Text is cut as in StarCoder:
    digits one by one, then the expression of GPT-2. A sentinel within a text is treated as text.
    """
    bpe = tokenizers.Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(STARCODER_SENTINELS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    return Tokenizer(json.loads(bpe.to_str()))
