"""The tokenizer: text comes back, sentinels in text stay text, and tokenizers that cannot promise this are refused."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Bpe

from stackfim.model.tokenizer import Tokenizer, TokenizerError
from stackfim.transforms.render.families import STARCODER_SENTINELS, family_named

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
WITH_SENTINELS = st.lists(st.one_of(TEXTS, st.sampled_from(STARCODER_SENTINELS)), max_size=6).map("".join)


def test_sentinels_have_starcoder_s_ids(tokenizer: Tokenizer) -> None:
    assert list(tokenizer.sentinels.items()) == [(text, number) for number, text in enumerate(STARCODER_SENTINELS)]
    assert [tokenizer.sentinels[text] for text in ("<fim_middle>", "<fim_suffix>", "<reponame>")] == [2, 3, 18]
    assert tokenizer.end_of_text == 0
    assert tokenizer.size == 2048


def test_it_gives_the_ids_of_the_tokenizers_library(definition: dict[str, Any], tokenizer: Tokenizer) -> None:
    text = Path(__file__).read_text().replace("<", "{")
    assert tokenizer.encode(text) == Bpe.from_str(json.dumps(definition)).encode(text).ids


@settings(max_examples=300, deadline=None)
@given(WITH_SENTINELS)
def test_any_text_comes_back_and_holds_no_sentinel(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert not set(ids) & set(tokenizer.sentinels.values())
    assert tokenizer.byte_lengths[ids].sum() == len(text.encode())


@pytest.mark.parametrize("text", STARCODER_SENTINELS)
def test_a_sentinel_in_text_is_text(definition: dict[str, Any], tokenizer: Tokenizer, text: str) -> None:
    source = f"x = '{text}'\n"
    assert tokenizer.decode(tokenizer.encode(source)) == source
    assert tokenizer.sentinels[text] not in tokenizer.encode(source)
    # The library by itself reads it as the sentinel, which is why it never sees the sentinels.
    assert tokenizer.sentinels[text] in Bpe.from_str(json.dumps(definition)).encode(source).ids


def test_a_batch_gives_what_each_text_gives(tokenizer: Tokenizer) -> None:
    texts = ["", "def f():\n    pass", "<fim_middle>", "é" * 100]
    assert tokenizer.encode_batch(texts) == [tokenizer.encode(text) for text in texts]


def test_sentinels_among_ids_are_decoded_as_their_text(tokenizer: Tokenizer) -> None:
    head, tail = tokenizer.encode('def print_hello_world():\n    """'), tokenizer.encode('\n    print("Hello world!")')
    prompt = '<fim_prefix>def print_hello_world():\n    """<fim_suffix>\n    print("Hello world!")<fim_middle>'
    assert tokenizer.decode([1, *head, 3, *tail, 2]) == prompt


def test_the_sentinels_of_another_family_are_asked_for(definition: dict[str, Any]) -> None:
    granite = family_named("granite-3")
    with pytest.raises(
        TokenizerError, match=r"lacks <\|end_of_text\|>, expected the sentinels of the family granite-3"
    ):
        Tokenizer(definition, granite)
    changed = copy.deepcopy(definition)
    changed["added_tokens"].append({**changed["added_tokens"][0], "content": granite.end_of_text, "id": 2048})
    assert Tokenizer(changed, granite).end_of_text == 2048


def test_digits_are_encoded_one_by_one(tokenizer: Tokenizer) -> None:
    assert len(tokenizer.encode("1234567890")) == 10


