"""Definitions in languages whose blocks stand in braces, by what stands before each brace.

The text comes with comments and strings blanked out. What stands between the end of the statement
before and an opening brace is the head of the block: it tells whether the block defines something,
and its first line is the definition's first line.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

_TOKEN = re.compile(r"[{}()\[\];]")
_TOKEN_OR_LINE = re.compile(r"[{}()\[\];\n]")

# Languages in which a line may end a statement.
_BY_LINES = {"javascript", "go", "kotlin", "swift", "shell"}

# A head longer than this is data, no signature.
_MAX_HEAD_CHARS = 2_000

_NAME = r"[^\W\d]\w*"

_KEYWORD = re.compile(
    rf"""(?<![\w.@$])(?:class|interface|struct|union|enum(?:\s+(?:class|struct))?|trait|protocol|extension
        |namespace|module|mod|record|actor|object|annotation\s+class)\s+
        (?:\[\[[^\]]*\]\]\s*)?(?P<type>{_NAME}(?:(?:::|\.){_NAME})*)
      |(?<![\w.@$])(?:function|fn|func|fun)\b\s*\*?\s*(?:<[^(]*?>\s*)?&?\s*(?:\((?P<receiver>[^)]*)\)\s*)?
        (?P<function>[^\W\d][\w$.]*)\s*(?=[(<\[])
      |(?<![\w.@$])impl\b(?:\s*<[^{{]*?>)?\s+(?:[^{{]*?\bfor\s+)?(?:&?\s*)(?P<impl>{_NAME}(?:::{_NAME})*)
      |(?<![\w.@$])macro_rules!\s*(?P<macro>{_NAME})
      |^\s*(?:public\s+|private\s+|internal\s+|required\s+|convenience\s+|override\s+)*
        (?P<init>init|deinit|subscript)\b(?=\s*[?(]|\s*$)
      |^\s*type\s+(?P<alias>{_NAME})(?:\[[^\]]*\])?\s+(?:struct|interface)\s*$""",
    re.VERBOSE,
)

# Languages in which only a keyword makes a function.
_KEYWORDS_ONLY = {"go", "rust", "kotlin", "swift", "php"}

_METHOD = re.compile(
    r"(?P<name>(?:[^\W\d][\w$]*(?:<[^()]*?>)?::)*(?:operator\s*(?:\(\)|[^\s\w(]{1,3}|\w+)"
    r"|[#~]?[^\W\d$]?[\w$]*[\w$]))\s*(?:<[^()]*>)?\s*\("
)
_ASSIGNED = re.compile(
    rf"""^\s*(?:(?:export|default|declare|public|private|protected|static|readonly|override|abstract
        |pub|var|let|const|async)\s+)*
    (?P<name>[\#$\w.]*[$\w])\s*[?!]?\s*(?::(?P<annotation>[^=]*))?=(?!=)\s*
    (?P<value>(?:async\b\s*)?(?:function\b.*|class\b.*|(?:<[^=]*>\s*)?\(.*\)\s*(?::.*)?=>|{_NAME}\s*=>)?)\s*$""",
    re.VERBOSE | re.DOTALL,
)
_PROPERTY = re.compile(rf"^\s*(?P<name>{_NAME}|)\s*:\s*(?:async\s*)?function\b.*$", re.DOTALL)

_SHELL = re.compile(
    r"^\s*(?:function\s+(?P<name>[\w:.-]+)(?:\s*\(\s*\))?|(?P<posix>[\w:.-]+)\s*\(\s*\))\s*$"
)

# What stands before a brace that opens an object rather than a block.
_OBJECT = re.compile(r"(?:[=(,\[?&|]|(?<!case)\s*:|\breturn|^)\s*$")

_HEAD_GOES_ON = re.compile(r"\s*(?:\{|->|(?:extends|implements|where|throws)\b)")

# What begins a head that is no definition, whatever follows.
_CONTROL = re.compile(
    r"\s*(?:\}?\s*else\b|(?:if|for|while|switch|catch|return|do|try|new|throw|case|default\s*:|await"
    r"|yield|foreach|using\s*\(|lock|fixed|synchronized|match|loop|unless|when|guard|defer|go|select"
    r"|typeof|sizeof|elseif|with|co_return|import|package)\b)"
)
_DECORATION = re.compile(r"@[\w.]+(?:\s*\((?:[^()]|\([^()]*\))*\))?|\[[^\[\]]*\]|#\[[^\]]*\]")

# A definition that ends without a block of its own.
_BARE = {
    "javascript": re.compile(
        rf"""^[ \t]*(?:export\s+)?(?:default\s+)?(?:declare\s+)?
        (?:type\s+(?P<type>{_NAME})\s*(?:<[^=]*>)?\s*=
          |(?:const|let|var)\s+(?P<name>[\w$]+)\s*(?::[^=\n]*)?=\s*(?:async\s*)?
           (?:\([^()]*\)|{_NAME})\s*(?::[^=\n]*)?=>(?!\s*\{{))""",
        re.MULTILINE | re.VERBOSE,
    ),
    "go": re.compile(
        rf"^[ \t]*type\s+(?P<name>{_NAME})(?:\[[^\]]*\])?\s+(?!struct\b|interface\b)\S",
        re.MULTILINE,
    ),
    "rust": re.compile(
        rf"""^[ \t]*(?:pub(?:\([^)]*\))?\s+)?
        (?:(?:const\s+)?(?:async\s+)?(?:unsafe\s+)?fn\s+(?P<name>{_NAME})
          |(?:struct|type)\s+(?P<type>{_NAME}))(?=[^{{;]*;)""",
        re.MULTILINE | re.VERBOSE,
    ),
    "kotlin": re.compile(
        rf"""^[ \t]*(?:\w+\s+)*?fun\s+(?:<[^>]*>\s*)?(?:[\w<>?]+\.)?(?P<name>{_NAME})\s*
        \([^()]*\)\s*(?::[^={{\n]*)?=""",
        re.MULTILINE | re.VERBOSE,
    ),
}


@dataclass(slots=True)
class _Open:
    """A bracket that is not closed yet."""

    sign: str
    head_start: int
    name: str | None = None
    start: int = 0
    is_container: bool = False
    is_inner: bool = False
    # The qualified name of the innermost definition around what it holds.
    around: str | None = None


def definitions(text: str, language: str) -> list[tuple[str, int, int]]:
    """Qualified name, first line and line after the last of each definition."""
    found = _with_blocks(text, language)
    if language in _BARE:
        found.extend(_without_blocks(text, language, found))
    starts = _line_starts(text)
    return sorted(
        ((name, _line_at(starts, begin), _line_at(starts, end) + 1) for name, begin, end in found),
        key=lambda each: (each[1], -each[2]),
    )


def _with_blocks(text: str, language: str) -> list[tuple[str, int, int]]:
    found: list[tuple[str, int, int]] = []
    stack: list[_Open] = []
    head_start = 0
    for token in (_TOKEN_OR_LINE if language in _BY_LINES else _TOKEN).finditer(text):
        sign, at = token.group(), token.start()
        in_block = not stack or stack[-1].sign == "{"
        if sign == "{":
            stack.append(_opened(text, head_start, at, stack, language))
            head_start = at + 1
        elif sign in "([":
            stack.append(_bracket(sign, head_start, stack))
        elif sign in ")]":
            if stack and stack[-1].sign == ("(" if sign == ")" else "["):
                stack.pop()
        elif sign == "}":
            closed = _closed(stack)
            if closed is not None and closed.name is not None:
                found.append((closed.name, closed.start, at))
            head_start = closed.head_start if closed is not None and closed.is_inner else at + 1
        elif in_block and (sign == ";" or not _head_goes_on(text, head_start, at)):
            head_start = at + 1
    return found


def _closed(stack: list[_Open]) -> _Open | None:
    """Take off the block that a brace closes. A bracket within that was never closed is a slip of
    the scan, and ends with its block."""
    while stack and stack[-1].sign != "{":
        stack.pop()
    return stack.pop() if stack else None


def _head_goes_on(text: str, begin: int, newline: int) -> bool:
    """Whether a head that began at `begin` goes on after a line's end."""
    before = text[begin:newline].strip()
    if before.startswith(("@", "#[")):
        return True
    if before.endswith(","):
        # Inside braces a comma ends a property of an object.
        return False
    return _goes_on(text, begin, newline) or _HEAD_GOES_ON.match(text, newline) is not None


def _bracket(sign: str, head_start: int, stack: list[_Open]) -> _Open:
    """A bracket that holds what the one around it may hold, until more is known of it."""
    if not stack:
        return _Open(sign, head_start, is_container=True)
    outer = stack[-1]
    return _Open(sign, head_start, is_container=outer.is_container, around=outer.around)


def _opened(text: str, head_start: int, at: int, stack: list[_Open], language: str) -> _Open:
    """What the brace at `at` opens."""
    head = text[max(head_start, at - _MAX_HEAD_CHARS) : at]
    opened = _bracket("{", head_start, stack)
    # `test("...", () => {` is a call, and no method of that name.
    is_argument = bool(stack and stack[-1].sign != "{")
    # A brace inside brackets, or after a colon, is a value or a type within the head.
    opened.is_inner = is_argument or head.rstrip().endswith((":", "|", "&"))
    may_hold = opened.is_container
    name, opened.is_container = _named(head, language, may_hold=may_hold and not is_argument)
    if name is None:
        # What only groups, such as `extern "C" {` or an object literal, may hold definitions.
        is_block = _CONTROL.match(head) or head.rstrip().endswith((")", "=>"))
        is_object = language == "javascript" and _OBJECT.search(head) is not None
        opened.is_container = is_object or (may_hold and not is_block)
        return opened
    opened.name = f"{opened.around}.{name}" if opened.around else name
    opened.around = opened.name
    opened.start = (
        head_start + len(head) - len(head.lstrip()) if len(head) < _MAX_HEAD_CHARS else at
    )
    return opened


def _named(head: str, language: str, *, may_hold: bool) -> tuple[str | None, bool]:
    """What the head of a block defines, and whether it holds definitions by itself."""
    if language == "shell":
        shell = _SHELL.match(head)
        return (shell["name"] or shell["posix"] if shell else None), False
    if _CONTROL.match(head) and not re.match(r"\s*default\s+", head):
        return None, False
    bare = _DECORATION.sub(lambda found: " " * len(found.group()), head)
    if language == "javascript" and (assigned := _assigned(bare, may_hold=may_hold)):
        return assigned
    if keyword := _KEYWORD.search(head if language == "go" else bare):
        name, is_type = _by_keyword(keyword, language)
        # `struct point make(int x) {` defines a function in C.
        if not (is_type and language == "c" and re.search(r"\w\s*\([^()]*\)\s*$", bare)):
            return name, is_type
    if language in _KEYWORDS_ONLY or not may_hold:
        return None, False
    return _method(bare), False


def _assigned(head: str, *, may_hold: bool) -> tuple[str | None, bool] | None:
    """JavaScript's functions, classes and objects that are values of a name; None for others."""
    found = _ASSIGNED.match(head)
    if found is not None and (found["value"] or may_hold):
        return _dotted(found["name"]), not found["value"] or found["value"].startswith("class")
    found = _PROPERTY.match(head)
    return None if found is None else (found["name"] or None, False)


def _by_keyword(found: re.Match[str], language: str) -> tuple[str, bool]:
    kind = found.lastgroup or ""
    name = _dotted(found[kind])
    if kind == "function" and language == "go" and found["receiver"]:
        owner = re.findall(_NAME, found["receiver"].partition("[")[0])
        name = f"{owner[-1]}.{name}" if owner else name
    return name, kind in ("type", "impl", "alias")


def _method(head: str) -> str | None:
    """The name before the first bracket of a head that has no keyword."""
    found = _METHOD.search(head)
    if found is None or "=" in head[: found.start()]:
        return None
    is_none = _CONTROL.match(found["name"]) or found["name"] == "function"
    return None if is_none else _dotted(found["name"])


def _without_blocks(
    text: str, language: str, known: list[tuple[str, int, int]]
) -> list[tuple[str, int, int]]:
    """Definitions of one expression or declaration."""
    starts = {begin for _, begin, _ in known}
    found: list[tuple[str, int, int]] = []
    for match in _BARE[language].finditer(text):
        begin = match.start() + len(match.group()) - len(match.group().lstrip())
        if begin in starts:
            continue
        name = next(group for group in match.groups() if group)
        inside = [each for each in known if each[1] <= begin <= each[2]]
        outer = f"{max(inside, key=lambda each: each[1])[0]}." if inside else ""
        found.append((outer + name, begin, _end_of_expression(text, match.end())))
    return found


def _end_of_expression(text: str, at: int) -> int:
    """Where a statement ends: at its semicolon, or with a line after which nothing is open."""
    depth = 0
    for token in re.finditer(r"[{}()\[\];\n]", text[at:]):
        sign, place = token.group(), at + token.start()
        if sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
            if depth < 0:
                return place - 1
        elif depth == 0 and sign == ";":
            return place
        elif depth == 0 and not _goes_on(text, at, place):
            return place - 1
    return len(text.rstrip()) - 1


def _goes_on(text: str, begin: int, newline: int) -> bool:
    before = text[begin:newline].rstrip()
    after = text[newline : newline + 200].lstrip()
    return (
        not before
        or before.endswith(("=", "=>", "|", "&", ",", "?", ":", "+", "("))
        or (after.startswith(("|", "&", "?", ":", ".", "+", "=>", ")")))
    )


def _dotted(name: str) -> str:
    return re.sub(r"<[^>]*>", "", name).replace("::", ".").replace(" ", "")


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]


def _line_at(starts: list[int], place: int) -> int:
    return bisect_right(starts, place) - 1
