"""Definitions are found where they are, in each language, and nothing else is taken for one."""

# ruff: noqa: E501  (sources in one line show their line numbers best)
from __future__ import annotations

import ast
import re
import time
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.base.symbols import definition_of, definitions, enclosing_symbol, holds_word

Found = set[tuple[str, int, int]]


def by_the_parser(tree: ast.AST, outer: str = "") -> Found:
    found: Found = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            start = min([node.lineno, *(each.lineno for each in node.decorator_list)]) - 1
            found.add((outer + node.name, start, node.end_lineno or 0))
            found |= by_the_parser(node, f"{outer}{node.name}.")
        else:
            found |= by_the_parser(node, outer)
    return found


def test_python_is_found_as_its_own_parser_finds_it() -> None:
    wanted = agreed = extra = 0
    folder = Path(ast.__file__).parent
    for path in [*folder.glob("*.py"), *folder.glob("asyncio/*.py")]:
        text = path.read_text("utf-8", errors="replace")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            known = by_the_parser(ast.parse(text))
        ours = {(each.name, each.start, each.end) for each in definitions(text, path.name)}
        wanted, agreed = wanted + len(known), agreed + len(known & ours)
        extra += len(ours - known)
    assert wanted > 5_000
    assert agreed / wanted >= 0.98
    assert extra / wanted <= 0.02


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (
            "a.py",
            (
                'x = """\ndef no(): pass\n"""\n@a(\n  1)\nasync def f(\n  b="class A:"):\n    pass\n'
                "    # after\n\nclass B:\n    class C:\n        def m(self): return (\n1)\n"
            ),
            ["f 3-8", "B 10-14", "B.C 11-14", "B.C.m 12-14"],
        ),
        (
            "a.tsx",
            (
                "import a from 'b'\n\nexport const f = async (x: {y: number}) => {\n  if (x) { y() }\n}\n"
                "export class A extends B {\n  #p = 1\n  get v(): number {\n    return 1 // }\n  }\n"
                "  h = (e) => {\n    go(`}${e}`)\n  }\n}\ninterface I {\n  a: string\n}\n"
                "export default function main() {\n}\ndescribe('x', () => {\n})\n"
            ),
            ["f 2-5", "A 5-14", "A.v 7-10", "A.h 10-13", "I 14-17", "main 17-19"],
        ),
        (
            "a.rs",
            (
                "#[derive(Debug)]\npub struct P<'a> {\n    c: char,\n}\nimpl<'a> D for P<'a> {\n"
                "    pub(crate) async fn go(&self) -> char {\n        '}'\n    }\n}\n"
            ),
            ["P 0-4", "P 4-9", "P.go 5-8"],
        ),
        (
            "a.go",
            (
                'package a\n\nimport (\n\t"b"\n)\n\ntype T struct {\n\tx int\n}\n\n'
                "func (t *T) Pay(n int) (int, error) {\n\tif n > 1 {\n\t\treturn `}`\n\t}\n}\n"
            ),
            ["T 6-9", "T.Pay 10-15"],
        ),
        (
            "A.java",
            (
                "package a;\n@Deprecated\npublic class A {\n  @Override\n  public int f(int x) throws E {\n"
                "    for (;;) { }\n  }\n  int g = 1;\n}\n"
            ),
            ["A 1-9", "A.f 3-7"],
        ),
        (
            "a.cpp",
            (
                "#include <x>\nnamespace n {\nclass C {\n  int f() const { return 1; }\n};\n}\n"
                "template <typename T>\nint n::C::g(T t) : a(1) {\n  return '}';\n}\n"
            ),
            ["n 1-6", "n.C 2-5", "n.C.f 3-4", "n.C.g 6-10"],
        ),
        (
            "a.cs",
            'namespace N {\n  class A {\n    [Fact]\n    void F() {\n      var s = @"\\";\n    }\n  }\n}\n',
            ["N 0-8", "N.A 1-7", "N.A.F 2-6"],
        ),
        (
            "a.php",
            "<?php\n# {\nclass A {\n  public function f() {\n    return '}';\n  }\n}\n",
            ["A 2-7", "A.f 3-6"],
        ),
        (
            "a.kt",
            'class A(val x: Int) {\n  fun f(): Int {\n    return 1\n  }\n  fun g() = "}"\n}\n',
            ["A 0-6", "A.f 1-4", "A.g 4-5"],
        ),
        (
            "a.swift",
            (
                "struct A {\n  func f(_ x: Int) -> Int {\n    guard x > 1 else { return 0 }\n  }\n"
                "  init(x: Int) {\n  }\n}\n"
            ),
            ["A 0-7", "A.f 1-4", "A.init 4-6"],
        ),
        (
            "a.rb",
            "module M\n  class A\n    def self.f(x)\n      x # end\n    end\n  end\nend\n",
            ["M 0-7", "M.A 1-6", "M.A.f 2-5"],
        ),
        (
            "a.lua",
            "local function f(x)\n  return x\nend\nM.g = function()\n  -- end\nend\n",
            ["f 0-3", "M.g 3-6"],
        ),
        (
            "a.sh",
            "f() {\n  cat <<END\n}\nEND\n  echo ${x}\n}\nfunction g\n{\n  :\n}\n",
            ["f 0-6", "g 6-10"],
        ),
        (
            "a.sql",
            (
                "-- create table no (\nCREATE TABLE IF NOT EXISTS t (\n  a text default ';'\n);\n"
                "create or replace function f() returns int as $$\nbegin return 1; end;\n$$ language x;\n"
            ),
            ["t 1-4", "f 4-7"],
        ),
        (
            "a.md",
            "# A\n\ntext\n\n## B c\n\n```\n# no\n```\n\n# D\n",
            ["A 0-9", "B c 4-9", "D 10-11"],
        ),
    ],
)
def test_each_language_is_read_by_its_own_shape(path: str, text: str, expected: list[str]) -> None:
    found = [f"{each.name} {each.start}-{each.end}" for each in definitions(text, path)]
    assert found == expected


