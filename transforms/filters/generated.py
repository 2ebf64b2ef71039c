"""Files that a program generated, by their path and by what they say about themselves.

Rules: linguist's lib/linguist/generated.rb (https://github.com/github-linguist/linguist), which Refact's own file filter
runs ("generated"), StarCoder's search for "auto-generated" in the first lines, and the notices of further generators. A
notice counts only in the comments of a file's head, since the source of a generator has the same words in its strings.
"""

import re

import pyarrow as pa

from stackfim.transforms.file_head import head_of
from stackfim.transforms.filters.comment_lines import comment_lines
from stackfim.transforms.filters.decision import Drops
from stackfim.transforms.filters.filter import Filter, Score
from stackfim.transforms.filters.path_rules import path_rules, rules_met
from stackfim.transforms.languages import Content, language_row

HEAD_BYTES = 3_000
HEAD_LINES = 40
TAIL_BYTES = 300


_PATHS = path_rules(
    (
        "lock_file",
        r"(?:^|/)(?:(?:package-lock|npm-shrinkwrap|packages\.lock)\.json|(?:yarn|Cargo|composer|poetry|pdm|uv|Pipfile|"
        r"Gemfile|Podfile|pubspec|mix|Gopkg|glide|flake|deno|bun|esy|Cartfile|gradle|Berksfile|symfony|pixi)\."
        r"(?:lock|lockfile|resolved)|pnpm-lock\.yaml|conda-lock\.yml|Package\.resolved|go\.sum|\.terraform\.lock\.hcl)$",
    ),
    ("minified", r"[.\-]min\.(?:js|css|mjs|cjs)$"),
    ("source_map", r"\.(?:js|css|mjs|cjs|ts)\.map$"),
    (
        "protocol_buffer",
        r"(?:_pb2(?:_grpc)?\.pyi?|\.pb(?:\.gw|\.validate|\.micro)?\.(?:go|cc|cpp|h|c|swift|dart|js|ts)|"
        r"_pb(?:_service)?\.(?:js|d\.ts|rb)|_grpc_pb\.js|_grpc\.pb\.go|Grpc\.java|OuterClass\.java)$",
    ),
    ("designer", r"(?i:\.(?:designer|feature|g|g\.i|generated)\.(?:cs|vb))$"),
    ("dart_builder", r"\.(?:g|freezed|mocks|gr|chopper|config)\.dart$"),
    (
        "go_generate",
        r"(?:^|/)(?:zz_generated[^/]*|wire_gen|bindata)\.go$|(?:_easyjson|_generated|_ffjson|_msgp_gen|\.gen)\.go$",
    ),
    ("generated_folder", r"(?:^|/)(?:__generated__|generated-sources|\.dart_tool|\.next|\.nuxt|\.idea)/"),
    ("generated_suffix", r"\.(?:generated|gen)\.(?:ts|tsx|js|jsx|py|rb|java|kt|rs|h|c|cpp|swift|php|graphql)$"),
    ("qt", r"(?:^|/)(?:moc|qrc)_[^/]+\.(?:cpp|cc|cxx)$|(?:^|/)ui_[^/]+\.h$|_rc\.py$"),
    ("parser", r"\.tab\.(?:c|h|cc|cpp|hpp)$|(?:^|/)(?:lex\.yy\.c|y\.tab\.[ch]|parsetab\.py|lextab\.py)$"),
    ("yarn_pnp", r"(?:^|/)\.pnp\.(?:c?js|loader\.mjs)$"),
    ("zephir", r"[^/]\.zep\.(?:c|h|php)$"),
    ("type_library", r"(?i:_tlb\.pas)$"),
    ("carthage_build", r"(?:^|/)Carthage/Build/"),
    ("snapshot", r"(?:^|/)__snapshots__/|\.snap$"),
    ("cassette", r"(?:^|/)(?:vcr_)?cassettes/[^.]*\.(?:ya?ml|json)$"),
    ("relay", r"\.graphql\.(?:ts|js)$"),
    ("build_output", r"(?:^|/)(?:CMakeFiles|\.eggs|__pycache__|\.gradle|DerivedData)/"),
    ("distribution", r"(?:^|/)dist/(?:[^/]+/)*[^/]+\.(?:[cm]?js|d\.[cm]?ts)$"),
)

