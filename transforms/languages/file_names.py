"""The programming language of a file from its name or its first line, by The Stack's (linguist's) names.

An extension that several languages share is listed only where one of them is by far the most common (`.h`, `.pl`);
others (`.m`, `.v`, `.cls`, `.inc`) give none. Source: https://github.com/github-linguist/linguist, languages.yml.
"""

import re

_EXTENSIONS = {
    "Ada": "adb ads",
    "Agda": "agda",
    "ANTLR": "g4",
    "AppleScript": "applescript",
    "Assembly": "asm s nasm",
    "Astro": "astro",
    "Awk": "awk",
    "Batchfile": "bat cmd",
    "BitBake": "bb bbappend",
    "C": "c h",
    "C#": "cs csx",
    "C++": "cc cpp cxx c++ hpp hh hxx h++ inl ipp tcc tpp",
    "CMake": "cmake",
    "COBOL": "cbl cob cpy",
    "CSS": "css",
    "Clojure": "clj cljs cljc",
    "CoffeeScript": "coffee",
    "Common Lisp": "lisp lsp",
    "Crystal": "cr",
    "Cuda": "cu cuh",
    "Cython": "pyx pxd pxi",
    "D": "di",
    "Dart": "dart",
    "Diff": "diff patch",
    "Dockerfile": "dockerfile",
    "Elixir": "ex exs",
    "Elm": "elm",
    "Emacs Lisp": "el",
    "Erlang": "erl hrl",
    "F#": "fsi fsx",
    "Fortran": "f f77 f90 f95 f03 f08 for",
    "GDScript": "gd",
    "GLSL": "glsl vert frag geom",
    "Go": "go",
    "GraphQL": "graphql gql",
    "Groovy": "groovy gradle",
    "HCL": "hcl tf tfvars",
    "HLSL": "hlsl",
    "HTML": "html htm xhtml",
    "HTML+ERB": "erb",
    "Haskell": "hs",
    "Haxe": "hx",
    "INI": "ini cfg",
    "Idris": "idr",
    "JSON": "json",
    "JSON5": "json5",
    "Java": "java",
    "Java Server Pages": "jsp",
    "JavaScript": "js mjs cjs jsx",
    "Jinja": "j2 jinja jinja2",
    "Julia": "jl",
    "Jupyter Notebook": "ipynb",
    "Kotlin": "kt kts",
    "LLVM": "ll",
    "Lean": "lean",
    "Less": "less",
    "Literate Haskell": "lhs",
    "Lua": "lua",
    "M4": "m4",
    "Makefile": "mk mak",
    "Markdown": "md markdown",
    "Mako": "mako",
    "Nim": "nim",
    "Nix": "nix",
    "OCaml": "ml mli",
    "Objective-C++": "mm",
    "PHP": "php phtml",
    "PLSQL": "pks pkb",
    "Pascal": "pas dpr",
    "Perl": "pl pm t",
    "PowerShell": "ps1 psm1 psd1",
    "Prolog": "prolog",
    "Protocol Buffer": "proto",
    "PureScript": "purs",
    "Python": "py pyi pyw",
    "QML": "qml",
    "R": "r",
    "RMarkdown": "rmd",
    "Racket": "rkt",
    "Ruby": "rb rake gemspec",
    "Rust": "rs",
    "SCSS": "scss",
    "SQL": "sql",
    "SVG": "svg",
    "SWIG": "swg swig",
    "Sass": "sass",
    "Scala": "scala sbt",
    "Scheme": "scm",
    "Shell": "sh bash zsh ksh bats",
    "Smarty": "tpl",
    "Solidity": "sol",
    "Standard ML": "sml",
    "Starlark": "bzl star",
    "Stylus": "styl",
    "Svelte": "svelte",
    "Swift": "swift",
    "SystemVerilog": "sv svh",
    "TOML": "toml",
    "TSX": "tsx",
    "Tcl": "tcl",
    "TeX": "tex sty",
    "Thrift": "thrift",
    "Twig": "twig",
    "TypeScript": "ts mts cts",
    "VHDL": "vhd vhdl",
    "Vala": "vala vapi",
    "Vim Script": "vim",
    "Visual Basic .NET": "vb",
    "Vue": "vue",
    "WebAssembly": "wat wast",
    "XML": "xml xsd",
    "XSLT": "xsl xslt",
    "YAML": "yaml yml",
    "Yacc": "y yy",
    "Zig": "zig",
    "fish": "fish",
    "reStructuredText": "rst",
}

