"""Real examples, and tokenizers of the three kinds that the families have."""

import json
import sysconfig
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import gguf
import pyarrow as pa
import pytest
from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers import Tokenizer as Bpe

from stackfim.model.tokenizer import Tokenizer
from stackfim.transforms.render.families import FAMILIES, STARCODER_SENTINELS
from stackfim.transforms.render.template import sentinels
from stackfim.transforms.split.examples import Splitter
from stackfim.transforms.split.split_settings import SplitSettings

VOCABULARY = 2048
# Those of the formats, and StarCoder's; other special tokens would leave no room for words.
SENTINELS = sorted(
    set(STARCODER_SENTINELS).union(
        *(
            (*family.fim_sentinels, *sentinels(family.header_front + family.header_prefix))
            for family in FAMILIES.values()
        )
    )
)
QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
# Of no published model: it matches the indent after a line break together with the break.
INDENTS = QWEN.replace(r"[\r\n]*|", r"[\r\n ]*|")


@cache
def _texts() -> tuple[str, ...]:
    library = Path(sysconfig.get_paths()["stdlib"])
    return tuple(path.read_text() for path in sorted((library / "json").glob("*.py")))


def _byte_level(pre_tokenizer: Any, normalizer: Any = None) -> Bpe:
    tokenizer = Bpe(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SENTINELS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(), trainer)
    return tokenizer


def _gpt2() -> Bpe:
    digits = pre_tokenizers.Digits(individual_digits=True)
    return _byte_level(pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)]))


def _split_by(expression: str) -> Any:
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(expression), "isolated"), level])


def _qwen() -> Bpe:
    return _byte_level(_split_by(QWEN), normalizers.NFC())


def _indents() -> Bpe:
    return _byte_level(_split_by(INDENTS))


def _sentencepiece() -> Bpe:
    tokenizer = Bpe(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    special = ["<unk>", *SENTINELS]
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=special, show_progress=False)
    words = (word for text in _texts() for line in text.split("\n") for word in line.split(" "))
    tokenizer.train_from_iterator(words, trainer)
    definition = json.loads(tokenizer.to_str())
    vocabulary = definition["model"]["vocab"]
    for byte in range(256):
        vocabulary[f"<0x{byte:02X}>"] = len(vocabulary)
    return Bpe.from_str(json.dumps(definition))


KINDS: dict[str, Callable[[], Bpe]] = {
    "gpt2": _gpt2,
    "qwen": _qwen,
    "indents": _indents,
    "sentencepiece": _sentencepiece,
}


@pytest.fixture(scope="session")
def definition() -> Callable[[str], str]:
    """Gives the `tokenizer.json` of a kind: `gpt2` (StarCoder's), `qwen` (another expression, NFC), `indents` (one
    that is not known to break at line breaks) or `sentencepiece` (Llama's), trained on modules of the standard library, with the sentinels of all families; or the `oracle`'s."""

    @cache
    def make(kind: str) -> str:
        if kind != "oracle":
            return KINDS[kind]().to_str()
        path = Path(__file__).parents[2] / "data" / "oracle" / "h4" / "model-f32.gguf"
        fields = gguf.GGUFReader(path).fields
        made = Tokenizer.from_gguf({name: field.contents() for name, field in fields.items()})
        assert made is not None
        return json.dumps(made.definition)

    return make


@pytest.fixture(scope="session")
def rows(
    rows_of: Callable[[Iterable[tuple[str, bytes]]], pa.RecordBatch],
    sources: tuple[Any, ...],
    installed: tuple[Any, ...],
) -> pa.RecordBatch:
    """Real examples of twelve languages, contexts of up to 16,000 bytes."""
    files = [(file.language, file.content) for file in (*sources, *installed)]
    return Splitter(SplitSettings(), "test").split(rows_of(files)).examples
