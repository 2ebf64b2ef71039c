"""Shingles compared with slow code that reads like their definition, on documents made to break the fast code."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackfim.transforms.dedup.shingles import ShingleSets, concatenate, shingle_sets
from tests.transforms.plain_words import plain_words

GOLDEN, LENGTH = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93
MODULUS = 2**64


def plain_word_hash(word: bytes) -> int:
    value = len(word) * LENGTH % MODULUS
    for start in range(0, len(word), 8):
        value = (value ^ int.from_bytes(word[start : start + 8], "little")) * GOLDEN % MODULUS
        value ^= value >> 32
    return value


def plain_finaliser(value: int) -> int:
    value = (value ^ value >> 33) * 0xFF51AFD7ED558CCD % MODULUS
    value = (value ^ value >> 33) * 0xC4CEB9FE1A85EC53 % MODULUS
    return value ^ value >> 33


def plain_shingles(document: bytes, ngram: int) -> list[int]:
    hashes = [plain_word_hash(word) for word in plain_words(document)]
    places = range(len(hashes) - ngram + 1) if len(hashes) >= ngram else range(min(len(hashes), 1))
    shingles = set()
    for place in places:
        terms = (value * pow(GOLDEN, 2 * i + 1, MODULUS) for i, value in enumerate(hashes[place : place + ngram]))
        shingles.add(plain_finaliser(sum(terms) % MODULUS) >> 32)
    return sorted(shingles)


def as_lists(sets: ShingleSets) -> list[list[int]]:
    return [sets[document].tolist() for document in range(len(sets))]


WORDS = st.sampled_from([b"a", b"b", b"x1", b"self", b"return", b"a_longer_name", "naïveté".encode(), b"\x80", b"0"])
GAPS = st.sampled_from([b" ", b"", b"\n", b"(", b"  \t", b".", b"\x7f", b"\x00", b"@", b"[", b"`", b"{", b"/", b":"])
CODE = st.lists(st.tuples(WORDS, GAPS)).map(lambda parts: b"".join(word + gap for word, gap in parts))
CHINESE = "你好世界。每个人，都《写》代码！𠀀々"
JAPANESE = "これはテスト、です。ｶﾞ「一」ー・"
OTHERS = "ภาษาไทยฯ ພາສາລາວ ភាសាខ្មែរ។ မြန်မာ၊ བོད་"
LATIN = "äßÉñ Привет Ελλ áº€ “a” 한국어 हिन्दी ﻿"
SCRIPT_TEXT = st.text(CHINESE + JAPANESE + OTHERS + LATIN + "ab_1 .", max_size=60).map(str.encode)
CUT_TEXT = st.tuples(SCRIPT_TEXT, st.integers(0, 3)).map(lambda cut: cut[0][cut[1] : len(cut[0]) - cut[1]])
LONG = st.tuples(
    st.sampled_from([b"q", b"\xe4", b"7z", "字".encode(), "a字。".encode(), "é".encode()]), st.integers(1, 700)
).map(lambda run: run[0] * run[1])
DOCUMENTS = st.lists(
    st.one_of(CODE, st.binary(max_size=60), LONG, SCRIPT_TEXT, CUT_TEXT, st.tuples(CODE, LONG, CODE).map(b"".join)),
    max_size=8,
)


@given(DOCUMENTS, st.integers(1, 7), st.sampled_from([256, 512, 1024, 512 * 1024]))
@settings(deadline=None)
def test_shingles_are_those_of_the_definition_whatever_the_block(
    documents: list[bytes], ngram: int, block_bytes: int
) -> None:
    sets = shingle_sets(pa.array(documents, pa.binary()), ngram, block_bytes=block_bytes)
    assert as_lists(sets) == [plain_shingles(document, ngram) for document in documents]
    assert sets.values.dtype == np.uint32
    assert sets.offsets.dtype == np.int64


def test_real_files_agree_with_the_definition(library_sources: list[bytes]) -> None:
    sets = shingle_sets(pa.array(library_sources[:25], pa.binary()))
    assert as_lists(sets) == [plain_shingles(document, 5) for document in library_sources[:25]]


@given(DOCUMENTS, DOCUMENTS)
@settings(deadline=None)
def test_a_document_has_the_same_shingles_in_any_company(first: list[bytes], second: list[bytes]) -> None:
    apart = concatenate([shingle_sets(pa.array(part, pa.binary())) for part in (first, second)])
    together = shingle_sets(pa.array(first + second, pa.binary()))
    assert as_lists(apart) == as_lists(together)


@pytest.mark.parametrize("type_", [pa.binary(), pa.large_binary(), pa.string(), pa.large_string()], ids=str)
@pytest.mark.parametrize("bounds", [(0, 5), (1, 3), (2, 0), (4, 1), (0, 0)])
def test_every_arrow_type_and_slice(type_: pa.DataType, bounds: tuple[int, int]) -> None:
    documents = ["one two three four five six", "", "x", "größe im maß der fünf wörter", "last one of five words"]
    start, length = bounds
    array = pa.array(documents, type_).slice(start, length)
    expected = [plain_shingles(document.encode(), 5) for document in documents[start : start + length]]
    assert as_lists(shingle_sets(array)) == expected


def test_buffers_at_odd_addresses() -> None:
    documents = [b"alpha beta gamma delta epsilon zeta", b"", b"eta theta"]
    offsets = np.cumsum([0, *map(len, documents)]).astype(np.int32).tobytes()
    shifted = [
        pa.py_buffer(memoryview(b"?" * shift + part)[shift:])
        for shift, part in ((1, offsets), (3, b"".join(documents)))
    ]
    array = pa.BinaryArray.from_buffers(pa.binary(), 3, [None, *shifted])
    assert as_lists(shingle_sets(array)) == [plain_shingles(document, 5) for document in documents]


def test_arrays_without_any_byte() -> None:
    assert as_lists(shingle_sets(pa.array([b"", b""]))) == [[], []]
    assert as_lists(shingle_sets(pa.nulls(0, pa.string()))) == []


def test_documents_without_words_have_no_shingles() -> None:
    assert as_lists(shingle_sets(pa.array([b"", b" ", b"{}\n();", b"\x00" * 3000]), block_bytes=256)) == [
        [],
        [],
        [],
        [],
    ]


def test_under_five_words_the_whole_document_is_the_one_shingle() -> None:
    sets = as_lists(shingle_sets(pa.array([b"a", b"a b", b"a b c d", b"b a", b"(a) [b]", b"a b c d e"])))
    assert [len(shingles) for shingles in sets] == [1] * 6
    assert sets[1] == sets[4]
    assert len({shingles[0] for shingles in sets}) == 5


def test_one_word_over_and_over_is_one_shingle() -> None:
    repeated, short = shingle_sets(pa.array([b"pad " * 100_000, b"pad pad"]), block_bytes=4096).sizes
    assert (repeated, short) == (1, 1)


def test_the_order_of_words_matters() -> None:
    forward, backward = as_lists(shingle_sets(pa.array([b"a b c d e", b"e d c b a"])))
    assert forward != backward


def test_words_do_not_run_into_the_next_document() -> None:
    joined = pa.array([b"one two three fo", b"ur", b"", b"five six"])
    assert as_lists(shingle_sets(joined)) == [
        plain_shingles(document, 5) for document in (b"one two three fo", b"ur", b"", b"five six")
    ]


def test_long_runs_differ_when_any_byte_of_them_differs() -> None:
    run = bytearray(b"Q" * 5000)
    other = bytearray(run)
    other[4321] = ord("R")
    first, second = as_lists(shingle_sets(pa.array([bytes(run), bytes(other)]), block_bytes=1024))
    assert first != second


def test_a_file_of_many_blocks(library_sources: list[bytes]) -> None:
    document = b"\n".join(library_sources * 5)
    assert len(document) > 10 * 512 * 1024
    whole = shingle_sets(pa.array([document], pa.large_binary()))
    assert whole[0].tolist() == as_lists(shingle_sets(pa.array([document]), block_bytes=1 << 30))[0]


def test_values_never_change() -> None:
    """Stored fingerprints of one run are compared with those of a later run, perhaps on another machine."""
    sets = shingle_sets(pa.array([b"def add(a, b):\n    return a + b\n", "größer als x".encode()]))
    assert as_lists(sets) == [[2095519550, 3300863017, 3420332534], [4054010129]]


def test_wrong_input_says_what_was_expected() -> None:
    with pytest.raises(TypeError, match="binary, string, large_binary or large_string, got int64"):
        shingle_sets(pa.array([1]))
    with pytest.raises(ValueError, match="1 nulls among 2"):
        shingle_sets(pa.array(["a", None]))
    with pytest.raises(ValueError, match="from 1, got 0"):
        shingle_sets(pa.array(["a"]), 0)
    with pytest.raises(ValueError, match="multiple of 256, got 100"):
        shingle_sets(pa.array(["a"]), block_bytes=100)


def test_take_and_concatenate() -> None:
    sets = shingle_sets(pa.array([b"a b c d e f", b"", b"x", b"one two three four five"]))
    assert as_lists(sets.take([3, 0, 1, 3])) == [as_lists(sets)[document] for document in (3, 0, 1, 3)]
    assert len(sets.take([])) == 0
    assert as_lists(concatenate([sets.take([0]), sets.take([]), sets.take([1, 2, 3])])) == as_lists(sets)
    assert len(concatenate([])) == 0
    with pytest.raises(IndexError, match="from 0 to 3, got 4"):
        sets[4]


SENTENCE = {
    "Chinese": "这个函数读取配置文件，然后检查每一个选项是否有效。如果选项无效，它会返回一个错误信息{}，说明哪里出了问题。",
    "Japanese": "この関数は設定ファイルを読み込み、すべての項目が正しいかどうかを確認します。{}誤りがあれば場所を示します。",
    "Thai": "ฟังก์ชันนี้อ่านไฟล์การตั้งค่าและตรวจสอบว่าทุกตัวเลือกถูกต้องหรือไม่{}หากไม่ถูกต้องจะแสดงข้อผิดพลาด",
    "Lao": "ຟັງຊັນນີ້ອ່ານໄຟລ໌ການຕັ້ງຄ່າແລະກວດສອບວ່າທຸກຕົວເລືອກຖືກຕ້ອງຫຼືບໍ່{}ຖ້າບໍ່ຖືກຕ້ອງຈະສະແດງຂໍ້ຜິດພາດ",
    "Khmer": "មុខងារនេះអានឯកសារកំណត់រចនាសម្ព័ន្ធហើយពិនិត្យមើលថាជម្រើសនីមួយៗត្រឹមត្រូវ{}បើមិនត្រឹមត្រូវវាបង្ហាញកំហុស",
    "Burmese": "ဤလုပ်ဆောင်ချက်သည်ဆက်တင်ဖိုင်ကိုဖတ်ပြီးရွေးချယ်မှုတိုင်းမှန်ကန်ကြောင်းစစ်ဆေးသည်{}မမှန်လျှင်အမှားကိုပြသည်",
    "Tibetan": "བྱེད་ལས་འདིས་སྒྲིག་འགོད་ཡིག་ཆ་ཀློག་ནས་གདམ་ག་རེ་རེ་བཞིན་ཞིབ་བཤེར་བྱེད{}ནོར་འཁྲུལ་ཡོད་ན་སྟོན་པ་ཡིན།",
}


@pytest.mark.parametrize("language", SENTENCE)
def test_texts_without_blanks_are_compared_character_by_character(language: str) -> None:
    letters = [letter for letter in SENTENCE[language] if letter not in "{}，。、"]
    # Twelve paragraphs that differ, and the same with a character put into four of them.
    paragraphs = [SENTENCE[language].format("".join(letters[number : 3 * number + 2])) for number in range(12)]
    changed = [text[:20] + letters[3] + text[20:] if place % 3 == 0 else text for place, text in enumerate(paragraphs)]
    other = "".join(reversed(letters)) * 3
    first, second, third = map(
        set, as_lists(shingle_sets(pa.array(["\n".join(paragraphs), "\n".join(changed), other])))
    )
    assert len(first & second) / len(first | second) > 0.7
    assert len(first & third) / len(first | third) < 0.1


def test_wide_punctuation_separates_words_as_that_of_ascii_does() -> None:
    wide, narrow, none = as_lists(shingle_sets(pa.array(["你好，世界。（再见）", "你好, 世界.(再见)", "你好世界再见"])))
    assert wide == narrow == none


OLD_VALUES = [
    [2003975256, 3299283684, 3354693957],
    [1116972306, 3287613011],
    [1398536403, 4116737814],
    [167939237, 3009311641],
    [1960014492, 2248395419],
    [2165414611, 3255627802, 3731104895, 4162382101],
]


def test_letters_with_blanks_between_words_are_words_as_before() -> None:
    """The values are those of version 0.1, which knew no scripts."""
    texts = ["größer als “x” größer", "Привет мир", "Καλημέρα κόσμε", "한국어 문장", "हिन्दी में", "🙂 ok … —"]
    assert as_lists(shingle_sets(pa.array(texts), 1)) == OLD_VALUES