def test_a_code_point_cut_in_two_is_marked(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("\U00010348")
    assert tokenizer.decode(ids[:-1]) == "\ufffd"
    assert tokenizer.decode_bytes(ids[:-1]) == "\U00010348".encode()[:-1]


# Tokenizers that are refused

BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
WORDS = {"type": "Split", "pattern": {"Regex": " "}, "behavior": "Removed", "invert": False}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["normalizer"], {"type": "NFC"}, r"has a normalizer \(NFC\), which changes text"),
        (["normalizer"], {"type": "Sequence", "normalizers": []}, "has a normalizer"),
        (["pre_tokenizer"], None, "pre_tokenizer is None"),
        (["pre_tokenizer"], {"type": "Whitespace"}, "pre_tokenizer is 'Whitespace'"),
        (["pre_tokenizer"], BYTE_LEVEL | {"add_prefix_space": True}, "add_prefix_space"),
        (["pre_tokenizer"], {"type": "Sequence", "pretokenizers": [WORDS, BYTE_LEVEL]}, "removes what it splits at"),
        (["pre_tokenizer"], {"type": "Digits", "individual_digits": True}, "expected a ByteLevel step"),
        (["pre_tokenizer"], {"type": "Sequence", "pretokenizers": [BYTE_LEVEL, BYTE_LEVEL]}, "expected the same bytes"),
        (["model", "type"], "Unigram", "model.type is 'Unigram', expected 'BPE'"),
        (["model", "dropout"], 0.1, "model.dropout is 0.1"),
        (["model", "vocab"], {}, "model.vocab is missing"),
        (["model", "vocab", "Ġ"], "x", "gives 'Ġ' the id 'x'"),
        (["model", "vocab", "Ġ"], 1 << 60, "expected a whole number below"),
        (["model", "vocab", "Ġ"], 2, r"ids \[2\] belong to a sentinel and to a token"),
        (["model", "merges"], [["nope", "nada"]], "not a tokenizer that the tokenizers library reads"),
        (["model", "continuing_subword_prefix"], "##", "model.continuing_subword_prefix is '##', expected none"),
        (["model", "end_of_word_suffix"], "</w>", "model.end_of_word_suffix is '</w>', expected none"),
        (["added_tokens"], [], r"lacks <\|endoftext\|>, <fim_prefix>, <fim_suffix>, <fim_middle>"),
        (["added_tokens", 2, "content"], "<fim-middle>", "lacks <fim_middle>"),
        (["added_tokens", 2, "id"], 3, "one id to several"),
        (["added_tokens", 2, "id"], "2", "gives '<fim_middle>' the id '2'"),
    ],
)
def test_what_may_change_text_is_refused(definition: dict[str, Any], path: list[Any], value: Any, message: str) -> None:
    changed = copy.deepcopy(definition)
    place: Any = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(TokenizerError, match=message):
        Tokenizer(changed)


def test_a_missing_byte_is_refused(definition: dict[str, Any]) -> None:
    changed = copy.deepcopy(definition)
    del changed["model"]["vocab"]["Ċ"]
    changed["model"]["merges"] = [merge for merge in changed["model"]["merges"] if "Ċ" not in "".join(merge)]
    with pytest.raises(TokenizerError, match=r"no token for bytes \[10\]"):
        Tokenizer(changed)


def test_a_sentinel_that_merges_could_make_is_refused(definition: dict[str, Any]) -> None:
    changed = copy.deepcopy(definition)
    word = next(token for token in changed["model"]["vocab"] if token.isalpha() and token.isascii() and len(token) > 3)
    changed["added_tokens"].append(
        {**changed["added_tokens"][0], "content": word, "id": changed["model"]["vocab"][word]}
    )
    with pytest.raises(TokenizerError, match="not a tokenizer that"):
        Tokenizer(changed)


def test_vocabulary_looked_up_whole_cannot_bring_a_sentinel_back(definition: dict[str, Any]) -> None:
    # With ignore_merges the library takes a whole piece of text that is in the vocabulary, merges or not.
    changed = copy.deepcopy(definition)
    changed["model"]["ignore_merges"] = True
    changed["pre_tokenizer"]["pretokenizers"][1]["use_regex"] = False
    made = Tokenizer(changed)
    end_of_text = made.family.end_of_text
    assert made.end_of_text not in made.encode(end_of_text)
    assert made.decode(made.encode(end_of_text)) == end_of_text
