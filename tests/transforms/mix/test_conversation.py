"""Published formats of instruction data, and the templates that they are rendered with."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stackfim.model.prompt import chat_ids
from stackfim.schemas.mixed import CONVERSATION
from stackfim.transforms.mix.conversation import conversations, instruction_columns, query_of
from stackfim.transforms.mix.template import TemplateRefuses, family_chat, tokenizer_chat
from stackfim.transforms.mix.turns import Turn
from stackfim.transforms.render.families import family_named


def batch(**columns: list[Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


def test_a_commit_asks_by_its_subject_for_a_change_to_the_old_contents() -> None:
    rows = batch(
        commit=["1"], old_file=["a.py"], new_file=["a.py"], old_contents=["x = 1\n"], new_contents=["x = 2\n"],
        subject=["Set x to two"], message=["Set x to two\n\nSigned-off-by: me"], lang=["Python"], license=["mit"],
        repos=["a/b"],
    )  # fmt: skip
    found = conversations(rows, "commits", 7)
    assert found.schema.equals(CONVERSATION)
    (row,) = found.to_pylist()
    assert (row["instruction"], row["code"], row["response"]) == ("Set x to two", "x = 1\n", "x = 2\n")
    assert (row["license"], row["language"], row["path"], row["repository"]) == ("mit", "Python", "7", "commits")
    assert query_of(row["instruction"], row["code"]) == "Set x to two\n\nx = 1\n"
    assert len(row["content_id"]) == 40


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["prompt", "response", "x"], ("prompt", "response")),
        (["instruction", "input", "output"], ("instruction", "output")),
        (["id", "question", "answer"], ("question", "answer")),
        (["old_contents", "new_contents", "subject", "message", "license"], ("message", "new_contents")),
        (["old_contents", "new_contents", "subject"], None),
        (["text"], None),
    ],
)
def test_a_format_is_known_by_its_columns(names: list[str], wanted: tuple[str, str] | None) -> None:
    assert instruction_columns(names) == wanted


def test_pairs_take_an_input_along_and_the_license_of_the_whole() -> None:
    rows = batch(instruction=["Sort it", None], input=["[3, 1]", ""], output=["[1, 3]", "b"], license=[None, "isc"])
    found = conversations(rows, "pairs", 0, "apache-2.0").to_pylist()
    assert [row["instruction"] for row in found] == ["Sort it\n\n[3, 1]", ""]
    assert [row["license"] for row in found] == ["apache-2.0", "isc"]
    assert query_of("Why?", " \n") == "Why?"
    with pytest.raises(ValueError, match="columns are text"):
        conversations(batch(text=["x"]), "texts", 0)


def test_turns_are_read_from_messages_and_from_sharegpt() -> None:
    turns = [("user", "Sort it"), ("assistant", "sorted(x)"), ("user", "Backwards"), ("assistant", "sorted(x)[::-1]")]
    messages = [{"role": role, "content": text} for role, text in turns]
    names = {"user": "human", "assistant": "gpt"}
    shared = [{"from": names[role], "value": text} for role, text in turns]
    found = [
        conversations(batch(**{column: [value, []]}, license=["mit", None]), "chats", 0).to_pylist()
        for column, value in (("messages", messages), ("conversations", shared), ("messages", json.dumps(messages)))
        if isinstance(value, list)
    ]
    assert found[0] == found[1]
    row, empty = found[0]
    assert row["before"] == messages[:2]
    assert (row["instruction"], row["code"], row["response"]) == ("Backwards", "", "sorted(x)[::-1]")
    assert (empty["instruction"], empty["response"]) == ("", "")
    # Which conversation it is depends on what came before, too.
    alone = conversations(batch(messages=[messages[2:]], license=["mit"]), "chats", 0).to_pylist()
    assert alone[0]["content_id"] != row["content_id"]


def refact_chat(before: tuple[Turn, ...], query: str, response: str) -> tuple[str, str]:
    chat = family_named("refact").chat
    assert chat is not None
    return family_chat(chat)(before, query, response)


EARLIER = (Turn("system", "Be brief."), Turn("user", "Hi"), Turn("assistant", "Hello"))


def test_refacts_template_holds_earlier_turns() -> None:
    prompt, completion = refact_chat(EARLIER, "Bye", "So long")
    assert prompt == (
        "<empty_output>SYSTEM Be brief.\n<empty_output>USER Hi\n<empty_output>ASSISTANT Hello\n"
        "<empty_output>USER Bye\n<empty_output>ASSISTANT"
    )
    assert completion == " So long<|endoftext|>"


def test_refacts_template_is_the_one_that_the_model_is_asked_with(checkpoint: Path) -> None:
    from stackfim.model.tokenizer import Tokenizer

    tokenizer = Tokenizer.from_file(checkpoint / "tokenizer.json")
    prompt, completion = refact_chat((), "Why is the sky blue?\n\ncode()", "Because.")
    assert tokenizer.decode(chat_ids(tokenizer, "Why is the sky blue?\n\ncode()")) == prompt
    assert completion == " Because.<|endoftext|>"


CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def test_a_tokenizers_own_template_is_used_where_it_is_given() -> None:
    for template in (CHATML, [{"name": "tool", "template": "x"}, {"name": "default", "template": CHATML}]):
        render = tokenizer_chat(json.dumps({"chat_template": template, "eos_token": {"content": "</s>"}}))
        prompt, completion = render((), "Hi {{ 1 }}", "Yo")
        assert prompt == "<|im_start|>user\nHi {{ 1 }}<|im_end|>\n<|im_start|>assistant\n"
        assert completion == "Yo<|im_end|>\n"


def test_a_tokenizers_template_holds_earlier_turns_or_refuses() -> None:
    render = tokenizer_chat(json.dumps({"chat_template": CHATML}))
    prompt, completion = render(EARLIER, "Bye", "So long")
    assert prompt.startswith("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n")
    assert (prompt.count("<|im_start|>"), completion) == (5, "So long<|im_end|>\n")
    no_system = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    render = tokenizer_chat(json.dumps({"chat_template": no_system + CHATML}))
    assert render(EARLIER[1:], "Bye", "So long")[1] == completion
    with pytest.raises(TemplateRefuses, match="System role not supported"):
        render(EARLIER, "Bye", "So long")


def test_the_begin_token_that_the_tokenizer_puts_first_is_not_in_the_prompt() -> None:
    config = json.dumps({"chat_template": "{{ bos_token }}" + CHATML, "bos_token": "<s>"})
    assert tokenizer_chat(config, ("<s>",))((), "Hi", "Yo")[0].startswith("<|im_start|>user")
    assert tokenizer_chat(config)((), "Hi", "Yo")[0].startswith("<s><|im_start|>user")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "no chat_template"),
        ({"chat_template": "{{ messages[0]['content'] }}!"}, "does not put an answer"),
        ({"chat_template": "{{ raise_exception('no user') }}"}, "refuses: no user"),
        ({"chat_template": "{% for %}"}, "cannot be read"),
        ({"chat_template": "{{ messages[0].x.y }}"}, "fails"),
    ],
)
def test_a_template_that_cannot_be_used_is_told(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tokenizer_chat(json.dumps(values))