def test_a_name_means_the_whole_or_the_end_of_a_qualified_name() -> None:
    text = "class A:\n    def f(self): pass\nclass B:\n    def f(self): pass\n"
    found = definitions(text, "a.py")
    lines = [getattr(definition_of(found, name), "start", None) for name in ("f", "B.f", "B::f")]
    assert lines == [1, 3, 3]
    assert definition_of(found, "g") is None
    assert enclosing_symbol(text.split("\n"), 3, "a.py") == "B.f"


SUFFIXES = ["py", "ts", "rs", "go", "cpp", "cs", "php", "kt", "rb", "lua", "sh", "sql", "md", ""]


@given(
    st.text(
        st.sampled_from(list("aA \t\n'\"`#/*\\{}()[]<>;:=,.-$@|&")) | st.characters(), max_size=200
    ),
    st.sampled_from(SUFFIXES),
)
def test_no_text_breaks_the_scan_and_every_span_lies_in_it(text: str, suffix: str) -> None:
    count = text.count("\n") + 1
    for each in definitions(text, f"a.{suffix}"):
        assert 0 <= each.start < each.end <= count


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "piece", ["{", "(", '"', "/*", "a<", "= ", "@a(", "fn ", "<<A\n", "a ", "\n", "const a=("]
)
def test_no_text_makes_the_scan_slow(suffix: str, piece: str) -> None:
    started = time.process_time()
    definitions(piece * (20_000 // len(piece)), f"a.{suffix}")
    assert time.process_time() - started < 2


@given(
    st.text(st.sampled_from("ab_1é²٣.- "), max_size=12),
    st.text(st.sampled_from("ab_é. "), min_size=1),
)
def test_a_word_is_held_where_a_pattern_for_it_would_match(text: str, word: str) -> None:
    pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
    assert holds_word(text, word) == bool(pattern.search(text))
