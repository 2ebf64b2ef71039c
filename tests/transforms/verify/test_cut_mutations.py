"""Rows that are split at another place are caught, though all fields agree: ids, offsets, lengths, brackets, context.

Only the tree and the text show that such a row is no example. A mutant that happens to be as good an example as the row that
it was made from (one more statement of a run, another token of the line) does not count: mutations are made where they are
wrong.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from stackfim.schemas.source import git_blob_id
from stackfim.transforms.split.examples import example_id
from stackfim.transforms.verify.original import Original
from tests.transforms.verify.cases import Case, Checker

Row = dict[str, Any]

FRESH_LINE = ("blank_line", "block_body", "rest_of_block", "siblings", "compound")
TO_LINE_END = ("token_to_eol", "mid_token", "blank_line")
DASHES = ("Haskell", "Lua", "SQL")
PAIR = "accept_then_stop"
AFTER = ("after_statement", "after_enter")
TO_BLOCK_END = ("block_body", "rest_of_block")
CLOSER = re.compile(rb"[)\]}]|end\b")
BLANKS = b" \t\r\n"


class Mutant(NamedTuple):
    """A row to be caught, and the content beside which it is checked."""

    row: Row
    content: bytes


def sealed(row: Row, **values: Any) -> Row:
    """A row with new values, and the id that belongs to them."""
    new = {**row, **values}
    names = ("content_id", "start_byte", "end_byte", "context_start_byte", "context_end_byte", "kind", "edits")
    identifier = example_id(*(new[name] for name in names))
    # The second half of a pair has the first one's group.
    return {**new, "example_id": identifier, "group_id": new["group_id"] if new["kind"] == PAIR else identifier}


def cut(row: Row, file: Original, start: int, end: int, **values: Any) -> Mutant | None:
    """The row with its middle from `start` to `end`; None where its context does not hold that."""
    first, last, content = row["context_start_byte"], row["context_end_byte"], file.content
    if not first <= start <= end <= last:
        return None
    try:
        prefix, middle, suffix = (
            part.decode() for part in (content[first:start], content[start:end], content[end:last])
        )
    except UnicodeDecodeError:
        return None
    # What was typed at the cursor moves with it; another kind has nothing typed.
    edits = [] if "kind" in values else [{**edit, "offset": start - first} for edit in row["edits"]]
    prefix += "".join(edit["inserted"] for edit in edits)
    return Mutant(
        sealed(
            row,
            edits=edits,
            prefix=prefix,
            middle=middle,
            suffix=suffix,
            start_byte=start,
            end_byte=end,
            lines=sum(1 for line in middle.split("\n") if line.strip()),
            chars=len(middle),
            bracket_delta=file.bracket_balance(start, end)[0],
            **values,
        ),
        content,
    )


def visible(row: Row) -> bytes:
    middle: str = row["middle"]
    return middle.encode().rstrip(BLANKS)


def line_end(content: bytes, offset: int) -> int:
    """End of the line of `offset`, without its line break or trailing blanks."""
    end = content.find(b"\n", offset)
    line = content[offset : len(content) if end < 0 else end]
    return offset + len(line.rstrip(BLANKS))


def next_visible(content: bytes, offset: int) -> int | None:
    """First visible byte of the first line after that of `offset` that has one."""
    found = re.compile(rb"\n[ \t\r\n]*([^ \t\r\n])").search(content, offset)
    return None if found is None else found.start(1)


def end_earlier(row: Row, file: Original) -> Mutant | None:
    if not row["middle"] or row["category"] == "random_span":
        return None
    return cut(row, file, row["start_byte"], row["end_byte"] - 1)


def end_later(row: Row, file: Original) -> Mutant | None:
    """The line break, or a part of it, goes into the middle, and the owner stays the suffix."""
    if row["newline_owner"] != "suffix" or row["category"] == "random_span":
        return None
    return cut(row, file, row["start_byte"], row["end_byte"] + 1)


def line_break_into_middle(row: Row, file: Original) -> Mutant | None:
    """The whole line break goes into the middle with its owner: right for several lines, wrong for one or none."""
    width = 2 if row["suffix"].startswith("\r\n") else 1
    if row["category"] not in ("single_line", "empty") or row["newline_owner"] != "suffix":
        return None
    return cut(row, file, row["start_byte"], row["end_byte"] + width, newline_owner="middle")


def line_break_out_of_middle(row: Row, file: Original) -> Mutant | None:
    if row["newline_owner"] != "middle" or row["category"] == "random_span":
        return None
    return cut(row, file, row["start_byte"], row["start_byte"] + len(visible(row)))


def between_cr_and_lf(row: Row, file: Original) -> Mutant | None:
    if not row["suffix"].startswith("\r\n"):
        return None
    return cut(row, file, row["end_byte"] + 1 if not row["middle"] else row["start_byte"], row["end_byte"] + 1)


def start_inside_token(row: Row, file: Original) -> Mutant | None:
    if row["kind"] in ("mid_token", "random_span") or not re.match(r"[A-Za-z]{2}", row["middle"]):
        return None
    return cut(row, file, row["start_byte"] + 1, row["end_byte"])


def start_inside_token_before(row: Row, file: Original) -> Mutant | None:
    if row["kind"] != "token_to_eol" or not re.search(r"[A-Za-z]{2}$", row["prefix"]):
        return None
    return cut(row, file, row["start_byte"] - 1, row["end_byte"])


def indent_into_middle(row: Row, file: Original) -> Mutant | None:
    if row["kind"] not in FRESH_LINE or not row["prefix"].endswith((" ", "\t")):
        return None
    return cut(row, file, row["start_byte"] - 1, row["end_byte"])


def line_break_before_into_middle(row: Row, file: Original) -> Mutant | None:
    if row["kind"] not in FRESH_LINE or not row["prefix"].endswith("\n"):
        return None
    return cut(row, file, row["start_byte"] - 1, row["end_byte"])


def last_line_lost(row: Row, file: Original) -> Mutant | None:
    if row["kind"] not in TO_BLOCK_END:
        return None
    return cut(
        row,
        file,
        row["start_byte"],
        row["start_byte"] + len(visible(row).rpartition(b"\n")[0].rstrip()),
        newline_owner="suffix",
    )


def closer_lost(row: Row, file: Original) -> Mutant | None:
    """The last line, where it closes what the middle opens."""
    head, _, last = visible(row).rpartition(b"\n")
    if row["category"] != "multi_line" or not CLOSER.match(last.strip()):
        return None
    return cut(row, file, row["start_byte"], row["start_byte"] + len(head.rstrip()), newline_owner="suffix")


def line_after_taken(row: Row, file: Original) -> Mutant | None:
    """The line after a block's end: its closer, or what follows at the dedent."""
    following = next_visible(file.content, row["start_byte"] + len(visible(row)))
    if row["kind"] not in TO_BLOCK_END or following is None:
        return None
    return cut(row, file, row["start_byte"], line_end(file.content, following), newline_owner="suffix")