_FILE_NAMES = {
    "BUILD": "Starlark",
    "BUILD.bazel": "Starlark",
    "Build.PL": "Perl",
    "CMakeLists.txt": "CMake",
    "Containerfile": "Dockerfile",
    "Dockerfile": "Dockerfile",
    "GNUmakefile": "Makefile",
    "Gemfile": "Ruby",
    "Jenkinsfile": "Groovy",
    "Makefile": "Makefile",
    "Makefile.PL": "Perl",
    "Podfile": "Ruby",
    "Rakefile": "Ruby",
    "SConscript": "Python",
    "SConstruct": "Python",
    "Snakefile": "Snakemake",
    "Vagrantfile": "Ruby",
    "WORKSPACE": "Starlark",
    "makefile": "Makefile",
    "meson.build": "Meson",
    "meson_options.txt": "Meson",
    ".bash_profile": "Shell",
    ".bashrc": "Shell",
    ".profile": "Shell",
    ".vimrc": "Vim Script",
    ".zshrc": "Shell",
}

_INTERPRETERS = {
    "ash": "Shell",
    "awk": "Awk",
    "bash": "Shell",
    "crystal": "Crystal",
    "dash": "Shell",
    "deno": "TypeScript",
    "elixir": "Elixir",
    "escript": "Erlang",
    "fish": "fish",
    "gawk": "Awk",
    "groovy": "Groovy",
    "julia": "Julia",
    "ksh": "Shell",
    "lua": "Lua",
    "luajit": "Lua",
    "make": "Makefile",
    "node": "JavaScript",
    "nodejs": "JavaScript",
    "perl": "Perl",
    "php": "PHP",
    "pwsh": "PowerShell",
    "pypy": "Python",
    "python": "Python",
    "rscript": "R",
    "ruby": "Ruby",
    "runhaskell": "Haskell",
    "scala": "Scala",
    "sh": "Shell",
    "tclsh": "Tcl",
    "zsh": "Shell",
}

_BY_EXTENSION = {extension: language for language, line in _EXTENSIONS.items() for extension in line.split()}
_SHEBANG = re.compile(rb"#!\s*(?:\S*/)?(?P<program>[^\s/]+)(?P<arguments>[^\r\n]*)")

SHEBANG_BYTES = 256
"""How much of a file's beginning `language_of_shebang` looks at."""


def language_of_name(name: str) -> str:
    """The language of a file by its name without folders; empty where the name does not tell."""
    if name in _FILE_NAMES:
        return _FILE_NAMES[name]
    stem, dot, extension = name.rpartition(".")
    if not dot:
        return ""
    if stem in ("Dockerfile", "Makefile"):  # Dockerfile.dev, Makefile.am
        return stem
    return _BY_EXTENSION.get(extension.lower(), "")


def may_have_shebang(name: str) -> bool:
    """Whether a name without a known language may still be that of a script: it has no extension."""
    return "." not in name


def language_of_shebang(head: bytes) -> str:
    """The language of a script by its first line, such as `#!/usr/bin/env python3`; empty where it does not tell."""
    match = _SHEBANG.match(head[:SHEBANG_BYTES])
    if match is None:
        return ""
    program = match["program"]
    if program == b"env":
        words = [word for word in match["arguments"].split() if not word.startswith(b"-") and b"=" not in word]
        program = words[0].rpartition(b"/")[2] if words else b""
    name = re.sub(r"[\d.]+$", "", program.decode("utf-8", "replace").lower())
    return _INTERPRETERS.get(name, "")
