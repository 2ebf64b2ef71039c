"""What a language is called: the table's names, other names for them, and the languages that are left out."""

from stackfim.transforms.languages.braces import BRACES
from stackfim.transforms.languages.data import DATA
from stackfim.transforms.languages.row import Language
from stackfim.transforms.languages.words import WORDS

LANGUAGES: dict[str, Language] = {row.name: row for row in (*WORDS, *BRACES, *DATA)}
"""The language table, by name."""

ALIASES = {
    "bash": "Shell",
    "sh": "Shell",
    "zsh": "Shell",
    "shell script": "Shell",
    "python3": "Python",
    "py": "Python",
    "javascript react": "JavaScript",
    "js": "JavaScript",
    "jsx": "JavaScript",
    "typescript react": "TSX",
    "ts": "TypeScript",
    "csharp": "C#",
    "c-sharp": "C#",
    "c sharp": "C#",
    "cpp": "C++",
    "c plus plus": "C++",
    "golang": "Go",
    "rb": "Ruby",
    "rs": "Rust",
    "hs": "Haskell",
    "kt": "Kotlin",
    "jl": "Julia",
    "pl": "Perl",
    "perl5": "Perl",
    "md": "Markdown",
    "yml": "YAML",
    "plsql": "SQL",
    "plpgsql": "SQL",
    "tsql": "SQL",
}
"""Other names, in lower case, that data sets, their folders and editors use for a language of the table."""

_NO_WHEEL = "its grammar is not published as a wheel"
_OTHER_WHEEL = "its grammar is a wheel that this version does not install"
_MIXED = "its files mix languages, and a grammar sees one of them"

UNSUPPORTED: dict[str, str] = {
    **dict.fromkeys(
        ("Assembly", "Clojure", "CoffeeScript", "Crystal", "Cython", "Emacs Lisp", "Erlang", "INI", "M4"), _NO_WHEEL
    ),
    **dict.fromkeys(("Objective-C++", "Protocol Buffer", "TeX", "Vim Script", "Visual Basic"), _NO_WHEEL),
    **dict.fromkeys(("Batchfile", "CMake", "Common Lisp", "Cuda", "Dockerfile", "F#", "GLSL", "Groovy"), _OTHER_WHEEL),
    **dict.fromkeys(("Makefile", "Nix", "Objective-C", "OCaml", "Pascal", "PowerShell", "SCSS", "TOML"), _OTHER_WHEEL),
    **dict.fromkeys(("reStructuredText", "Solidity", "Verilog", "VHDL", "XML", "Zig"), _OTHER_WHEEL),
    **dict.fromkeys(("Blade", "HTML+Django", "HTML+ERB", "Java Server Pages", "Svelte", "Vue"), _MIXED),
    "Jupyter Notebook": "its code is text inside JSON; convert it to scripts first",
}
"""Languages of The Stack that are left out, and why. Of those not named here only the name is known."""

_KNOWN = {name.lower(): name for name in LANGUAGES} | ALIASES
_REASONS = {name.lower(): f"{name}: {reason}" for name, reason in UNSUPPORTED.items()}


def _plain(name: str) -> str:
    return name.strip().lower()


def language_name(name: str) -> str | None:
    """The table's name for `name`, whatever its case; None for a language that is not supported."""
    plain = _plain(name)
    return _KNOWN.get(plain) or _KNOWN.get(plain.replace("-", " ")) or _KNOWN.get(plain.replace("_", " "))


def unsupported_reason(name: str) -> str:
    """The detail of a rejection `language_unsupported`: the language's name, with the reason where the table has one.

    The Stack's folders write names with hyphens (`jupyter-notebook`).
    """
    plain = _plain(name)
    return _REASONS.get(plain) or _REASONS.get(plain.replace("-", " ")) or name