_DECORATION = rb"[ \t*#=\-/<>!;:.@|\[({\"']*"
_BEFORE_NOTICE = re.compile(
    b"^" + _DECORATION + rb"(?:(?i:note|notice|warning|attention|important|caution|beware)[ \t]*[:!\-][ \t:!\-]*)?"
)
MAX_BEGIN_LINE = 5
MAX_NOTICE_INDENT = 3
"""Blanks before a comment that warns of edits; one that is indented further is about a member, not about the file."""
_HINTS = (
    b"generat",
    b"do not ",
    b"don't ",
    b"automatic",
    b"bison",
    b"not intended",
    b"gimp",
    b"created by",
    b"microsoft dev",
)
"""Every notice has one of these, in any case: they are found in a fraction of the time that the expressions take."""
_BY = rb"(?i:by|from|with(?!:)|using|via|at|on|automatically|during)\b"
_AT_GENERATED = re.compile(rb"@generated\b(?! NOT)(?=[ \t]*(?:$|SignedSource|[.;:,*<-]|by|from|with))")
_SUBJECT = (
    rb"(?i:(?:this|these|the)(?: following| whole| entire)? (?:file|code|source|class|module|script|parser|header|document|"
    rb"interface|test|package|list|table)s?(?: (?:was|is|are|has been|have been|were))?(?: an?)?|this (?:is|was)(?: an?)?|"
    rb"(?:file|code) (?:is|was))[ \t]+"
)
_MADE_BY_MACHINE = (
    rb"(?i:auto[ \-]?generated|automatically[ \-](?:generated|created|produced|built)|(?:machine|computer|script)[ \-]generated|"
    rb"generated[ \t]+(?:by|from|automatically|with|using|via|file|code|during|at|on)\b)"
)
_NAMES = rb"(?:[A-Z][\w+#.]*[ \-]){0,3}"
_THINGS = rb"(?:(?i:code|file|source|parser|lexer|bindings?|scanner|content|implementation|object) )?"
_AUTO = rb"(?:auto(?:matically)?[ \-]?|machine[ \-])?"
_GENERATED = rb"(?:Generated|GENERATED|Auto[ \-]?[Gg]enerated|AUTO[ \-]?GENERATED|[Aa]utomatically generated|auto-?generated)[ \t]+"
_NOTICES = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("generated_by", _NAMES + _THINGS + rb"(?:was |is )?" + _AUTO + _GENERATED + _BY),
        (
            "generated_by",
            rb"(?:[A-Z][\w+#.]*[ \-]){0,2}(?:[Cc]ode|CODE|[Ff]ile|source|[Pp]arser|lexer|scanner|bindings?|implementation|"
            rb"content)[ \-](?:was |is )?generated[ \t]+" + _BY,
        ),
        ("generated_file", _SUBJECT + _MADE_BY_MACHINE),
        (
            "generated_file",
            rb"(?=[A-Z])(?i:auto[ \-]?generated|automatically generated|machine[ \-]generated)(?: (?i:code|file|source))?"
            rb"[ \t]*(?:[.,:;!*\-]|$)",
        ),
        (
            "generated_code",
            rb"(?=[A-Z])(?i:(?:auto[ \-]?|automatically )?generated (?:protocol buffer )?(?:code|file|source))"
            rb"[ \t]*(?:[.:;!*\-]|$|(?i:do not|don't))",
        ),
        ("bison", rb"A Bison parser, made (?:by|from)|A lexical scanner generated by|[Pp]arser generated by"),
        ("image_dump", rb"GIMP [\w \-]*(?:C-Source image dump|header image file format)"),
        ("visual_studio", rb"Microsoft Developer Studio Generated Build File"),
        ("ppport", rb"Automatically created by Devel::PPPort"),
        (
            "user_interface",
            rb"Form implementation generated from|Created by: (?:The )?(?:Resource Compiler|Qt User Inter)",
        ),
    )
)
# This counts only where a comment begins: the second line of a sentence may begin with "generated by" as well.
_COMMENT_BEGINS = re.compile(rb"^[ \t#*/;!%<-]*generated (?:automatically )?(?:by|from) ")
# The tag by which compilers and analysers of .NET know what a generator wrote: with a hyphen and without one, empty, opening or
# closing, with attributes. Where a comment begins only, since analysers write about it; `<auto-generated-by>` is another word.
_GENERATED_TAG = re.compile(
    rb"[ \t*#=\-/<!;:('\"]*<[ \t]*/?[ \t]*auto[-_ ]?generated(?=[ \t]*/?>|[ \t]|$)", re.IGNORECASE
)
_DO_NOT_EDIT = re.compile(
    rb"(?i:(?:do not|don't|never|please do not) (?:hand[ \-]?|manually |directly )?(?:edit|modify|change|alter)\b"
    rb"(?![ \t]+(?:these|those|them|until|unless|without|if|when|how|what))|not intended for manual editing)"
)
_SHOUTED = re.compile(rb"DO NOT (?:EDIT|MODIFY)(?:[ \t]+(?:THIS FILE|BY HAND|MANUALLY|ANYTHING)|[ \t]*[!*\-]|[ \t]*$)")
_MADE = re.compile(
    rb"(?i:generated|auto-?gen|made by|created (?:automatically )?by|produced by|built (?:by|from)|derived from|machine|"
    rb"automatic|overwritten)"
)
_BUNDLES = re.compile(
    rb"webpackBootstrap|webpackUniversalModuleDefinition|^\(function e\(t,n,r\)\{|^\(function\(\)\{function r\(e,n,t\)|"
    rb"^parcelRequire|System\.register\(\["
)
_SOURCE_MAP_REFERENCE = re.compile(rb"^(?://|/\*)[#@] ?source(?:Mapping)?URL=", re.MULTILINE)
_GENERATOR_TAG = re.compile(
    rb"(?i:<meta\s+name=[\"']?generator[\"']?\s+content=[\"']?(?:org.mode|j?latex2html|groff|makeinfo|texi2html|ronn|doxygen|"
    rb"javadoc|sphinx|docutils|asciidoctor|pandoc|hugo|jekyll|mkdocs|docbook))|<!-- Generated by (?:javadoc|doxygen|pkgdown|pydoc)"
)


