"""Extensions that several languages share, and by what their files tell which one they are in.

For each extension its languages' signs in the order in which they are looked for: the first that holds decides, and where
none holds the content does not tell. A language without a sign shares the extension and is what remains.

The facts are linguist's (https://github.com/github-linguist/linguist, heuristics.yml and languages.yml); the expressions are
written for this table. They look at lines, never across several, and take linear time. Dialects that linguist tells apart
and one grammar reads (of SQL, Lean, OpenAPI in JSON and YAML) are one language here.
"""

import re
from functools import cache
from typing import NamedTuple


class Sign(NamedTuple):
    """What shows that a file is in a language."""

    language: str
    """Linguist's name, which is The Stack's."""
    has: tuple[str, ...] = ()
    """Expressions that all have to be found, `^` at the beginning of any line; without one, nothing shows the language."""
    lacks: str = ""
    """An expression that must not be found; empty for none."""


def _sign(language: str, *has: str, lacks: str = "") -> Sign:
    return Sign(language, has, lacks)


_XML = r"^[ \t]*<\?xml\b"
_GERBER = _sign("Gerber Image", r"^[DGMT]\d\d\*[ \t\r]*$")
_M68K = _sign(
    "Motorola 68K Assembly",
    r"(?i)^[ \t]*(?:\w+:[ \t]*)?(?:moveq(?:\.l)?[ \t]+#[$%-]?[0-9a-f]{1,8},[ \t]*d[0-7]\b|move[mp](?:\.[bwl])?[ \t]|"
    r"move\.[bwl][ \t][^\n]*\b[ad][0-7]\b|move(?:\.[bwl])?[ \t]+(?:sr|usp),|btst\b|dbra\b)",
)
_EUPHORIA = _sign(
    "Euphoria",
    r"^[ \t]*(?:namespace|(?:public[ \t]+)?include|(?:(?:public|export|global|override)[ \t]+)?(?:atom|constant|enum|function|"
    r"integer|object|procedure|sequence|type))[ \t]",
)
_FORTRAN = _sign("Fortran", r"(?i)^(?:[c*][^abd-z\n]|[ \t]{6,}(?:subroutine|program|end|data|integer|real)\b|[ \t]*!)")
_FORTH = _sign("Forth", r"^: |^\\ ")
_FREEBASIC = _sign(
    "FreeBASIC",
    r"(?i)^[ \t]*(?:#(?:define|endif|endmacro|ifn?def|include|lang|macro|pragma)\b|"
    r"dim(?: shared)?[ \t]+\w+[ \t]+as[ \t]+\w+[ \t]+ptr\b)",
)
_QUICKBASIC = _sign(
    "QuickBASIC",
    r"^ *(?:CONST|DIM|REDIM|DEFINT|PRINT|DECLARE (?:SUB|FUNCTION)|FUNCTION|SUB) |(?i:'\$INCLUDE:|"
    r"^ *(?:CLS\b|OPTION _EXPLICIT|DIM SHARED ))",
)
_VBA = (
    r"\b(?:VBA|[vV]ba)\b|^ *(?:(?:Public|Private) )?Declare PtrSafe |^ *Option (?:Private Module|Compare Database)\b|"
    r"\b(?:ThisWorkbook|ActiveWorkbook|Workbooks?|Worksheets?|ActiveSheet|ThisDrawing|WorksheetFunction)\b|"
    r"\bApplication\.(?:VBE|ScreenUpdating)\b"
)
_GSC = _sign(
    "GSC",
    r"^[ \t]*(?:#[ \t]*(?:using|insert|namespace|precache|using_animtree)\b|(?:(?:autoexec|"
    r"private)[ \t]+)*function[ \t]+\w+[ \t]*\(|"
    r"#include[ \t]+\w+\\)|\b(?:level|self)[ \t]+thread[ \t]",
)
_COMMON_LISP = _sign(
    "Common Lisp", r"(?i)^[ \t]*\((?:defun|defmacro|in-package|defpackage|defvar|defparameter|defclass)[ \t]"
)
_LISPS = (_COMMON_LISP, _sign("NewLisp", r"^[ \t]*\((?:define|context)[ \t]"))
_HACK = _sign("Hack", r"^[ \t]*<\?hh\b")
_MOVE = r"^[ \t]*(?:\w+:[ \t]*)?(?i:mov)[ \t]+[^\s,]+,"
_TIME = r"^\d\d:\d\d:\d\d,\d{3}[ \t]*-->[ \t]*\d\d:\d\d:\d\d,\d{3}"
_ROFF = _sign("Roff", r"^[.'](?:[A-Za-z]{2}(?:[ \t\r]|$)|\\\")")
_ROS = _sign("ROS Interface", r"^[a-z][\w/]*(?:\[(?:<=)?\d*\])?[ \t]+\w+\b", lacks=r"^[ \t]*[^\s@#\w-]")

