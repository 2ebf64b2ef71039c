"""The shape of a row of the language table, in the words of a tree-sitter grammar.

A *block* is a node whose named children, comments apart, are statements (members of a class and arms of a match are
statements here too). *Heads* are siblings that belong to the definition after them, such as Rust's attributes.
"""

from dataclasses import dataclass, field

OFFICIAL = "official"
"""Grammars that their authors publish as wheels, one each."""
LEGACY = "legacy"
"""Grammars of `tree-sitter-languages`, the extra `legacy-grammars`: many in one library, unmaintained."""
GRAMMARS = (OFFICIAL, LEGACY)

BRACKETS = {"(": ")", "[": "]", "{": "}"}
"""Closing token of each opening one, in every language of the table."""
CLOSING_WORDS = frozenset({"end", "fi", "done", "esac"})
"""Words that close a block; an editor types them, and they say nothing."""


@dataclass(frozen=True)
class Language:
    """One row of the table."""

    name: str
    """The Stack's name."""
    package: str
    """Module of the grammar's wheel."""
    blocks: frozenset[str]
    """Kinds of nodes that hold statements."""
    scopes: frozenset[str]
    """Kinds of definitions that have a name and a body."""
    opaque: frozenset[str]
    """Kinds of tokens that may span lines and hold text, not code; comments need not be named."""
    imports: frozenset[str]
    """Kinds of import statements, and of calls that import."""
    function: str = "language"
    """Function of the module that gives the grammar; of a legacy one, its name in the library."""
    grammars: str = OFFICIAL
    """The set of grammars that it comes from."""
    neutral: str = ";"
    """The empty statement: put in place of statements it leaves the tree around as it was."""
    neutral_in: dict[str, str] = field(default_factory=dict)
    """The same for kinds of blocks where `neutral` is not allowed."""
    neutral_for: dict[str, str] = field(default_factory=dict)
    """The same in place of kinds of statements: a `;` in place of a `case` would join the case before."""
    neutral_by_grammar: bool = True
    """Whether whole statements of a tree without errors always leave a neutral hole, so that no parse has to show it.
    True where a statement is derived alike whatever stands around it, and none of the corpus' sites said otherwise."""
    directives: bool = False
    """Whether lines that begin with `#` may stand anywhere and pair up across statements."""
    markers: frozenset[str] = frozenset()
    """Kinds of named children of a block that are no statements: PHP's tags, a `#!` line."""
    labels: frozenset[str] = frozenset()
    """Kinds of children of a bracket that begin a logical line each, such as the cases of Go's `switch`."""
    after_token: dict[str, str] = field(default_factory=dict)
    """For blocks that begin with a label or condition: the token after which the statements start."""
    heads: frozenset[str] = frozenset()
    """Kinds of siblings that belong to the definition after them."""
    clauses: frozenset[str] = frozenset()
    """Kinds of children of a block that continue the statement around it: an `else`, a `rescue`. Statements end before."""
    lone_brackets: frozenset[str] = frozenset()
    """Kinds of nodes that may hold a bracket without its partner, such as the pattern of a shell's `case`. A statement with
    one is no middle: its brackets cannot be balanced."""
    collections: frozenset[str] = frozenset()
    """Kinds of literal collections, whose rows may be data."""
    layout: bool = False
    """Whether indentation is syntax."""
    sound_trees_only: bool = False
    """Whether a file with a syntax error gives no statements at all: what the grammar makes of an error reaches far."""
    has_statements: bool = True
    """Whether it is a programming language. Data and markup have no blocks: of their files only rests of lines are taken."""

    def neutral_text(self, block_kind: str, statement_kind: str) -> str:
        """What stands for statements, the first of `statement_kind`, in a block of `block_kind`."""
        return self.neutral_for.get(statement_kind, self.neutral_in.get(block_kind, self.neutral))


def kinds(words: str) -> frozenset[str]:
    """The kinds of nodes that `words` lists, separated by spaces."""
    return frozenset(words.split())