def first_line_lost(row: Row, file: Original) -> Mutant | None:
    following = next_visible(file.content, row["start_byte"])
    # What an opener without a closer opens may be the body of a block too.
    if row["kind"] != "block_body" or following is None or row["middle"].partition("\n")[0].rstrip().endswith(":"):
        return None
    return cut(row, file, following, row["end_byte"])


def line_before_taken(row: Row, file: Original) -> Mutant | None:
    """The line that opens the block, or the end of what opens it."""
    if row["kind"] != "block_body":
        return None
    before = row["prefix"].rstrip().rpartition("\n")[2]
    start = row["start_byte"] - len(row["prefix"].encode()) + row["prefix"].rstrip().encode().rfind(b"\n") + 1
    start += len(before) - len(before.lstrip())
    opened = file.statement_at(start)
    if opened is not None and len([child for child in file.statements(opened[1]) if file.is_real(child)]) == 1:
        return None  # the one statement of its own block may be as good a body
    return cut(row, file, start, row["end_byte"])


def a_line_further_down(row: Row, file: Original) -> Mutant | None:
    following = next_visible(file.content, row["start_byte"])
    after = next_visible(file.content, row["start_byte"] + len(visible(row)))
    if row["kind"] not in TO_BLOCK_END or following is None or after is None:
        return None
    return cut(row, file, following, line_end(file.content, after), newline_owner="suffix")


def head_lost(row: Row, file: Original) -> Mutant | None:
    """The comment or attribute right above a middle's first statement stays with the prefix."""
    first, _, rest = row["middle"].partition("\n")
    if row["category"] != "multi_line" or not re.match(r"(//[^\n]*|#(?![a-z])[^\n]*|#\[.*\])$", first):
        return None
    if re.match(r"\s*(//|#|/\*|$)", rest.partition("\n")[0]):
        return None
    following = next_visible(file.content, row["start_byte"])
    return None if following is None else cut(row, file, following, row["end_byte"])


def too_many_lines(row: Row, file: Original) -> Mutant | None:
    """To the end of the context: over the caps."""
    if row["category"] != "multi_line" or row["suffix"].count("\n") < 40:
        return None
    text = row["suffix"].rstrip()
    return cut(row, file, row["start_byte"], row["end_byte"] + len(text.encode()), stop_reason="eof")


