"""Conversations that are dropped, each for its reason, and those that stay."""

from typing import Any

import pyarrow as pa
import pytest

from stackfim.schemas.mixed import CONVERSATION
from stackfim.transforms.filters.contamination import BenchmarkIndex, index_benchmarks
from stackfim.transforms.mix.filters import ChatLimits, filter_conversations

SENTINELS = ("<|endoftext|>", "<empty_output>")
ANSWER = """def running_mean(values, width):
    total, out = sum(values[:width]), []
    for left, right in zip(values, values[width:]):
        out.append(total / width)
        total += right - left
    return out + [total / width]
"""
GOOD: dict[str, Any] = {
    "before": [],
    "instruction": "Write a function that gives the running mean of a list in linear time.",
    "code": "",
    "response": ANSWER,
    "language": "Python",
    "license": "MIT",
}
OTHER = {
    **GOOD,
    "instruction": "Close the connection when the server goes away, and say so in the log.",
    "code": "class Client {\n  void stop() { socket.close(); }\n}\n",
    "response": 'class Client {\n  void stop() { log.info("server is gone"); socket.close(); connected = false; }\n}\n',
}


def rows(*given: dict[str, Any]) -> pa.RecordBatch:
    filled = [
        {**GOOD, **row, "repository": "chats", "path": str(number), "content_id": f"{number:040x}"}
        for number, row in enumerate(given)
    ]
    return pa.RecordBatch.from_pylist(filled, schema=CONVERSATION)


def reasons(*given: dict[str, Any], benchmarks: BenchmarkIndex | None = None) -> list[tuple[str, str]]:
    batch = rows(*given)
    kept, gone = filter_conversations(batch, ChatLimits(), {"mit", "isc"}, SENTINELS, benchmarks)
    assert kept.num_rows + gone.num_rows == batch.num_rows
    assert kept.schema.equals(CONVERSATION)
    return list(zip(gone.column("path").to_pylist(), gone.column("reason").to_pylist(), strict=True))


def test_good_conversations_stay() -> None:
    assert reasons(GOOD, OTHER) == []


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"license": ""}, "no_license"),
        ({"license": "GPL-3.0-only"}, "license_not_allowed"),
        ({"instruction": "Fix it"}, "too_short"),
        ({"response": " x\n"}, "too_short"),
        ({"response": "y = 1\n" * 2_000}, "too_long"),
        ({"code": "y = 1\n" * 2_000}, "too_long"),
        ({"instruction": "Напиши функцию, которая считает среднее"}, "not_english"),
        ({"instruction": "请写一个函数来计算列表的移动平均值,要求线性时间"}, "not_english"),
        (
            {"instruction": "Schreibe eine Funktion, welche den gleitenden Mittelwert einer Liste ohne Schleifen rasch berechnet"},
            "not_english",
        ),
        ({"response": "I'm sorry, but as an AI language model I cannot run code."}, "refusal"),
        ({"response": "Unfortunately, I can't help with that request."}, "refusal"),
        ({"instruction": "Merge branch 'main' into dev"}, "boilerplate"),
        ({"instruction": "Update README.md"}, "boilerplate"),
        ({"instruction": "Initial commit."}, "boilerplate"),
        ({"code": ANSWER, "response": ANSWER}, "boilerplate"),
        ({"response": f"{ANSWER}<|endoftext|>"}, "sentinel_collision"),
        ({"instruction": "What does <empty_output> do in this tokenizer?"}, "sentinel_collision"),
    ],
)  # fmt: skip
def test_a_conversation_with_one_thing_wrong_goes(changed: dict[str, Any], reason: str) -> None:
    assert reasons({**GOOD, **changed}, OTHER) == [("0", reason)]


@pytest.mark.parametrize(
    "changed",
    [
        {"instruction": "Update README.md to name the new option"},
        {"instruction": "Fix bug that made the parser loop at end of file"},
        {"response": "# I cannot be None here\nassert value is not None\nuse(value)\n"},
        {"instruction": "Rename ß to naïve"},
        {"license": "isc"},
    ],
)
def test_what_only_looks_like_it_stays(changed: dict[str, Any]) -> None:
    assert reasons({**GOOD, **changed}) == []


def test_of_copies_and_near_copies_the_first_stays() -> None:
    spaced = {**GOOD, "response": ANSWER.replace("    ", "\t")}
    renamed = {**GOOD, "response": ANSWER + "\nprint(running_mean([1, 2, 3], 2))\n"}
    assert reasons(GOOD, OTHER, spaced, renamed, OTHER) == [
        ("2", "exact_duplicate"), ("3", "near_duplicate"), ("4", "exact_duplicate"),
    ]  # fmt: skip
    # One that is dropped for a reason of its own takes no duplicate with it.
    assert reasons({**GOOD, "license": ""}, GOOD) == [("0", "no_license")]


def test_an_answer_of_a_benchmark_goes() -> None:
    index = index_benchmarks(["bench/1"], [ANSWER])
    assert reasons(GOOD, OTHER, benchmarks=index) == [("0", "benchmark_text")]


def test_a_conversation_of_several_turns_is_judged_by_all_of_them() -> None:
    def before(question: str = "How do I sum a list in Python?", answer: str = "With sum(values).") -> dict[str, Any]:
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        return {"before": turns, "instruction": "And in Go?", "response": "for _, v := range values { total += v }"}

    # A short question belongs to the one before it.
    assert reasons(before()) == []
    assert reasons(before() | {"before": []}) == [("0", "too_short")]
    assert reasons(before(answer="As an AI language model, I cannot.")) == [("0", "refusal")]
    assert reasons(before(question="What does <empty_output> mean to a model?")) == [("0", "sentinel_collision")]
    assert reasons(before(), before()) == [("1", "exact_duplicate")]
    assert reasons({"instruction": "", "response": ""}) == [("0", "no_exchange")]
