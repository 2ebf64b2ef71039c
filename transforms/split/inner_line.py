"""Sites inside a line: from inside a word, up to the closers that an editor typed, or one node of an expression."""

import re

import tree_sitter

from stackfim.schemas.example import SINGLE_LINE
from stackfim.transforms.draws import Draws
from stackfim.transforms.languages import BRACKETS, CLOSING_WORDS
from stackfim.transforms.split.multi_line_limits import MultiLineLimits
from stackfim.transforms.split.nodes import CLOSING_BRACKETS, is_comment
from stackfim.transforms.split.single_line import COMMENT_SHARE, code_leaves, statement_type, thin_out
from stackfim.transforms.split.site import NO_NEWLINE, Kind, Refused, Site, newline_after
from stackfim.transforms.split.syntax import ParsedFile

MIN_REST_BYTES = 2
"""Fewest bytes of a middle that begins inside a word: one letter is hardly a completion."""

_WORD = re.compile(r"[^\W\d][\w$]*|[$@]+\w+|\d[\w.]*")
_QUOTES = ("'", '"', "`", "string_start", "string_end")
_CLOSER_BYTES = b")]};\"'` \t"
_LAST_BYTES = frozenset(_CLOSER_BYTES)
# Fields of nodes that hold an operand or a value, as grammars name them.
_OPERAND_FIELDS = frozenset(
    {"left", "right", "value", "condition", "argument", "operand", "index", "subscript"}
    | {"consequence", "alternative", "return_type"}
)
# Kinds of nodes whose named children are all operands; Python's comparisons give theirs no fields.
_OPERAND_LISTS = ("parenthesized_expression", "parenthesized_statements", "comparison_operator")


def mid_token(file: ParsedFile, line: int, draws: Draws, _limits: MultiLineLimits) -> Site:
    """From inside an identifier, keyword or number, after its first character at least, to the line's last visible character.

    Raises Refused for lines without such a word, and where `token_to_eol` does.
    """
    leaves = code_leaves(file, line)
    if not leaves:
        raise Refused("no_word")
    end = file.lines.last_visible(line)
    if file.in_multi_line_token(file.path(end - 1), end):
        raise Refused("inside_multi_line_token")
    if is_comment(leaves[-1]) and draws.uniform() >= COMMENT_SHARE:
        raise Refused("ends_in_comment")
    words = [leaf for leaf in leaves if leaf.end_byte - leaf.start_byte > 1 and leaf.end_byte <= end]
    while words:
        leaf = words.pop(draws.below(len(words)))
        word = file.content[leaf.start_byte : leaf.end_byte].decode("utf-8", "replace")
        if not _WORD.fullmatch(word) or leaf.type in CLOSING_WORDS or _in_text(file, leaf):
            continue
        typed = 1 + draws.below(len(word) - 1)
        start = leaf.start_byte + len(word[:typed].encode())
        rest = file.content[start:end]
        if len(rest) < MIN_REST_BYTES or not word[typed].isalnum():
            continue
        thin_out(file, rest, file.path(start), draws)
        return Site(
            MID_TOKEN,
            start,
            end,
            node_type=statement_type(file, start),
            newline_owner=newline_after(file, line),
            bracket_delta=file.bracket_delta(start, end),
        )
    raise Refused("no_word")


def before_closers(file: ParsedFile, line: int, draws: Draws, _limits: MultiLineLimits) -> Site:
    """From a token inside the line to the closers at its end that an editor typed along with their openers.

    The middle is balanced; brackets, quotes and semicolons after it stay in the suffix. Raises Refused where the line
    does not end in closers of something that was opened before the token.
    """
    if file.content[file.lines.last_visible(line) - 1] not in _LAST_BYTES:
        raise Refused("no_closers")
    leaves = code_leaves(file, line)
    first = len(leaves)
    while first > 0 and _is_closer(leaves[first - 1]):
        first -= 1
    if first == len(leaves):
        raise Refused("no_closers")
    if leaves[-1].end_byte != file.lines.last_visible(line):
        raise Refused("inside_multi_line_token")
    # A middle ends before the first closer of something opened before it, which has to be one of the last on the line.
    end_of = _first_unopened_closers(leaves)
    starts = [
        start
        for start, end in end_of.items()
        if start > 0 and end >= first and not _closes(leaves[start]) and not is_comment(leaves[start])
    ]
    if not starts:
        raise Refused("no_token_boundary")
    chosen = starts[draws.below(len(starts))]
    start, end = leaves[chosen].start_byte, leaves[end_of[chosen] - 1].end_byte
    if file.content[end : leaves[-1].end_byte].strip(_CLOSER_BYTES):
        raise Refused("no_closers")  # leaves do not tile the text: some grammars have no token for what a string holds
    thin_out(file, file.content[start:end], file.path(start), draws)
    return _inside(file, BEFORE_CLOSERS, start, end)