def end_before_closer(row: Row, file: Original) -> Mutant | None:
    """The closers and the `;` at the end of the line stay after a middle whose kind goes to the end."""
    middle = row["middle"].encode()
    kept = middle.rstrip(b")]};,")
    if row["kind"] not in TO_LINE_END or kept == middle or not kept.strip() or kept.rstrip() != kept:
        return None
    return cut(row, file, row["start_byte"], row["start_byte"] + len(kept))


def statement_and_a_half(row: Row, file: Original) -> Mutant | None:
    """A whole line together with the line below it."""
    following = next_visible(file.content, row["end_byte"])
    if row["kind"] != "blank_line" or following is None:
        return None
    return cut(row, file, row["start_byte"], line_end(file.content, following))


def whole_line_of_no_statement(row: Row, file: Original) -> Mutant | None:
    """The next line that closes a bracket, goes on with a chain or is a comment."""
    found = re.compile(rb"\n[ \t]*([)\]}]+[;,]?|\.\w[^\n\r]*|//[^\n\r]*|# [^\n\r]*)\r?\n").search(
        file.content, row["end_byte"]
    )
    if row["kind"] != "blank_line" or found is None:
        return None
    return cut(row, file, found.start(1), line_end(file.content, found.start(1)))


def comment_as_rest_of_line(row: Row, file: Original) -> Mutant | None:
    sign = rb"# " if row["language"] in ("Python", "Ruby") else rb"//"
    found = re.compile(rb"[;)\w{] +(" + sign + rb"[^\n\r\"']*[^\n\r\"' ])\r?\n").search(file.content, row["end_byte"])
    if row["kind"] != "token_to_eol" or found is None:
        return None
    return cut(row, file, found.start(1), line_end(file.content, found.start(1)))


def silence_in_the_line(row: Row, file: Original) -> Mutant | None:
    at = row["start_byte"] - 1
    return cut(row, file, at, at) if row["kind"] in AFTER else None


def silence_on_the_next_line(row: Row, file: Original) -> Mutant | None:
    at = file.content.find(b"\n", row["start_byte"]) + 1
    return cut(row, file, at, at) if row["kind"] in AFTER and at else None


def silent(row: Row, file: Original, at: int) -> Mutant | None:
    owner = "suffix" if b"\n" in file.content[at:] else "none"
    return cut(row, file, at, at, category="empty", kind="after_statement", stop_reason=None, newline_owner=owner)


def silence_where_a_line_is_wanted(row: Row, file: Original) -> Mutant | None:
    """At the cursor of a row that has something to write, on a fresh line or inside one."""
    return silent(row, file, row["start_byte"]) if row["category"] in ("single_line", "multi_line") else None


def silence_after_a_header(row: Row, file: Original) -> Mutant | None:
    """Where a block is opened, its body to be written."""
    return (
        silent(row, file, row["start_byte"] - len(row["prefix"].encode()) + len(row["prefix"].rstrip().encode()))
        if (row["kind"] == "block_body")
        else None
    )


def silence_after_an_operator(row: Row, file: Original) -> Mutant | None:
    found = re.compile(rb"((?<!\+)[=+,(\[&|]|&&|\|\|)\r?\n").search(file.content, row["end_byte"])
    if found is None or (row["language"] == "Rust" and found[1] == b","):  # the end of an arm
        return None
    return silent(row, file, found.end(1)) if row["category"] == "empty" else None


def silence_after_a_comment(row: Row, file: Original) -> Mutant | None:
    found = re.compile(rb"\n[ \t]*(//[^\n\r]*|# [^\n\r]*[^ \t\n\r])\r?\n").search(file.content, row["end_byte"])
    return None if found is None or row["category"] != "empty" else silent(row, file, found.end(1))


def context_inside_a_line(row: Row, file: Original) -> Mutant | None:
    if not re.match(r"[ -~]{3}", row["prefix"]):
        return None
    start = row["context_start_byte"] + 2
    return Mutant(sealed(row, prefix=row["prefix"][2:], context_start_byte=start), file.content)


def context_ends_inside_a_line(row: Row, file: Original) -> Mutant | None:
    if not re.search(r"\n.*[ -~]{2}\r?\n\Z", row["suffix"]):
        return None
    end = row["context_end_byte"] - 1
    return Mutant(sealed(row, suffix=row["suffix"][:-1], context_end_byte=end), file.content)


