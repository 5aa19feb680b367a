"""Source text with its comments and strings blanked out, so that what is left can be scanned.

Only as much of each language is known as it takes to tell code from what merely looks like it.
Every pattern is linear: an unclosed string ends with its line, or with the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

# What stands for the inside of a string: no letter, no bracket, no blank.
_FILLER = '"'

_LINE = {
    "slashes": r"//[^\n]*",
    "hash": r"\#[^\n]*",
    "dashes": r"--[^\n]*",
    "block": r"/\*[\s\S]*?(?:\*/|\Z)",
    # A preprocessor's line, with those that it goes on to.
    "preprocessor": r"^[ \t]*\#(?:[^\n\\]|\\[\s\S])*",
    "lua_block": r"--\[(?P<eq>=*)\[[\s\S]*?(?:\](?P=eq)\]|\Z)",
    "shell_hash": r"(?:(?<=\s)|^)\#[^\n]*",
    "php_tags": r"<\?(?:php|=)?|\?>[\s\S]*?(?:<\?(?:php|=)?|\Z)",
    "php_hash": r"\#(?!\[)[^\n]*",
    "ruby_block": r"^=begin\b[\s\S]*?(?:^=end\b[^\n]*|\Z)",
}

_STRING = {
    "double": r'"(?:\\[\s\S]|[^"\\\n])*"?',
    "single": r"'(?:\\[\s\S]|[^'\\\n])*'?",
    "triple": r'"""(?:\\[\s\S]|[^\\])*?(?:"""|\Z)',
    "triple_single": r"'''(?:\\[\s\S]|[^\\])*?(?:'''|\Z)",
    "template": r"`(?:\\[\s\S]|[^`\\])*(?:`|\Z)",
    "backtick": r"`[^`]*(?:`|\Z)",
    # A character, so that a Rust lifetime or a C++ digit separator is none.
    "char": r"(?<!\w)'(?:\\[^\n]{1,9}?|[^'\\\n])'",
    "rust_raw": r'\bb?r(?P<rs>\#*)"[\s\S]*?(?:"(?P=rs)|\Z)',
    "cpp_raw": r'\bu?8?[LUu]?R"(?P<cd>[^()\\\s]{0,16})\([\s\S]*?(?:\)(?P=cd)"|\Z)',
    "verbatim": r'(?:@\$?|\$@)"(?:[^"]|"")*"?',
    "regex": r"(?<=[(,=:\[!&|?{};\n])[ \t]*/(?![/*])"
    r"(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*",
    "multiline": r'"(?:\\[\s\S]|[^"\\])*(?:"|\Z)',
    "multiline_single": r"'(?:\\[\s\S]|[^'\\])*(?:'|\Z)",
    "shell_single": r"'[^']*(?:'|\Z)",
    # Shell, Ruby and PHP: `<<WORD`, and all lines up to the one that begins with WORD.
    "heredoc": r"<<<?[-~]?[ \t]*(?P<hq>['\"]?)(?P<hd>[A-Za-z_]\w*)(?P=hq)[^\n]*\n"
    r"[\s\S]*?(?:^[ \t]*(?P=hd)\b|\Z)",
    "lua_long": r"\[(?P<le>=*)\[[\s\S]*?(?:\](?P=le)\]|\Z)",
    "dollar": r"\$(?P<dq>\w*)\$[\s\S]*?(?:\$(?P=dq)\$|\Z)",
    "quoted": r"'(?:[^']|'')*(?:'|\Z)",
}


@dataclass(frozen=True, slots=True)
class Language:
    """How a language is scanned. `family` is python, braces, indentation, sql or markdown."""

    name: str
    family: str
    comments: tuple[str, ...] = ()
    strings: tuple[str, ...] = ()


_C_LIKE = ("slashes", "block")
_LANGUAGES = (
    (Language("python", "python", ("hash",), ("triple", "triple_single", "double", "single")),
     "py pyi pyw"),
    (Language("javascript", "braces", _C_LIKE, ("template", "double", "single", "regex")),
     "js jsx mjs cjs ts tsx mts cts"),
    (Language("rust", "braces", _C_LIKE, ("rust_raw", "multiline", "char")), "rs"),
    (Language("go", "braces", _C_LIKE, ("backtick", "double", "char")), "go"),
    (Language("java", "braces", _C_LIKE, ("triple", "double", "char")), "java groovy"),
    (Language("c", "braces", (*_C_LIKE, "preprocessor"), ("cpp_raw", "double", "char")),
     "c h cc cpp cxx hh hpp hxx inl m mm"),
    (Language("csharp", "braces", (*_C_LIKE, "preprocessor"),
              ("triple", "verbatim", "double", "char")), "cs"),
    (Language("php", "braces", (*_C_LIKE, "php_tags", "php_hash"),
              ("heredoc", "multiline", "multiline_single")), "php"),
    (Language("kotlin", "braces", _C_LIKE, ("triple", "double", "char")), "kt kts scala"),
    (Language("swift", "braces", _C_LIKE, ("triple", "double")), "swift"),
    (Language("ruby", "indentation", ("ruby_block", "shell_hash"),
              ("heredoc", "double", "single")), "rb rake"),
    (Language("lua", "indentation", ("lua_block", "dashes"), ("lua_long", "double", "single")),
     "lua"),
    (Language("shell", "braces", ("shell_hash",), ("heredoc", "multiline", "shell_single")),
     "sh bash zsh"),
    (Language("sql", "sql", ("dashes", "block"), ("dollar", "quoted", "double")),
     "sql ddl pgsql"),
    (Language("markdown", "markdown"), "md markdown mdx"),
)  # fmt: skip

_BY_SUFFIX = {suffix: language for language, names in _LANGUAGES for suffix in names.split()}
_OTHER = Language("other", "indentation")


@dataclass(frozen=True, slots=True)
class Blanked:
    """Source without comments and insides of strings, of the same length and lines. A line whose
    number is in `continued` begins inside a string."""

    text: str
    continued: frozenset[int]


def language_of(path: str) -> Language:
    """The language that the file's name tells."""
    return _BY_SUFFIX.get(PurePosixPath(path).suffix[1:].lower(), _OTHER)


def blanked(text: str, language: Language) -> Blanked:
    """`text` with what is no code blanked out."""
    pattern = _pattern(language)
    if pattern is None:
        return Blanked(text, frozenset())
    continued: set[int] = set()
    parts: list[str] = []
    at = 0
    line = 0
    for match in pattern.finditer(text):
        start, end = match.span()
        parts.append(text[at:start])
        line += text.count("\n", at, start)
        found = match.group()
        breaks = found.count("\n")
        if match.lastgroup == "comment" or match.group("comment") is not None:
            parts.append(_blank(found, " "))
        else:
            continued.update(range(line + 1, line + breaks + 1))
            parts.append(_blank(found, _FILLER))
        line += breaks
        at = end
    parts.append(text[at:])
    return Blanked("".join(parts), frozenset(continued))


@lru_cache(maxsize=32)
def _pattern(language: Language) -> re.Pattern[str] | None:
    """Comments and strings of a language, whichever begins first."""
    comments = "|".join(_LINE[name] for name in language.comments)
    strings = "|".join(_STRING[name] for name in language.strings)
    if not comments:
        return None
    return re.compile(rf"(?P<comment>{comments})|(?:{strings})", re.MULTILINE)


def _blank(found: str, filler: str) -> str:
    return "\n".join(filler * len(part) for part in found.split("\n"))