def generated_by(rows: pa.RecordBatch) -> list[str]:
    """For each row, the rule by which its path or content says that it is generated; empty for other files; (rows,)."""
    return [
        rule or _content_rule(content.as_buffer(), language)
        for rule, language, content in zip(
            rules_met(_PATHS, rows.column("path")),
            rows.column("language").to_pylist(),
            rows.column("content"),
            strict=True,
        )
    ]


def _content_rule(content: pa.Buffer, language: str) -> str:
    head = head_of(content, HEAD_BYTES)
    rule = _notice(head, language) if _hints(head) else ""
    if rule:
        return rule
    known = language_row(language)
    if known.content is Content.HTML and _GENERATOR_TAG.search(head):
        return "generator_tag"
    if known.has_source_maps:
        if _BUNDLES.search(head[:1_000]):
            return "bundle"
        tail = content.slice(max(content.size - TAIL_BYTES, 0)).to_pybytes()
        if _SOURCE_MAP_REFERENCE.search(b"\n".join(tail.rstrip().split(b"\n")[-2:])):
            return "source_map_reference"
    return ""


def _hints(text: bytes) -> bool:
    lowered = text.lower()
    return any(hint in lowered for hint in _HINTS)


def _notice(head: bytes, language: str) -> str:
    """The rule that a comment at a file's head meets; empty where none does."""
    lines = head.replace(b"\r", b"").split(b"\n")[:HEAD_LINES]
    for number, indent, words in comment_lines(lines, language):
        if not _hints(words):
            continue
        if _AT_GENERATED.search(words):
            return "marked_generated"
        if _GENERATED_TAG.match(words):
            return "auto_generated_tag"
        begins = number == 0 or (number <= MAX_BEGIN_LINE and indent == 0 and not lines[number - 1].strip())
        if begins and _COMMENT_BEGINS.search(words):
            return "generated_by"
        stripped = _BEFORE_NOTICE.sub(b"", words).rstrip(b" \t*/#-=;>|")
        for name, notice in _NOTICES:
            if notice.match(stripped):
                return name
        if indent > MAX_NOTICE_INDENT:
            continue
        around = b"\n".join(lines[max(number - 3, 0) : number + 4])
        if _SHOUTED.search(stripped) or (_DO_NOT_EDIT.search(stripped) and _MADE.search(around)):
            return "do_not_edit"
    return ""


def decide_generated(rules: list[str]) -> Drops:
    """Drops `generated` rows; the detail names the rule."""
    return {row: ("generated", f"generated: {rule}") for row, rule in enumerate(rules) if rule}


GENERATED: Filter[list[str]] = Filter(
    stage="generated",
    measure=lambda rows, plan: generated_by(rows),
    decide=lambda rules, languages, plan: decide_generated(rules),
    scores=(
        Score(
            "generated_by",
            pa.string(),
            lambda rules: rules,
            description="Rule by which the file is generated; empty for most.",
        ),
    ),
)
