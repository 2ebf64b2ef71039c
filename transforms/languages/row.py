"""The shape of a row of the language table.

`Language` is what filters and sources know of any language: what it is called, how its files are named, how its comments
look. `SupportedLanguage` adds what the splitter knows, in the words of a tree-sitter grammar; `UnsupportedLanguage` adds why
no grammar is used. Fields without a value that would suit nearly every language have no default: a new row states them all.

A *block* is a node whose named children, comments apart, are statements (members of a class and arms of a match are
statements here too). *Heads* are siblings that belong to the definition after them, such as Rust's attributes.
"""

from dataclasses import dataclass
from enum import Enum

from stackfim.transforms.languages.comments import Comments

OFFICIAL = "official"
"""Grammars that their authors publish as wheels, one for each."""
LEGACY = "legacy"
"""Grammars of `tree-sitter-languages`, the extra `legacy-grammars`: many in one library, unmaintained."""
GRAMMARS = (OFFICIAL, LEGACY)

BRACKETS = {"(": ")", "[": "]", "{": "}"}
"""Closing token of each opening one, in every language of the table."""
CLOSING_WORDS = frozenset({"end", "fi", "done", "esac"})
"""Words that close a block; an editor types them, and they say nothing."""


class Content(Enum):
    """What the files of a language hold, where that decides how filters judge them."""

    CODE = "code"
    """Code and everything else that is judged line by line."""
    PROSE = "prose"
    """Text for readers: a paragraph may be one line, and mentioning a license does not grant it."""
    HTML = "html"
    """Text between tags, judged by what of it a browser shows."""
    DATA = "data"
    """Values, judged by size and by the share of letters."""
    NOTEBOOK = "notebook"
    """JSON around cells, judged by the share of the cells' source."""


@dataclass(frozen=True, kw_only=True)
class FileNames:
    """What files of a language are called; no two languages share an entry."""

    extensions: tuple[str, ...]
    """In lower case, without the dot. One that several languages share is listed with by far the most common of them."""
    names: tuple[str, ...]
    """Whole names, such as `CMakeLists.txt`."""
    stems: tuple[str, ...]
    """Names that may have any extension, such as `Dockerfile` in `Dockerfile.dev`."""
    interpreters: tuple[str, ...]
    """Programs that a `#!` line names, in lower case, without version numbers."""
    editor_modes: tuple[str, ...]
    """What the modelines of Emacs and Vim call the language, in lower case."""


@dataclass(frozen=True, kw_only=True)
class Language:
    """What is known of a language without a parse."""

    name: str
    """The Stack's name, which is linguist's."""
    aliases: tuple[str, ...]
    """Other names, in lower case, that data sets, their folders and editors use."""
    files: FileNames
    """How its files are recognised."""
    families: tuple[str, ...]
    """Groups of languages whose names are used for each other's files, or that are written in each other's grammar."""
    content: Content
    has_comments: bool
    """Whether the format has comments at all."""
    comments: Comments | None
    """How comments look; None where filters do not tell them from other lines."""
    imports_begin: tuple[bytes, ...]
    """What begins a line that only imports, or only names a module."""
    definitions_begin: tuple[bytes, ...]
    """What begins a line with logic although its first character is no letter, such as C's `#define`."""
    long_strings: tuple[bytes, ...]
    """Quotes around strings of several lines."""
    heredocs: bool
    """Whether `<<WORD` begins a string of several lines."""
    may_be_license: bool
    """Whether a file with a license's name and an extension of this language holds the text of a license: `LICENSE.md`."""
    has_xml_declaration: bool
    """Whether files may begin with `<?xml version=`."""
    has_source_maps: bool
    """Whether bundlers write this language, with a source map beside it."""


@dataclass(frozen=True, kw_only=True)
class SupportedLanguage(Language):
    """A language whose files are split, in the words of its grammar."""

    package: str
    """Module of the grammar's wheel."""
    function: str = "language"
    """Function of the module that gives the grammar; for a legacy one, its name in the library."""
    grammars: str = OFFICIAL
    """The set of grammars that it comes from."""
    blocks: frozenset[str]
    """Kinds of nodes that hold statements; data and markup have none, so only rests of lines are taken from their files."""
    after_token: dict[str, str]
    """For blocks that begin with a label or condition: the token after which the statements start."""
    clauses: frozenset[str]
    """Kinds of children of a block that continue the statement around it: an `else`, a `rescue`. Statements end before."""
    labels: frozenset[str]
    """Kinds of children of a bracket that begin a logical line each, such as the cases of Go's `switch`."""
    markers: frozenset[str]
    """Kinds of named children of a block that are no statements: PHP's tags, a `#!` line."""
    heads: frozenset[str]
    """Kinds of siblings that belong to the definition after them."""
    scopes: frozenset[str]
    """Kinds of definitions that have a name and a body."""
    imports: frozenset[str]
    """Kinds of import statements."""
    opaque: frozenset[str]
    """Kinds of tokens that may span lines and hold text, not code; comments need not be named."""
    collections: frozenset[str]
    """Kinds of literal collections, whose lines may be data."""
    lone_brackets: frozenset[str]
    """Kinds of nodes that may hold a bracket without its partner, such as the pattern of a shell's `case`. A statement with
    one is no middle: its brackets cannot be balanced."""
    directives: bool
    """Whether lines that begin with `#` may stand anywhere and pair up across statements."""
    neutral: str
    """The empty statement: put in place of statements it leaves the tree around as it was."""
    neutral_in: dict[str, str]
    """The same for kinds of blocks where `neutral` is not allowed."""
    neutral_for: dict[str, str]
    """The same in place of kinds of statements: a `;` in place of a `case` would join the case before."""
    neutral_by_grammar: bool
    """Whether whole statements of a tree without errors always leave a neutral hole, so that no parse has to show it.
    True where a statement is derived in the same way whatever stands around it, and no site of the corpus says otherwise."""
    sound_trees_only: bool
    """Whether a file with a syntax error gives no statements at all: what the grammar makes of an error reaches far."""
    members_by_assignment: bool
    """Whether assigning to a member declares it; elsewhere an object has the members that its type declares."""
    undeclared_names: frozenset[bytes]
    """Names that no edit can undeclare: keywords, and what every method declares around the middle, such as `self`."""

    @property
    def has_statements(self) -> bool:
        """Whether it is a programming language, not data or markup."""
        return bool(self.blocks)

    def neutral_text(self, block_kind: str, statement_kind: str) -> str:
        """What stands in place of statements, the first of `statement_kind`, in a block of `block_kind`."""
        return self.neutral_for.get(statement_kind, self.neutral_in.get(block_kind, self.neutral))


@dataclass(frozen=True, kw_only=True)
class UnsupportedLanguage(Language):
    """A language whose files are known and not split."""

    reason: str
    """Why no grammar is used; empty where only the names of its files are known."""


def words(text: str) -> tuple[str, ...]:
    """The words that `text` lists, separated by spaces."""
    return tuple(text.split())


def kinds(text: str) -> frozenset[str]:
    """The kinds of nodes that `text` lists, separated by spaces."""
    return frozenset(text.split())


NONE: frozenset[str] = frozenset()
"""For fields of a row: the grammar has no such kinds."""
SELF = frozenset({b"self"})