def _first_unopened_closers(leaves: list[tree_sitter.Node]) -> dict[int, int]:
    """For the position of each token, that of the first closer after it whose opener stands before it; others are left out."""
    unclosed: list[int] = []
    closers: dict[int, int] = {}
    for position, leaf in enumerate(leaves):
        if _opens(leaf):
            unclosed.append(position)
        elif _closes(leaf):
            opened = unclosed.pop() if unclosed else -1
            for start in range(opened + 1, position):
                closers.setdefault(start, position)
    return closers


def inner_node(file: ParsedFile, line: int, draws: Draws, _limits: MultiLineLimits) -> Site:
    """One whole argument, operand, condition or value inside the line, with code after it.

    Raises Refused where the token drawn begins none of these.
    """
    leaves = code_leaves(file, line)
    if len(leaves) < 3:
        raise Refused("no_token_boundary")
    leaf = leaves[1 + draws.below(len(leaves) - 1)]
    path = file.path(leaf.start_byte)
    nodes: list[tree_sitter.Node] = []
    for index in range(len(path) - 1, 0, -1):
        node = path[index]
        if node.start_byte != leaf.start_byte or node.end_byte > leaves[-1].start_byte:
            break
        if (
            node.is_named
            and not is_comment(node)
            and _is_operand(file.field_of(path[index - 1], node), path[index - 1])
        ):
            nodes.append(node)
    if not nodes:
        raise Refused("no_inner_node")
    node = nodes[draws.below(len(nodes))]
    if all(is_comment(later) for later in leaves if later.start_byte >= node.end_byte):
        raise Refused("no_inner_node")
    end = file.visible_end(node)
    thin_out(file, file.content[node.start_byte : end], path, draws)
    return _inside(file, INNER_NODE, node.start_byte, end)


def _inside(file: ParsedFile, kind: Kind, start: int, end: int) -> Site:
    """A site whose line goes on after the middle. Raises Refused where the middle is not balanced or cuts a longer token."""
    if file.bracket_delta(start, end):
        raise Refused("not_balanced")
    opaque = file.language.opaque
    if any(node.type in opaque and node.start_byte < start and node.end_byte < end for node in file.path(start)):
        raise Refused("not_balanced")  # it closes a quote that was opened before it
    if file.in_multi_line_token(file.path(start), start) or file.in_multi_line_token(file.path(end), end):
        raise Refused("inside_multi_line_token")
    return Site(kind, start, end, node_type=statement_type(file, start), newline_owner=NO_NEWLINE)


def _in_text(file: ParsedFile, leaf: tree_sitter.Node) -> bool:
    """Whether a token is a comment or part of a string."""
    opaque = file.language.opaque
    return any(is_comment(node) or node.type in opaque for node in file.path(leaf.start_byte)[1:])


def _opens(leaf: tree_sitter.Node) -> bool:
    if leaf.type in _QUOTES:
        return _is_first(leaf)
    return not leaf.is_named and leaf.type[-1:] in BRACKETS


def _closes(leaf: tree_sitter.Node) -> bool:
    if leaf.type in _QUOTES:
        return not _is_first(leaf)
    return not leaf.is_named and leaf.type in CLOSING_BRACKETS


def _is_first(quote: tree_sitter.Node) -> bool:
    """Whether a quote opens its string: the same sign closes it."""
    return quote.prev_sibling is None


def _is_closer(leaf: tree_sitter.Node) -> bool:
    return leaf.type == ";" or _closes(leaf)


def _is_operand(field: str | None, parent: tree_sitter.Node) -> bool:
    """Whether a node in a field of `parent` is an argument, operand, condition or value of it."""
    if parent.type in _OPERAND_LISTS or parent.type.endswith(("argument_list", "arguments")):
        return True
    return field in _OPERAND_FIELDS


MID_TOKEN = Kind("mid_token", SINGLE_LINE, weight=25.0, needs_statements=False, find=mid_token)
BEFORE_CLOSERS = Kind("before_closers", SINGLE_LINE, weight=12.0, needs_statements=False, find=before_closers)
INNER_NODE = Kind("inner_node", SINGLE_LINE, weight=8.0, needs_statements=True, find=inner_node)