def of_another_file(row: Row, file: Original) -> Mutant:
    """The same text with the id of another content."""
    return Mutant(sealed(row, content_id=git_blob_id(file.content + b"\n")), file.content)


def of_another_language(row: Row, file: Original) -> Mutant:
    return Mutant({**row, "language": "Ruby" if row["language"] != "Ruby" else "Go"}, file.content)


def another_kind(row: Row, file: Original) -> Mutant | None:
    """Of the same category; block_body and rest_of_block both go to the block's end, siblings does not."""
    others = {
        "block_body": "rest_of_block",
        "rest_of_block": "siblings",
        "siblings": "block_body",
        "token_to_eol": "blank_line",
        "blank_line": "token_to_eol",
    }
    return Mutant(sealed(row, kind=others[row["kind"]]), file.content) if row["kind"] in others else None


def the_other_kind(row: Row, file: Original) -> Mutant | None:
    others = {"block_body": "siblings", "rest_of_block": "block_body", "siblings": "rest_of_block"}
    return Mutant(sealed(row, kind=others[row["kind"]]), file.content) if row["kind"] in others else None


def changed(
    row: Row, file: Original, at: int, removed: bytes, inserted: bytes, start: int, end: int, **values: Any
) -> Mutant | None:
    """The row of a content in which `removed` at byte `at` is `inserted`, its middle from `start` to `end`."""
    content = file.content[:at] + inserted + file.content[at + len(removed) :]
    new = Original(content, file.language.name, file.parser)
    last = row["context_end_byte"] + len(inserted) - len(removed)
    moved = {**row, "content_id": git_blob_id(content), "context_end_byte": last}
    return cut(moved, new, start, end, **values)


def copy_in_suffix(row: Row, file: Original) -> Mutant | None:
    """A file in which the middle's last line follows once more."""
    last = visible(row).rpartition(b"\n")[2].strip()
    indent = file.indent(row["start_byte"])
    if row["newline_owner"] != "suffix" or len(last.strip(b")]}; \t")) < 8:
        return None
    end = row["end_byte"]
    return changed(row, file, end, b"", b"\n" + indent + last, row["start_byte"], end)


def bracket_missing(row: Row, file: Original) -> Mutant | None:
    """A file in which the middle lacks the closer that it ends with; not in a macro, whose text has no tree."""
    middle = visible(row)
    if row["category"] != "multi_line" or not middle.endswith((b")", b"}", b"]")) or b"#define" in middle:
        return None
    kept = middle[:-1].rstrip()
    at = row["start_byte"] + len(kept)
    return changed(row, file, at, middle[len(kept) :], b"", row["start_byte"], at, newline_owner="suffix")


def remark(row: Row) -> bytes:
    hashes = ("Python", "Ruby", "PHP", "Shell", "Perl", "Julia", "Elixir", "YAML", "R")
    return b"# note" if row["language"] in hashes else b"-- note" if row["language"] in DASHES else b"// note"


def line_too_long(row: Row, file: Original) -> Mutant | None:
    """A file in which the line goes on with a remark that is longer than a line may be."""
    if row["category"] != "single_line":
        return None
    long = b"  " + remark(row) * 40
    return changed(row, file, row["end_byte"], b"", long, row["start_byte"], row["end_byte"] + len(long))


def remark_as_rest_of_line(row: Row, file: Original) -> Mutant | None:
    """A file in which the line ends in a remark, the cursor right before it."""
    # Inside an element it would be text, and some languages have no remarks to the end of the line.
    if row["kind"] != "token_to_eol" or row["language"] in ("TSX", "HTML", "Markdown", "JSON", "CSS"):
        return None
    at, note = row["end_byte"] + 2, remark(row)
    return changed(row, file, row["end_byte"], b"", b"  " + note, at, at + len(note))


def line_further_left(row: Row, file: Original) -> Mutant | None:
    """A file in which the last line of the middle, if it begins a statement of the run, has one blank less before it."""
    head, _, last = visible(row).rpartition(b"\n")
    at = row["start_byte"] + len(head) + 1
    if row["category"] != "multi_line" or not last[:1].isspace() or row["newline_owner"] != "suffix":
        return None
    if (
        last[: -len(last.lstrip())] != file.indent(row["start_byte"])
        or file.statement_at(at + len(last) - len(last.lstrip())) is None
    ):
        return None
    return changed(row, file, at, last[:1], b"", row["start_byte"], row["end_byte"] - 1)


