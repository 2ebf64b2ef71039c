"""Redaction: what is replaced, by what, and that every other byte stays."""

import random
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackfim.schemas.source import ROW, git_blob_id
from stackfim.transforms.filters.redaction import apply_replacements, find_all, redact

AT = "@"


def token(seed: int) -> str:
    draw = random.Random(seed)
    return "shp" + "at_" + "".join(draw.choice("0123456789abcdef") for _ in range(32))


def personal(seed: int) -> str:
    draw = random.Random(seed)
    return draw.choice(
        [f"ada{seed}{AT}initech.io", f"151.101.{seed % 200 + 1}.69", f"2a04:4e42:c00::{seed % 999 + 1:x}", token(seed)]
    )


def contents(rows: pa.RecordBatch) -> list[bytes]:
    return list(rows.column("content").to_pylist())


def test_the_same_value_gets_the_same_replacement_numbered_as_they_come(rows_of: Callable[..., pa.RecordBatch]) -> None:
    text = f"{token(1)} {token(2)} {token(1)} b{AT}initech.io A{AT}initech.io B{AT}INITECH.io 151.101.1.69 2a04:4e42:c00::347\n"
    done = redact(rows_of([("Python", text.encode()), ("Python", token(2).encode())]))
    assert contents(done.rows) == [
        b"REDACTED_SHOPIFY_TOKEN_1 REDACTED_SHOPIFY_TOKEN_2 REDACTED_SHOPIFY_TOKEN_1 user1@example.com user2@example.com "
        b"user1@example.com 192.0.2.1 2001:db8::1\n",
        b"REDACTED_SHOPIFY_TOKEN_1",
    ]
    assert done.counts == {0: {"email": 3, "ipv4": 1, "ipv6": 1, "shopify_token": 3}, 1: {"shopify_token": 1}}


def test_a_replacement_that_the_file_has_already_is_not_used(rows_of: Callable[..., pa.RecordBatch]) -> None:
    text = f"user1@example.com ada{AT}initech.io 192.0.2.1 151.101.1.69"
    done = redact(rows_of([("Python", text.encode())]))
    assert contents(done.rows) == [b"user1@example.com user2@example.com 192.0.2.1 192.0.2.2"]


def test_only_the_password_of_a_url_is_replaced_and_the_rest_is_no_address(
    rows_of: Callable[..., pa.RecordBatch],
) -> None:
    text = b"git clone https://deploy:" + b"zP9qLm2vXe" + b"@git.initech.io/a.git"
    assert contents(redact(rows_of([("Shell", text)])).rows) == [
        b"git clone https://deploy:REDACTED_URL_PASSWORD_1@git.initech.io/a.git"
    ]


def test_a_private_key_in_source_code_leaves_the_source_as_it_was_around_it(
    rows_of: Callable[..., pa.RecordBatch],
) -> None:
    draw = random.Random(5)
    body = ["".join(draw.choice("ABCDEFGHIJKLMNOPabcdefghijklmnop0123456789+/") for _ in range(64)) for _ in range(4)]
    dashes = "-" * 5
    lines = [f"{dashes}BEGIN PRIVATE KEY{dashes}", *body, f"{dashes}END PRIVATE KEY{dashes}"]
    text = "String KEY =\n" + " +\n".join(f'    "{line}\\n"' for line in lines) + ";\n"
    done = contents(redact(rows_of([("Java", text.encode())])).rows)[0].decode()
    for number, line in enumerate(body):
        text = text.replace(line, f"REDACTED_PRIVATE_KEY_{number + 1}")
    assert done == text


def test_source_id_is_that_of_the_bytes_read_and_content_id_of_the_new_content(
    rows_of: Callable[..., pa.RecordBatch],
) -> None:
    rows = rows_of([("Python", b"x = 1\n"), ("Python", f"# {token(3)}\n".encode())])
    done = redact(rows).rows
    assert done.schema.equals(ROW)
    assert done.column("source_id").equals(rows.column("source_id"))
    assert done.column("content_id").to_pylist() == [git_blob_id(content) for content in contents(done)]
    assert done.column("content_id")[0] == rows.column("content_id")[0]
    assert done.column("content_id")[1] != rows.column("content_id")[1]


def test_secrets_and_personal_data_are_replaced_only_in_that_mode(rows_of: Callable[..., pa.RecordBatch]) -> None:
    rows = rows_of([("Python", f"{token(4)} ada{AT}initech.io".encode())])
    both = {kind for finding in find_all(rows.column("content")) for kind in [finding.kind]}
    assert both == {"shopify_token", "email"}
    assert redact(rows, secrets="keep").counts == {0: {"email": 1}}
    assert redact(rows, personal_data="drop").counts == {0: {"shopify_token": 1}}
    assert redact(rows, secrets="keep", personal_data="keep").rows.equals(rows)
    with pytest.raises(ValueError, match="'mask'"):
        redact(rows, secrets="mask")
    with pytest.raises(ValueError, match="'mask'"):
        redact(rows, personal_data="mask")


@given(st.data())
def test_replacements_account_for_every_byte_and_a_second_redaction_changes_nothing(
    rows_of: Callable[..., pa.RecordBatch], text_columns: st.SearchStrategy[pa.Array], data: st.DataObject
) -> None:
    files = []
    for content in data.draw(text_columns).to_pylist():
        parts = [personal(seed) for seed in data.draw(st.lists(st.integers(0, 20), max_size=5))]
        separator = data.draw(st.sampled_from([" ", "\n", '" + "', ", ", " é "]))
        files.append(content + separator.join(["", *parts, ""]).encode())
    rows = rows_of([("Python", content) for content in files])
    done = redact(rows)
    assert redact(rows).rows.equals(done.rows)
    for row, (before, after) in enumerate(zip(files, contents(done.rows), strict=True)):
        changes = done.replacements.get(row, [])
        after.decode("utf-8")
        assert apply_replacements(before, changes) == after
        ends = [0, *(change.offset + change.removed for change in changes)]
        assert all(end <= change.offset for end, change in zip(ends, changes, strict=False))
        # Undone with what was removed, the file is as it was.
        position, restored = 0, after
        for change in changes:
            start = change.offset + position
            assert restored[start : start + len(change.inserted)] == change.inserted
            removed = before[change.offset : change.offset + change.removed]
            restored = restored[:start] + removed + restored[start + len(change.inserted) :]
        assert restored == before
        by_value: dict[bytes, set[bytes]] = {}
        for change in changes:
            by_value.setdefault(before[change.offset : change.offset + change.removed], set()).add(change.inserted)
        assert all(len(inserted) == 1 for inserted in by_value.values())
        assert sum(done.counts.get(row, {}).values()) == len(changes)
    again = redact(done.rows)
    assert again.replacements == {}
    assert again.rows.equals(done.rows)


def test_thousands_of_addresses_in_one_file_all_get_different_ones(rows_of: Callable[..., pa.RecordBatch]) -> None:
    addresses = [f"151.101.{high}.{low}" for high in range(1, 9) for low in range(1, 255)]
    done = redact(rows_of([("Python", "\n".join(addresses).encode())]))
    values = contents(done.rows)[0].split(b"\n")
    assert len(set(values)) == len(addresses)
    assert redact(done.rows).replacements == {}