SHARED: dict[str, tuple[Sign, ...]] = {
    "al": (
        _sign("Perl", r"^[ \t]*(?:sub|package)[ \t]+[\w:]+"),
        _sign(
            "AL",
            r"(?i)^[ \t]*(?:codeunit|page|pageextension|pagecustomization|dotnet|enum|enumextension|query|report|table|"
            r"tableextension|xmlport|profile|controladdin|reportextension|interface|permissionset|permissionsetextension|"
            r"entitlement)\b[ \t]*[\w\"{]",
        ),
    ),
    "as": (
        _sign(
            "ActionScript",
            r"^[ \t]*(?:package\b[ \t\w.]*(?:\{|\r?$)|import[ \t]+[\w.*]+[ \t]*;|intrinsic[ \t]+class\b|"

            r"(?:(?:public|protected|private|static|internal|override|final|dynamic)[ \t]+)+(?:var|const|function|"
            r"class|interface)\b|"
            r"(?:var|const)[ \t]+\w+[ \t]*:[ \t]*\w)",
        ),
        _sign("AngelScript"),
    ),
    "asc": (
        _sign("Public Key", r"^(?:----[- ]BEGIN|ssh-(?:rsa|dss)) "),
        _sign("AsciiDoc", r"^={1,6}[ \t]+\S|^-{4,}[ \t\r]*$"),
        _sign("AGS Script", r"^(?://[^\n]|(?:(?:import|export)[ \t]+)?(?:function|int|float|char)[ \t]+\w+[ \t]*[;(])"),
    ),
    "asm": (_M68K, _sign("Assembly", _MOVE)),
    "asy": (_sign("LTspice Symbol", r"^SymbolType[ \t]"), _sign("Asymptote")),
    "bas": (
        _sign("B4X", r"^\W{0,3}(?:Group|B4[JARi]=true)"),
        _FREEBASIC,
        _sign("BASIC", r"\A\s*\d+[ \t]"),
        _QUICKBASIC,
        _sign("VBA", _VBA),
        _sign("Visual Basic 6.0", r"^ *Attribute VB_Name = "),
    ),
    "bb": (
        _sign("Clojure", r"^[ \t]*\((?:ns|def|defn|defmacro|let|require)[ \t]"),
        _sign("BitBake", r"^(?:include|require|inherit)[ \t]|^(?:SUMMARY|DESCRIPTION|LICENSE|SRC_URI|DEPENDS|PV|PR)\b[^\n]*="),
        _sign("BlitzBasic", r"^[ \t]*;|^[ \t]*End Function\b"),
    ),
    "bf": (
        _sign("Beef", r"^[ \t]*using[ \t]+(?:System|Beefy)[\w.]*[ \t]*;"),
        _sign("HyPhy", r"^[ \t]*#include[ \t]+\"[^\n]*\";|\sfprintf[ \t]*\("),
        _sign("Brainfuck", r">\+>|>\+<"),
    ),
    "bi": (_FREEBASIC, _QUICKBASIC),
    "bs": (
        _sign("Bikeshed", r"(?i)^<pre[ \t]+class[ \t]*=[ \t]*['\"]?metadata\b"),
        _sign("BrighterScript", r"(?i)^[ \t]*(?:sub[ \t]*\w+\(|end[ ]?(?:sub|function)\r?$|function[ \t]+\w+\([^\n]*\)[ \t]*as\b)"),
        _sign("Bluespec BH", r"^package[ \t]+[A-Z]\w*[ \t]*(?:\(|where\b)"),
    ),
    "bst": (_sign("BibTeX Style", r"\bENTRY[ \t\r\n]{0,9}\{"), _sign("BuildStream")),
    "builds": (_sign("XML", r"(?i)^[ \t]*<(?:\?xml|Project|Import|Property)\b"),),
    "cairo": (
        _sign("Cairo Zero", r"^[ \t]*%(?:lang|builtins)\b|^[ \t]*from[ \t]+starkware\.(?:cairo|starknet)\b|;[ \t]*ap\+\+"),
        _sign("Cairo"),
    ),
    "cake": (_sign("CoffeeScript", r"^[ \t]*task[ \t]+['\"][^\n]*->"), _sign("C#",
            r"^[ \t]*(?:Task[ \t]*\(|#(?:addin|tool|load)\b|var[ \t])")),
    "ch": (_sign("xBase", r"(?i)^[ \t]*#[ \t]*(?:x?command|x?translate)\b"), _sign("Charity")),
    "cl": (
        _COMMON_LISP,
        _sign("OpenCL", r"^[ \t]*(?:__)?kernel\b|\b__(?:kernel|global|local|constant)\b|\bget_(?:global|local)_id\b"),
        _sign("Cool", r"^class[ \t]+[A-Z]\w*[^\n]*\{?\r?$"),
        _sign("OpenCL", r"^(?:[ \t]*//|[ \t]*/\*|\})"),
    ),
    "cls": (
        _sign("Visual Basic 6.0", r"^ *VERSION \d\.\d CLASS", r"^[ \t]*Persistable[ \t]*="),
        _sign("VBA", r"^ *VERSION \d\.\d CLASS"),
        _sign("TeX", r"^[ \t]*\\(?:NeedsTeXFormat|ProvidesClass|LoadClass)\b"),
        _sign("ObjectScript", r"^Class[ \t]+[%\w.]+"),
        _sign("OpenEdge ABL", r"(?i)^[ \t]*(?:using[ \t]+[\w.*]+[ \t]*\.|class[ \t]+[\w.]+[^\n{]*:|end[ \t]+class[ \t]*\.)"),
        _sign("Apex",
            r"(?i)^[ \t]*(?:@\w+[ \t]*)?(?:(?:public|private|global|virtual|abstract|with[ \t]+sharing|"
            r"without[ \t]+sharing)[ \t]+)+class\b"),
    ),
    "cmp": (_GERBER,),
    "cp": (
        _sign("Component Pascal", r"^[ \t]*MODULE[ \t]+\w+[^\n;]{0,80};"),
        _sign("C++", r"^[ \t]*#[ \t]*(?:include|define|ifdef|ifndef|pragma)\b"),
    ),
    "cs": (
        _sign("C#",
            r"^[ \t]*(?:(?:global[ \t]+)?using[ \t]+(?:static[ \t]+)?[A-Z][^\n;]*;|"
            r"namespace[ \t]+[\w.]+[ \t]*(?:\{|;|\r?$))"),
        _sign("Smalltalk", r"![\w \t.:]{0,200}methodsFor:|^'?From [^\n]*Smalltalk"),
    ),
    "csc": (_GSC,),
    "csl": (
        _sign("XML", r"(?i)^[ \t]*(?:<\?xml\b|xmlns)"),
        _sign("Kusto", r"^\|[ \t]*(?:where|extend|project|limit|summarize)\b|^\.\w+"),
    ),
    "d": (
        _sign("DTrace",
            r"^(?:\w*:\w*:\w*:\w*|BEGIN|END|provider[ \t]|(?:tick|profile)-\w+|#pragma[ \t]+(?:D[ \t]+(?:option|"
            r"attributes|depends_on)|ident)\b)"),
        _sign("D",
            r"^[ \t]*(?:module[ \t]+[\w.]+[ \t]*;|(?:public[ \t]+|private[ \t]+|"
            r"static[ \t]+)?import[ \t]+[\w ,.:=]+;|unittest\b|void[ \t]+main\b)"),
        _sign("Makefile",
            r"^[^\s:#][^\n:]*:[^\n]*[ \t]\\\r?$|^ ?: \\\r?$|^[\w/\\.$()-]+\.(?:o|d|obj|lo|rlib|"
            r"rmeta)\b[^\n:]{0,200}:"),
    ),
    "dsp": (
        _sign("Microsoft Developer Studio Project", r"# Microsoft Developer Studio Generated Build File"),
        _sign("Faust",
            r"\bprocess[ \t]*[(=]|\b(?:library|import)[ \t]*\([ \t]*\"|\bdeclare[ \t]+(?:name|version|author|"
            r"copyright|license)[ \t]"),
    ),
    "e": (
        _EUPHORIA,
        _sign("E", r"^[ \t]*(?:(?:def|var)[ \t][^\n]*:=|(?:def|to)[ \t]+\w+(?:\([^\n]*\))?[ \t]*\{|when[ \t]+\([^\n]*\)[ \t]*->)"),
        _sign("Eiffel",
            r"^[ \t]*(?:across|deferred|elseif|ensure|feature|from|inherit|inspect|invariant|note|once|require|"
            r"undefine|variant|when|do|class)[ \t\r]*$"),
    ),
    "ecl": (_sign("ECLiPSe", r"^[^#\n]+:-|^:-"), _sign("ECL", r":=")),
    "es": (
        _sign("Erlang", r"^[ \t]*(?:%%|main[ \t]*\([^\n]*\)[ \t]*->|-module\()|^#![^\n]*escript"),
        _sign("JavaScript", r"^[ \t]*(?://|/\*|['\"]use strict['\"]|export[ \t]|import[ \t])"),
    ),
    "ex": (
        _sign("Elixir",
            r"^[ \t]*(?:@(?:moduledoc|doc|spec|type|behaviour|impl)\b|(?:cond|import|quote|unless|alias|use|"
            r"require)[ \t]+[A-Z\w]+|def(?:exception|impl|macro|module|protocol|struct|p|delegate|guard)?[ \t(])"),
        _EUPHORIA,
    ),
    "f": (_FORTH, _sign("Filebench WML", r"\bflowop\b"), _FORTRAN),
    "for": (_FORTH, _FORTRAN, _sign("Formatted")),
    "fr": (
        _sign("Forth", r"^(?:: |also |new-device|previous )"),
        _sign("Frege", r"^[ \t]*(?:import|module|package|data|type) "),
        _sign("Text"),
    ),
    "frag": (
        _sign("GLSL",
            r"^[ \t]*(?:#(?:version|extension|ifdef|define|include)\b|precision[ \t]|uniform[ \t]|varying[ \t]|"
            r"(?:in|out)[ \t]+\w+[ \t]+\w+;|void[ \t]+main\b)|\bgl_\w"),
        _sign("JavaScript", r"^[ \t]*(?:var|let|const|function|import|export)\b|^\(function"),
    ),
    "frm": (
        _sign("VBA", r"^ *VERSION \d\.\d\d", r"^[ \t]*Begin[ \t]+\{[0-9A-F-]+\}"),
        _sign("Visual Basic 6.0", r"^ *VERSION \d\.\d\d", r"^[ \t]*Begin[ \t]+VB\.(?:MDI)?Form\b"),
        _sign("INI", r"\ATYPE=VIEW"),
    ),
    "fs": (
        _sign("Forth", r"^(?:: |new-device|\\ )"),
        _sign("F#", r"^[ \t]*(?:#light|import|let|module|namespace|open|type)\b"),
        _sign("GLSL", r"^[ \t]*(?:#version|precision|uniform|varying|vec[234])\b"),
        _sign("Filterscript", r"^[ \t]*#(?:include\b|pragma[ \t]+(?:rs|version)\b)|__attribute__"),
    ),
    "ftl": (
        _sign("FreeMarker", r"^[ \t]*(?:<|\[#)|\$\{\w|<#\w|<@\w"),
        _sign("Fluent", r"^-?[a-zA-Z][\w-]* *=|\{[ ]?\$-?[a-zA-Z][\w-]*[ ]?\}"),
    ),
    "g": (
        _sign("GAP", r"^[ \t]*(?:Declare\w+|BindGlobal|KeyDependentOperation|Install(?:Method|GlobalFunction)|SetPackageInfo)\b"),
        _sign("G-code", r"^[MG]\d+(?:[ \t\r]|$)"),
        _sign("ANTLR", r"^[ \t]*(?:(?:lexer|parser|tree)[ \t]+)?grammar[ \t]+\w+"),
    ),
    "gd": (
        _sign("GAP", r"^[ \t]*(?:Declare\w+|BindGlobal|KeyDependentOperation)[ \t]*\("),
        _sign("GDScript", r"^[ \t]*(?:extends|var|const|enum|func|class|class_name|signal|tool|yield|assert|onready)\b"),
    ),
    "gml": (
        _sign("XML", r"(?i)^[ \t]*(?:<\?xml\b|xmlns)"),
        _sign("Graph Modeling Language", r"(?i)^[ \t]*(?:graph|node)[ \t]*(?:\[|\r?$)"),
        _GERBER,
        _sign("Game Maker Language"),
    ),
    "gs": (
        _sign("GLSL", r"^#version[ \t]+\d"),
        _sign("Gosu", r"^uses (?:java|gw)\."),
        _sign("Genie", r"^\[indent=\d+\]"),
        _sign("JavaScript"),
    ),
    "gsc": (_GSC,),
    "gsh": (_GSC,),
    "gts": (_sign("Gerber Image", r"^G0\d"), _sign("Glimmer TS")),
    "h": (_sign("C"), _sign("C++"), _sign("Objective-C")),
    "hh": (_HACK, _sign("C++")),
    "html": (
        _sign(
            "Ecmarkup",
            r"<emu-(?:alg|annex|biblio|clause|eqn|example|figure|gann|gmod|gprose|grammar|intro|not-ref|note|nt|prodref|production|"
            r"rhs|table|t|xref)(?:$|[\s>])",
        ),
        _sign("HTML"),
    ),
    "i": (
        _M68K,
        _sign("SWIG", r"^[ \t]*%[a-z_]+\b|^%[{}]\r?$"),
        _sign("Assembly", _MOVE, lacks=r"^[ \t]*#include"),
    ),
    "ice": (_sign("JSON", r"\A\s*[{\[]"), _sign("Slice")),
    "inc": (
        _M68K,
        _sign("PHP", r"^[ \t]*<\?(?:php|=|\s|$)"),
        _sign("SourcePawn",
            r"^(?:public[ \t]+SharedPlugin\b|methodmap[ \t]+\w+|[ \t]*MarkNativeAsOptional[ \t]*\(|"
            r"native[ \t]+\w+)"),
        _sign("NASL", r"^[ \t]*(?:include[ \t]*\([ \t]*[\"'][^\n]*\.(?:nasl|inc)[\"']|(?:global|local)_var[ \t])"),
        _sign("POV-Ray SDL", r"^[ \t]*#(?:declare|local|macro|while)[ \t]"),
        _sign("Pascal", r"(?i)^[ \t]*(?:\{\$(?:mode|ifdef|undef|define|i)[ ]|end[.;][ \t\r]*$)", lacks=r"^[ \t]*#include"),
        _sign("BitBake", r"^inherit(?:[ \t]+[\w.-]+)+[ \t\r]*$|^[A-Z_]+[ \t]*\??\??=[ \t]*\""),
        _sign("Assembly", _MOVE, lacks=r"^[ \t]*#include"),
        _sign("C++", r"^[ \t]*#[ \t]*(?:include|define|ifdef|ifndef|if|pragma)\b"),
        _sign("HTML", r"(?i)^[ \t]*<(?:!doctype|html|div|table|script|p|a|ul)\b"),
        _sign("SQL", r"(?i)^[ \t]*(?:create|drop|alter|insert|select|delete|update|set)[ \t]+\w+[^\n;]*;"),
        _sign("Pawn"),
    ),
    "k": (
        _sign("KFramework", r"^(?:requires[ \t]+\"|[ \t]*syntax[ \t]+\w+[ \t]*::=|endmodule\b)"),
        _sign("KCL", r"^schema[ \t]+\w+|^\}\r?$"),
    ),
    "l": (
        _sign("Common Lisp", r"^[ \t]*\(def(?:un|macro)[ \t]"),
        _sign("Lex", r"^%[%{}xs]|^<[A-Z_][^\n]*>"),
        _ROFF,
        _sign("PicoLisp", r"^\((?:de|class|rel|code|data|must)[ \t]"),
    ),
    "lisp": _LISPS,
    "lp": (
        _sign("Linear Programming",
            r"(?i)^[ \t]*(?:minimi[sz]e|minimum|min|maximi[sz]e|maximum|max)(?:[ \t]+multi-objectives)?[ \t\r]*$"),
        _sign("Answer Set Programming",
            r"^[ \t]*(?:#(?:include|const|program|script|show|minimize|maximize|heuristic|project|edge|theory|"
            r"defined)\b|[^\s%][^\n%]*:-|:-|[a-z_]\w*(?:\([^\n)]*\))?[ \t]*\.[ \t\r]*$)"),
    ),
    "ls": (_sign("LoomScript", r"^[ \t]*package\b[^\n]*(?:\{|\r?$)"), _sign("LiveScript")),
    "lsp": _LISPS,
    "m": (
        _sign("Objective-C",
            r"^[ \t]*(?:@(?:interface|class|protocol|property|end|implementation|autoreleasepool|import)\b|"
            r"#[ \t]*(?:import|include)\b)|\bNS[A-Z]\w+"),
        _sign("Mercury", r"^:- module\b"),
        _sign("Muf", r"^: "),
        _sign("M", r"^[ \t]*;", lacks=r"^[ \t]*(?:(?:function|classdef)\b|%[^A-Z])"),
        _sign("Mathematica", r"\(\*|^BeginPackage\["),
        _sign("MATLAB", r"^[ \t]*(?:function\b|classdef\b|%)"),
        _sign("Limbo", r"^\w+[ \t]*:[ \t]*module[ \t]*\{"),
    ),
    "mask": (_sign("Unity3D Asset", r"tag:unity3d\.com"), _sign("Mask")),
    "mc": (
        _sign("Win32 Message File", r"(?i)^[ \t]*(?:/\*[ \t]*)?MessageId=|^\.\r?$"),
        _sign("M4", r"^dnl\b|^divert\("),
        _sign("Monkey C", r"^[ \t]*(?:using|module|function|class|var|import)[ \t]+\w"),
    ),
    "md": (
        _sign("GCC Machine Description", r"^\(define_[a-z_]+\b", lacks=r"^[A-Za-z#*>|`~\[!-]|</"),
        _sign("Markdown", r"^[-A-Za-z0-9=#!*\[|>`~]|</"),
        _sign("GCC Machine Description", r"^(?:;;|\(define_)"),
    ),
    "ml": (
        _sign("OCaml", r"^[ \t]*(?:module[ \t]|open[ \t]+[A-Z]|let[ \t]+rec[ \t]|external[ \t])|\bmatch[ \t][^\n]{0,200}\bwith\b"),
        _sign("Standard ML", r"=> |\bcase[ \t][^\n]{0,200}\bof\b"),
    ),
    "mm": (_sign("XML", r"\A\s*<(?:\?xml|map[ \t]+version)"), _sign("Objective-C++")),
    "mod": (
        _sign("XML", r"<!ENTITY[ \t]"),
        _sign("NMODL", r"^[ \t]*(?:NEURON|INITIAL|UNITS|BREAKPOINT)\b"),
        _sign("Modula-2", r"(?i)^[ \t]*(?:(?:definition|implementation)[ \t]+)?(?:module|end)[ \t]+[\w.]+[ \t]*[;.]"),
        _sign("Go Module", r"^module[ \t]+[\w./~-]+[ \t\r]*$", r"^(?:go[ \t]+\d|require\b)"),
        _sign("AMPL", r"(?i)^[ \t]*(?:param|var|set|minimize|maximize|subject to|s\.t\.)[ \t][^\n]*[;:{]"),
        _sign("Linux Kernel Module"),
    ),
    "mojo": (_sign("XML", _XML), _sign("Mojo", r"^[ \t]*(?:alias|def|from|fn|import|struct|trait)[ \t]")),
    "mps": (
        _sign("JetBrains MPS", r"<persistence\b"),
        _sign("Mathematical Programming System", r"(?i)^[ \t]*(?:ROWS|COLUMNS)[ \t\r]*$"),
    ),
    "ms": (
        _ROFF,
        _sign("Unix Assembly", r"^[ \t]*\.(?:include[ \t]|globa?l[ \t]|[A-Za-z]\w*:)", lacks=r"/\*"),
        _sign("MiniScript", r"^[ \t]*end (?:function|while|if|for)\b|[ \t]isa[ \t]"),
        _sign("MAXScript"),
    ),
    "msg": (
        _sign("OMNeT++ MSG",
            r"^(?:cplusplus\b|namespace[ \t]+[\w.:]+;|(?:struct|message|packet|class|enum)[ \t]+\w+|"
            r"import [\w.]+;)"),
        _ROS,
    ),
    "n": (_sign("Roff", r"^[.']"), _sign("Nemerle", r"^(?:module|namespace|using)[ \t]")),
    "ncl": (
        _sign("XML", _XML),
        _GERBER,
        _sign("Nickel", r"^(?:let[ \t]+(?:rec[ \t]+)?\w+|import[ \t]+\"[^\n]*\"[ \t]+as[ \t])|\bstd\.\w+\."),
        _sign("Text", r"THE_TITLE"),
        _sign("NCL", r"^(?:load \"|begin\r?$|;)"),
    ),
    "nl": (_sign("NL", r"^[bg]\d+ "), _sign("NewLisp")),
    "nr": (_sign("Roff", r"^\."), _sign("Noir")),
    "nu": (_sign("Nushell", r"^[ \t]*(?:import|export|module|def|let|let-env|use) "), _sign("Nu")),
    "odin": (
        _sign("Object Data Instance Notation", r"(?:^|<)[ \t]*\w+[ \t]*=[ \t]*<"),
        _sign("Odin", r"^package[ \t]+\w+|\b(?:im|ex)port[ \t]*\"|\b\w+[ \t]*::[ \t]*(?:proc|struct)\b"),
    ),
    "p": (
        _sign("Gnuplot", r"^s?plot\b|^set[ \t]+(?:term|terminal|out|output|[xy]tics|[xy]label|[xy]range|style)\b"),
        _sign("OpenEdge ABL",
            r"(?i)\bDEFINE[ \t]+(?:VARIABLE|TEMP-TABLE|BUFFER|QUERY|INPUT[ \t]+PARAMETER|OUTPUT[ \t]+PARAMETER)\b|"
            r"^[ \t]*END(?:[ \t]+(?:PROCEDURE|FUNCTION|DO))?\."),
    ),
    "pc": (
        _sign("Pro*C", r"(?i)^[ \t]*EXEC[ \t]+SQL\b"),
        _sign("pkg-config", r"^Name:[ \t]+\S", r"^Version:[ \t]+\S"),
    ),
    "php": (_HACK, _sign("PHP", r"<\?")),
    "pkl": (
        _sign("Pickle", r"\A(?:\x80[\x02-\x05]|\([dlp])"),
        _sign("Pkl",
            r"^[ \t]*(?:module|import|amends|extends|local|const|fixed|abstract|open|class|typealias|@\w+)\b|"
            r"^[ \t]*[\w$]+[ \t]*[={:]"),
    ),
    "pl": (_sign("Perl"), _sign("Prolog"), _sign("Raku")),
    "plist": (
        _sign("XML Property List", r"^[ \t]*<(?:\?xml\b|!DOCTYPE[ \t]+plist|plist\b)"),
        _sign("OpenStep Property List"),
    ),
    "plt": (_sign("Prolog", r"^[ \t]*:-"), _sign("Gnuplot", r"^s?plot\b|^set[ \t]+\w+")),
    "pluginspec": (_sign("XML", _XML), _sign("Ruby", r"^[ \t]*(?:Jenkins::|Gem::|require\b|\w+\.\w+[ \t]*=)")),
    "pm": (_sign("X PixMap", r"^[ \t]*/\*[ \t]*XPM[ \t]*\*/"), _sign("Perl"), _sign("Raku"), _sign("Prolog")),
    "pod": (_sign("Pod 6", r"^[ \t]*=(?:comment|begin pod|begin para|item\d+)"), _sign("Pod"), _sign("Perl")),
    "pp": (
        _sign("Puppet", r"^[ \t]+\w+[ \t]+=>[ \t]|^(?:class|define|node)[ \t]+[\w:'\"]+[^\n]*[({]"),
        _sign("Pascal", r"(?i)^[ \t]*end[.;]|^[ \t]*(?:unit|program|uses)[ \t]+\w+"),
    ),
    "pro": (
        _sign("Proguard", r"^-(?:include\b|keep\w*\b|dontwarn\b|dontobfuscate\b)"),
        _sign("QMake", r"^[ \t]*(?:TEMPLATE|CONFIG|QT|SOURCES|HEADERS|TARGET)[ \t]*[+*-]?="),
        _sign("Prolog", r"^[^\[#\n]*:-"),
        _sign("INI", r"last_client="),
        _sign("IDL", r"(?i)^[ \t]*(?:function|pro|compile_opt)[ \t]+\w[ \w,:]*\r?$"),
    ),
    "properties": (
        _sign("INI", r"^[^#!;=\n][^=\n]*=", r"^[;\[]"),
        _sign("Java Properties", r"^[^#!;=\n][^=\n]*=", r"^[#!]"),
        _sign("Java Properties", r"^[^#!\n][^:\n]*:"),
    ),
    "q": (
        _sign("HiveQL", r"(?i)\bSELECT[ \t]+[\w*, \t]{1,200}[ \t]FROM\b|\b(?:CREATE|ALTER|DROP)[ \t](?:DATABASE|SCHEMA|TABLE)\b"),
        _sign("q", r"[A-Z.][\w.]{0,60}:\{|^\\(?:cd?|d|l|p|ts?) "),
    ),
    "qs": (
        _sign("Q#", r"^(?:/{2,3})?[ \t]*(?:namespace|operation)\b"),
        _sign("Qt Script", r"\w\.prototype\.\w|===|\bvar\b"),
    ),
    "r": (
        _sign("Rebol", r"(?i)^[ \t]*(?:\[[ \t]*)?(?:REBOL|Red)[ \t]*\[|^#![^\n]*\brebol\b"),
        _sign("Rez",
            r"^[ \t]*(?:#[ \t]*include[ \t]+[\"<][^\n\">]*\.r[\">]|(?:resource|data|type|read|"
            r"include)[ \t]+'[^\n']{4}'[ \t]*[({;\r\n])"),
        _sign("R", r"<-|^[ \t]*#|\bfunction[ \t]*\("),
        _sign("Rebol", r"(?i)\brebol\b"),
    ),
    "re": (
        _sign("Reason",
            r"^[ \t]*(?:module[ \t]+type[ \t]|(?:include|open)[ \t]+[\w.]+[ \t]*;|let[ \t]+(?:module[ \t]|"
            r"\w+[^\n]*=[^\n]*;[ \t\r]*$))"),
        _sign("C++", r"^[ \t]*(?:#[ \t]*(?:if|ifdef|define|pragma|include)\b|template[ \t]*<)"),
    ),
    "res": (
        _sign("ReScript", r"^[ \t]*(?:(?:let|module|type)[ \t]+\w*[ \t]*=|(?:include|open)[ \t]+\w+[ \t\r]*$)"),
        _sign("XML", _XML),
    ),
    "rno": (_sign("Roff", r"^\.\\\" "), _sign("RUNOFF")),
    "rpy": (
        _sign("Ren'Py",
            r"^[ \t]*(?:label[ \t]+\w+[^\n]*:|init(?:[ \t]+-?\d+)?(?:[ \t]+python)?[ \t]*:|screen[ \t]+\w+|"
            r"define[ \t]+\w|image[ \t]+\w+|menu:)"),
        _sign("Python", r"^(?:import|from|class|def)[ \t]"),
    ),
    "rs": (
        _sign("Rust",
            r"^[ \t]*(?:(?:use|fn|mod|pub|impl|let|trait|unsafe)[ \t(<{]|pub\(|macro_rules!|#!?\[|(?:static|"
            r"const)[ \t]+(?:mut[ \t]+)?\w+[ \t]*:|extern[ \t]+crate\b|//[!/])"),
        _sign("RenderScript", r"^[ \t]*#[ \t]*(?:include\b|pragma[ \t]+(?:rs|version)\b)|__attribute__"),
        _sign("XML", _XML),
    ),
    "s": (
        _sign("Unix Assembly", r"(?i)\bmov[lqbw]?[ \t]+[%$]"),
        _M68K,
        _sign("Assembly", _MOVE),
    ),
    "sc": (
        _sign("SuperCollider",
            r"(?i)\^(?:this|super)\.|^[ \t]*~\w+[ \t]*=|\bSynthDef\b|^\+?[ \t]*\w+[ \t]*\{[ \t]*\*new\b|"
            r"^[ \t]*\*\w+[ \t]*\{"),
        _sign("Scala", r"^[ \t]*(?:import[ \t]+[\w.{]|package[ \t]|(?:case[ \t]+)?(?:class|object)\b|val[ \t]|def[ \t])"),
    ),
    "scd": (
        _sign("SuperCollider",
            r"(?i)\^(?:this|super)\.|^[ \t]*(?:~\w+[ \t]*=|SynthDef\b|s\.boot|\([ \t\r]*$)|"
            r"\{[^\n]{0,200}\}\.play\b"),
        _sign("Markdown", r"^#+[ \t]+(?:NAME|SYNOPSIS|DESCRIPTION)\b"),
    ),
    "sch": (
        _sign("Eagle", r"<!DOCTYPE eagle\b|<eagle\b"),
        _sign("KiCad Schematic", r"^EESchema\b|^\(kicad_sch\b"),
        _sign("XML", _XML),
        _sign("Scheme", r"^[ \t]*\((?:define|import|library|let|module)\b"),
    ),
    "scm": (
        _sign("Tree-sitter Query",
            r"\(#[\w-]+[!?]|^[ \t]*[\w)\]\"]+\)?[ \t]+@[\w.]+|[\)\]][ \t]+@[\w.]+", lacks=
            r"^[ \t]*\((?:define|import|library|lambda)\b"),
        _sign("Scheme", r"^[ \t]*\((?:define\*?|import|library|lambda|use-modules)\b"),
    ),
    "sol": (
        _GERBER,
        _sign("Solidity", r"\bpragma[ \t]+solidity\b|^[ \t]*(?:abstract[ \t]+)?(?:contract|interface|library)[ \t]+\w"),
    ),
    "spec": (
        _sign("RPM Spec", r"^%(?:description|prep|build|install|files|changelog|package)\b"),
        _sign("Python", r"^(?:import|from|def|class)[ \t]|\bAnalysis[ \t]*\("),
        _sign("Ruby", r"^[ \t]*(?:Gem::|Pod::|require\b|describe\b|\w+\.\w+[ \t]*=)"),
    ),
    "sql": (_sign("SQL"), _sign("PLSQL"), _sign("PLpgSQL"), _sign("SQLPL"), _sign("TSQL")),
    "srt": (_sign("SubRip Text", _TIME), _sign("SRecode Template", r"^(?:template|set|context|prompt|mode)[ \t]")),
    "srv": (_ROS,),
    "st": (
        _sign("Smalltalk",
            r"\A\s*[\"']|![\w \t.]{0,200}methodsFor:|\bclass[ \t]*>>|>>[ \t]*\w+|^Class[ \t]*\{|\bif(?:True|"
            r"False):[ \t]*\[|^[A-Z]\w*[ \t]+subclass:[ \t]*#?"),
        _sign("StringTemplate", r"\$\w+[($]|^\w+\([^\n]*\)[ \t]*::=|<!|\{!"),
        _sign("Smalltalk", r"\b\w+[ \t]*:=[ \t]*\w"),
    ),
    "star": (_sign("STAR", r"^loop_[ \t\r]*$|^data_\w"), _sign("Starlark")),
    "stl": (_sign("STL", r"\A\s*solid(?:$|\s)", r"^[ \t]*endsolid(?:$|\s)"),),
    "svx": (_sign("Survex data", r"\A(?:;|\*[^*\n]+$)"), _sign("mdsvex")),
    "sw": (_sign("XML", _XML), _sign("Sway", r"^[ \t]*(?:(?:abi|dep|fn|impl|mod|pub|trait|script|contract|library)\b|#\[)")),
    "t": (
        _sign("Turing",
            r"^[ \t]*(?:%[ \t]|var[ \t]+\w+(?:[ \t]*:[ \t]*\w+)?[ \t]*:=[ \t]*\w)",
            lacks=r"^[ \t]*(?:use|my|package|sub)[ \t]|^  [$%>] "),
        _sign("Perl"),
        _sign("Raku"),
        _sign("Terra", r"^[ \t]*(?:terra[ \t]+\w+[ \t]*\(|local[ \t]+\w+[ \t]*=[ \t]*terralib\b|local[ \t]+terra[ \t])"),
        _sign("Prolog"),
    ),
    "tact": (_sign("JSON", r"\A\s*\{[ \t\r\n]{0,9}\""), _sign("Tact")),
    "tag": (_sign("Java Server Pages", r"<%[@!=\s]?[ \t]*(?:taglib|tag|include|attribute|variable)\s"),),
    "tl": (_sign("Teal", r"^[ \t]*(?:local|function|end|record|interface|enum|global)\b"), _sign("Type Language")),
    "tlv": (_sign("TL-Verilog", r"^\\.{0,10}TLV_version"),),
    "toc": (
        _sign("World of Warcraft Addon Data", r"^## |@no-lib-strip@"),
        _sign("TeX", r"^\\(?:contentsline|defcounter|beamer|boolfalse)"),
    ),
    "tpl": (_sign("Go Template",
            r"\{\{-?[ \t]*(?:\.|\$|\"|`|/\*|if\b|range\b|with\b|define\b|include\b|template\b|end\b)",
        ),
        _sign(
            "Smarty", r"\{(?:\*|\$|/\w|\w)")),
    "trigger": (_sign("Apex",
            r"(?i)^[ \t]*trigger[ \t]+\w+[ \t]+on[ \t]+\w+"), _sign("Shell",
            r"\A#!|^[ \t]*(?:echo|if[ \t]+\[|export)\b")),
    "ts": (_sign("TypeScript"), _sign("XML")),
    "tsp": (
        _sign("TypeSpec", r"^(?:import|using|namespace|interface|op|model|scalar|alias|union|enum)[ \t]"),
        _sign("TSPLIB data", r"^(?:NAME|TYPE|DIMENSION|EDGE_WEIGHT_TYPE|EDGE_WEIGHT_FORMAT)[ \t]*:"),
    ),
    "tst": (_sign("GAP", r"^gap> "), _sign("Scilab")),
    "tsx": (_sign("XML", r"(?i)\A\s*<(?:\?xml\b|!DOCTYPE[ \t]+tileset|tileset[ \t]+\w+=)"), _sign("TSX")),
    "typ": (_sign("Typst", r"^#(?:import|show|let|set)\b"), _sign("XML", _XML)),
    "uc": (
        _sign("UnrealScript",
            r"(?i)^[ \t]*(?:class|interface)[ \t]+\w+[^\n]*\bextends\b|^[ \t]*defaultproperties\b|"
            r"^[ \t]*simulated[ \t]"),
        _sign("ucode", r"^#![^\n]*\bucode\b|^[ \t]*(?:['\"]use strict['\"];|(?:export|import)\b|let[ \t]+\w)"),
    ),
    "url": (_sign("INI", r"^\[InternetShortcut\]"),),
    "v": (
        _sign("Coq",
            r"(?:^|\s)(?:Proof|Qed)\.(?:$|\s)|(?:^|\s)Require[ \t]+(?:Import|Export)\s|^(?:Definition|Lemma|"
            r"Theorem|Inductive)\b"),
        _sign("Verilog",
            r"^[ \t]*(?:module\b[^;\n]*[;(]|module\b[^;]{0,2000};|`(?:define|ifdef|ifndef|include|timescale|"
            r"pragma)\b|always[ \t]*@|initial\b)"),
        _sign("V",
            r"^(?:module[ \t]+\w+[ \t\r]*$|(?:pub[ \t]+)?fn[ \t]+\w+|import[ \t]+[\w.]+[ \t\r]*$)|\$(?:if|"
            r"else)[ \t]|^[ \t]*for[ \t]*\{"),
    ),
    "vba": (_sign("Vim Script", r"^UseVimball"), _sign("VBA")),
    "vcf": (_sign("TSV", r"\A##fileformat=VCF"), _sign("vCard", r"\ABEGIN:VCARD")),
    "w": (
        _sign("OpenEdge ABL", r"&ANALYZE-SUSPEND _UIB-CODE-BLOCK _CUSTOM _DEFINITIONS"),
        _sign("CWeb", r"^@(?:<|\w+\.|\*|[ \t])"),
    ),
    "x": (
        _sign("DirectX 3D File", r"^xof 030[23](?:txt|bin|tzip|bzip)\b"),
        _sign("RPC", r"\b(?:program|version)[ \t]+\w+[ \t\r\n]{0,9}\{|\bunion[ \t]+\w+[ \t]+switch[ \t]*\("),
        _sign("Logos", r"^%(?:end|ctor|hook|group)\b"),
        _sign("Linker Script", r"\bOUTPUT_(?:ARCH|FORMAT)[ \t]*\(|\bSECTIONS\b"),
    ),
    "yaml": (_sign("MiniYAML", r"^\t+[^\s:#-][^\n:]*:", lacks=r"^---"), _sign("YAML")),
    "yml": (_sign("MiniYAML", r"^\t+[^\s:#-][^\n:]*:", lacks=r"^---"), _sign("YAML")),
    "yy": (_sign("JSON", r"\A\s*[{\[]", lacks=r"^%%"), _sign("Yacc")),
}  # fmt: skip
"""For each extension, in lower case and without the dot, the languages that share it, by their signs."""


def sharing_languages(extension: str) -> tuple[str, ...]:
    """The languages that share an extension; none for another extension."""
    return tuple(dict.fromkeys(sign.language for sign in SHARED.get(extension, ())))


def language_shown(extension: str, head: bytes) -> str | None:
    """The language that the beginning of a file with a shared extension shows; None where nothing shows one."""
    for language, has, lacks in _compiled(extension):
        if all(sign.search(head) for sign in has) and not (lacks and lacks.search(head)):
            return language
    return None


@cache
def _compiled(extension: str) -> tuple[tuple[str, tuple[re.Pattern[bytes], ...], re.Pattern[bytes] | None], ...]:
    """The signs of an extension, compiled when the first file needs them: a run meets few of all these extensions."""
    return tuple(
        (sign.language, tuple(map(_pattern, sign.has)), _pattern(sign.lacks) if sign.lacks else None)
        for sign in SHARED.get(extension, ())
        if sign.has
    )


def _pattern(text: str) -> re.Pattern[bytes]:
    return re.compile(text.encode("ascii"), re.MULTILINE)