def remark_at_the_end(row: Row, file: Original) -> Mutant | None:
    """A file in which a remark stands alone after a run, and the run ends with it."""
    if row["kind"] != "siblings" or row["newline_owner"] != "suffix" or row["middle"].count("\n") > 25:
        return None
    added = b"\n\n" + file.indent(row["start_byte"]) + remark(row)
    end = row["end_byte"] + len(added)
    return changed(row, file, row["end_byte"], b"", added + b"\n", row["start_byte"], end)


def silence_before_a_value(row: Row, file: Original) -> Mutant | None:
    found = re.compile(rb"\n[ \t]+(return|raise|yield)\r?\n").search(file.content)
    return None if found is None or row["category"] != "empty" else silent(row, file, found.end(1))


def silence_before_a_body(row: Row, file: Original) -> Mutant | None:
    """A file in which the first of two labels follows, which is a statement without a body."""
    if row["kind"] not in AFTER or row["language"] not in ("C", "C++") or row["newline_owner"] != "suffix":
        return None
    label = "\nswitch (a) {\ncase 1:".replace("\n", "\n" + file.indent(row["start_byte"]).decode())
    rest = "\ncase 2:\n    b();\n}".replace("\n", "\n" + file.indent(row["start_byte"]).decode())
    at = row["start_byte"] + len(label)
    return changed(row, file, row["start_byte"], b"", (label + rest).encode(), at, at)


def into_another(row: Row, file: Original, kinds: tuple[str, ...], at: int, end: int | None = None) -> Mutant | None:
    """The row with its cursor, or its middle, elsewhere, and the owner of the line break that goes with it; of `kinds`."""
    end = at if end is None else end
    rest, _, after = file.content[end:].partition(b"\n")
    if file.content[end - 1 : end] == b"\n":
        owner = "middle"
    else:
        owner = "suffix" if not rest.strip() and len(rest) + len(after) < len(file.content) - end else "none"
    return cut(row, file, at, end, newline_owner=owner) if row["kind"] in kinds else None


def word_from_its_edge(row: Row, file: Original) -> Mutant | None:
    """`mid_token` at the beginning of its word."""
    word = re.search(rb"[\w$@.]+\Z", file.content[: row["start_byte"]])
    return None if word is None else into_another(row, file, ("mid_token",), word.start(), row["end_byte"])


def word_of_a_remark(row: Row, file: Original) -> Mutant | None:
    sign = rb"# " if row["language"] in ("Python", "Ruby") else rb"// "
    found = re.compile(rb"\n[ \t]*" + sign + rb"[a-z]{2}([a-z][^\n\r]*[^ \t\n\r])\r?\n").search(file.content)
    return None if found is None else into_another(row, file, ("mid_token",), found.start(1), found.end(1))


def closer_taken(row: Row, file: Original) -> Mutant | None:
    """`before_closers` with the first closer, which closes what stands left of the cursor."""
    closer = re.match(rb"[ \t]*[)\]}]", file.content[row["end_byte"] :])
    if closer is None:
        return None
    return into_another(row, file, ("before_closers",), row["start_byte"], row["end_byte"] + closer.end())


def semicolon_as_only_closer(row: Row, file: Original) -> Mutant | None:
    """`before_closers` with only the semicolon left."""
    rest = file.content[row["end_byte"] : line_end(file.content, row["end_byte"])]
    if not rest.endswith(b";") or len(rest) < 2:
        return None
    return into_another(row, file, ("before_closers",), row["start_byte"], row["end_byte"] + len(rest) - 1)


def node_and_more(row: Row, file: Original) -> Mutant | None:
    """`inner_node` with the operator, separator or closer after it."""
    more = re.match(rb"[ \t]*[,)\]=+;]", file.content[row["end_byte"] :])
    if more is None:
        return None
    return into_another(row, file, ("inner_node",), row["start_byte"], row["end_byte"] + more.end())


def node_to_line_end(row: Row, file: Original) -> Mutant | None:
    end = line_end(file.content, row["end_byte"])
    return into_another(row, file, ("inner_node",), row["start_byte"], end)


def typing(row: Row, inserted: str) -> Row | None:
    """The row with another recorded insertion at its cursor; None for other kinds."""
    if row["kind"] != "after_enter":
        return None
    edit = row["edits"][0]
    prefix = row["prefix"].removesuffix(edit["inserted"]) + inserted
    return sealed(row, prefix=prefix, edits=[{**edit, "inserted": inserted}])


def typed_deeper(row: Row, file: Original) -> Mutant | None:
    """The fresh line is deeper than the statement before it."""
    mutant = typing(row, row["edits"][0]["inserted"] + "    ") if row["edits"] else None
    return None if mutant is None else Mutant(mutant, file.content)


def typed_code(row: Row, file: Original) -> Mutant | None:
    mutant = typing(row, "x")
    return None if mutant is None else Mutant(mutant, file.content)


def typed_nothing(row: Row, file: Original) -> Mutant | None:
    mutant = typing(row, "")
    return None if mutant is None else Mutant(sealed(row, prefix=mutant["prefix"], edits=[]), file.content)


def typed_where_more_follows(row: Row, file: Original) -> Mutant | None:
    """The enter key after a statement that is followed by another one of the same indent."""
    at = row["start_byte"]
    below = re.match(rb"\r?\n([ \t]*)[\w]", file.content[at:])
    if row["kind"] != "after_statement" or below is None or below[1] != file.indent(at):
        return None
    edit = {"side": "prefix", "kind": "after_enter", "offset": at - row["context_start_byte"], "removed": ""}
    inserted = file.content[at : at + below.start(1)].decode() + below[1].decode()
    mutant = sealed(row, kind="after_enter", prefix=row["prefix"] + inserted, edits=[{**edit, "inserted": inserted}])
    return Mutant(mutant, file.content)


def text_from_a_word(row: Row, file: Original) -> Mutant | None:
    """`inside_text` two letters back: inside a word."""
    at = row["start_byte"] - 1
    return into_another(row, file, ("inside_text",), at) if file.content[at - 1 : at + 1].isalnum() else None


def text_that_is_code(row: Row, file: Original) -> Mutant | None:
    """`inside_text` between two words of code."""
    found = re.compile(rb"\n[ \t]*(?:return|const|final|public|static|var|let|def|func) (?=\w)").search(file.content)
    return None if found is None else into_another(row, file, ("inside_text",), found.end() - 1)


def after_the_closer(row: Row, file: Original) -> Mutant | None:
    """`closed_pair` right of the closer, where none follows."""
    after = re.match(rb"[ \t]*[)\]}](?![ \t]*[)\]}])", file.content[row["start_byte"] :])
    return None if after is None else into_another(row, file, ("closed_pair",), row["start_byte"] + after.end())


def inside_the_last_token(row: Row, file: Original) -> Mutant | None:
    at = row["start_byte"] - 1
    return into_another(row, file, ("closed_pair",), at) if file.content[at - 1 : at + 1].isalnum() else None


def pair_before_more(row: Row, file: Original) -> Mutant | None:
    """`closed_pair` after a comma of the list."""
    found = re.compile(rb"\w, \w+\)").search(file.content, row["start_byte"])
    return None if found is None else into_another(row, file, ("closed_pair",), found.start() + 2)


def stop_after_an_opener(row: Row, file: Original) -> Mutant | None:
    """`accept_then_stop` after what asks for more: an opener, a comma, an operator."""
    found = re.compile(rb"\w[\w ]*( = |\(|, )\w[^\n\"'`#/]*\r?\n").search(file.content, row["start_byte"])
    if found is None or row["kind"] != PAIR:
        return None
    end = found.start(1) + len(found[1].rstrip())
    around = file.ancestors(end - 1, end)
    if around[0].is_named:
        return None  # in a remark or a string
    return cut(row, file, end, end, newline_owner="none")


def stop_inside_a_word(row: Row, file: Original) -> Mutant | None:
    found = re.compile(rb"\n[ \t]*(?:return|const|final|public|static|let) \w\w").search(
        file.content, row["start_byte"]
    )
    if found is None or row["kind"] != PAIR:
        return None
    return cut(row, file, found.end() - 1, found.end() - 1, newline_owner="none")


def gap_inside_a_definition(row: Row, file: Original) -> Mutant | None:
    """`between_definitions` on a blank line between two simple statements."""
    found = re.compile(rb"\n[ \t]+\w[^\n]*\r?\n(\r?\n)[ \t]+\w[\w.]* = ").search(file.content)
    if found is None or row["kind"] not in ("between_definitions", *AFTER):
        return None
    return cut(row, file, found.start(1), found.start(1), kind="between_definitions", newline_owner="suffix")


def gap_on_a_line(row: Row, file: Original) -> Mutant | None:
    """`between_definitions` at the beginning of the next line that has something."""
    at = next_visible(file.content, row["start_byte"])
    if at is None or row["kind"] not in ("between_definitions", *AFTER):
        return None
    return cut(row, file, at, at, kind="between_definitions", newline_owner="none")


def compound_and_more(row: Row, file: Original) -> Mutant | None:
    """`compound` with the statement after it."""
    following = next_visible(file.content, row["start_byte"] + len(visible(row)))
    found = None if following is None else file.statement_at(following)
    if following is None or found is None or row["kind"] != "compound" or row["middle"].count("\n") > 24:
        return None
    return cut(row, file, row["start_byte"], line_end(file.content, following), newline_owner="suffix")


def compound_without_its_block(row: Row, file: Original) -> Mutant | None:
    first = row["middle"].partition("\n")[0].rstrip()
    end = row["start_byte"] + len(first.encode())
    return into_another(row, file, ("compound", "line_and_block"), row["start_byte"], end)


def line_and_block_from_its_start(row: Row, file: Original) -> Mutant | None:
    at = file.line_bounds(row["start_byte"])[0] + len(file.indent(row["start_byte"]))
    return into_another(row, file, ("line_and_block",), at, row["end_byte"])


def line_and_block_in_brackets(row: Row, file: Original) -> Mutant | None:
    """From inside the brackets of its line: the middle closes what it did not open."""
    opened = re.match(r"[^\n\"'`]*?\((?=\w)", row["middle"])
    if opened is None:
        return None
    start = row["start_byte"] + len(opened[0].encode())
    return into_another(row, file, ("line_and_block",), start, row["end_byte"])


def block_cut_short(row: Row, file: Original) -> Mutant | None:
    """The middle of `compound` or `line_and_block` without its last line."""
    if row["kind"] not in ("compound", "line_and_block"):
        return None
    kept = visible(row).rpartition(b"\n")[0].rstrip()
    return cut(row, file, row["start_byte"], row["start_byte"] + len(kept), newline_owner="suffix")


def span_over_the_cap(row: Row, file: Original) -> Mutant | None:
    if row["category"] != "random_span" or len(file.content) - row["start_byte"] < 4_000:
        return None
    return cut(row, file, row["start_byte"], row["context_end_byte"])


def span_of_another_category(row: Row, file: Original) -> Mutant | None:
    """A span that cuts a word, labelled as the rest of a line."""
    if row["category"] != "random_span" or not re.search(r"\w\Z", row["prefix"]) or not re.match(r"\w", row["middle"]):
        return None
    return Mutant(sealed(row, category="single_line", kind="token_to_eol"), file.content)


MUTATIONS: dict[str, tuple[Callable[[Row, Original], Mutant | None], set[str]]] = {
    "end_earlier": (end_earlier, {"kind", "newline_owner", "middle", "balance"}),
    "end_later": (end_later, {"middle", "cut"}),
    "line_break_into_middle": (line_break_into_middle, {"middle"}),
    "line_break_out_of_middle": (line_break_out_of_middle, {"newline_owner"}),
    "between_cr_and_lf": (between_cr_and_lf, {"cut"}),
    "start_inside_token": (start_inside_token, {"kind"}),
    "start_inside_token_before": (start_inside_token_before, {"kind"}),
    "indent_into_middle": (indent_into_middle, {"middle"}),
    "line_break_before_into_middle": (line_break_before_into_middle, {"middle"}),
    "last_line_lost": (last_line_lost, {"kind", "middle", "stop_reason"}),
    "closer_lost": (closer_lost, {"kind", "balance", "middle"}),
    "line_after_taken": (line_after_taken, {"kind", "balance", "labels"}),
    "first_line_lost": (first_line_lost, {"kind", "balance", "middle", "whole_tokens"}),
    "line_before_taken": (line_before_taken, {"kind", "balance", "labels"}),
    "a_line_further_down": (a_line_further_down, {"kind", "balance", "middle", "labels"}),
    "head_lost": (head_lost, {"kind", "middle"}),
    "too_many_lines": (too_many_lines, {"labels"}),
    "end_before_closer": (end_before_closer, {"newline_owner"}),
    "statement_and_a_half": (statement_and_a_half, {"middle"}),
    "whole_line_of_no_statement": (whole_line_of_no_statement, {"kind", "free_copy"}),
    "comment_as_rest_of_line": (comment_as_rest_of_line, {"kind", "free_copy"}),
    "silence_in_the_line": (silence_in_the_line, {"newline_owner"}),
    "silence_on_the_next_line": (silence_on_the_next_line, {"silence", "newline_owner"}),
    "silence_where_a_line_is_wanted": (silence_where_a_line_is_wanted, {"newline_owner"}),
    "silence_after_a_header": (silence_after_a_header, {"silence"}),
    "silence_after_an_operator": (silence_after_an_operator, {"silence"}),
    "silence_after_a_comment": (silence_after_a_comment, {"silence", "whole_tokens"}),
    "context_inside_a_line": (context_inside_a_line, {"undo"}),
    "context_ends_inside_a_line": (context_ends_inside_a_line, {"undo"}),
    "of_another_file": (of_another_file, {"content_id"}),
    "of_another_language": (
        of_another_language,
        {"kind", "names", "silence", "balance", "stop_reason", "neutral_hole", "whole_tokens"},
    ),
    "another_kind": (another_kind, {"kind"}),
    "the_other_kind": (the_other_kind, {"kind"}),
    "copy_in_suffix": (copy_in_suffix, {"free_copy"}),
    "bracket_missing": (bracket_missing, {"kind", "balance"}),
    "line_too_long": (line_too_long, {"kind"}),
    "remark_as_rest_of_line": (remark_as_rest_of_line, {"kind"}),
    "line_further_left": (line_further_left, {"kind"}),
    "remark_at_the_end": (remark_at_the_end, {"kind"}),
    "silence_before_a_value": (silence_before_a_value, {"silence"}),
    "silence_before_a_body": (silence_before_a_body, {"silence"}),
    "word_from_its_edge": (word_from_its_edge, {"kind"}),
    "word_of_a_remark": (word_of_a_remark, {"kind", "free_copy"}),
    "closer_taken": (closer_taken, {"kind", "balance"}),
    "semicolon_as_only_closer": (semicolon_as_only_closer, {"kind", "balance"}),
    "node_and_more": (node_and_more, {"kind", "balance"}),
    "node_to_line_end": (node_to_line_end, {"kind", "balance"}),
    "typed_deeper": (typed_deeper, {"silence", "typed"}),
    "typed_code": (typed_code, {"typed"}),
    "typed_nothing": (typed_nothing, {"typed"}),
    "typed_where_more_follows": (typed_where_more_follows, {"silence"}),
    "text_from_a_word": (text_from_a_word, {"silence"}),
    "text_that_is_code": (text_that_is_code, {"silence"}),
    "after_the_closer": (after_the_closer, {"silence", "newline_owner"}),
    "inside_the_last_token": (inside_the_last_token, {"silence"}),
    "pair_before_more": (pair_before_more, {"silence"}),
    "stop_after_an_opener": (stop_after_an_opener, {"silence"}),
    "stop_inside_a_word": (stop_inside_a_word, {"silence"}),
    "gap_inside_a_definition": (gap_inside_a_definition, {"silence"}),
    "gap_on_a_line": (gap_on_a_line, {"silence", "newline_owner"}),
    "compound_and_more": (compound_and_more, {"kind", "balance"}),
    "compound_without_its_block": (compound_without_its_block, {"middle", "newline_owner"}),
    "line_and_block_from_its_start": (line_and_block_from_its_start, {"kind"}),
    "line_and_block_in_brackets": (line_and_block_in_brackets, {"balance"}),
    "block_cut_short": (block_cut_short, {"kind", "balance", "middle", "stop_reason"}),
    "span_over_the_cap": (span_over_the_cap, {"labels"}),
    "span_of_another_category": (span_of_another_category, {"kind", "middle", "newline_owner"}),
}


@pytest.fixture(scope="module")
def mutants(good: list[Case], checker: Checker) -> dict[str, list[tuple[Row, set[str]]]]:
    """For each mutation the rows that it spoiled and the invariants that the mutants break."""
    found: dict[str, list[tuple[Row, set[str]]]] = {name: [] for name in MUTATIONS}
    for case in good:
        file = checker.original(case.row["language"], case.content)
        assert file is not None
        for name, (mutate, _) in MUTATIONS.items():
            mutant = mutate(case.row, file)
            if mutant is not None:
                broken = {violation.invariant for violation in checker.violations(*mutant)}
                found[name].append((mutant.row, broken))
    return found


@pytest.mark.parametrize("name", MUTATIONS)
def test_rows_split_elsewhere_are_caught(mutants: dict[str, list[tuple[Row, set[str]]]], name: str) -> None:
    expected = MUTATIONS[name][1]
    caught = [bool(broken & expected) for _, broken in mutants[name]]
    missed = [
        (row["language"], row["kind"], row["prefix"][-60:], row["middle"], row["suffix"][:60], broken)
        for row, broken in mutants[name]
        if not broken & expected
    ]
    assert len(caught) >= 5
    assert sum(caught) / len(caught) >= 0.99, missed[:5]


def test_of_all_mutants_at_least_99_percent_are_caught(mutants: dict[str, list[tuple[Row, set[str]]]]) -> None:
    caught = [bool(broken) for of_a_kind in mutants.values() for _, broken in of_a_kind]
    assert len(caught) > 4_000
    assert sum(caught) / len(caught) >= 0.99
