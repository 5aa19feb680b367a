"""Write tests for what is selected, or for the symbol at the cursor, in the file that has them.

That is the file of tests that stands there already, or a new one where the language has its tests.
Offered only with a model, and in the menu that the user opened.

An example, which is also this file's test:

    def ‸total(order):
        return sum(order.cents)

    write     test_shop.py: import shop
    model     append: def test_total(): ...
    offered   Milepost: write tests for `total`
    edited    def test_total(): ...
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from milepost import api
from milepost_lsp.actions.action import Action, Call, Place
from milepost_lsp.actions.assisting import Target, Wanted, code_at, delivered, look, offer_edit
from milepost_lsp.protocol import assist
from milepost_lsp.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lsprotocol import types

_FOLDERS = {"tests", "test", "__tests__"}
_SCRIPTS = {".js", ".jsx", ".ts", ".tsx", ".mjs", ".mts"}


def offers(place: Place) -> list[types.CodeAction]:
    """One, for the selection or the symbol, in code that is no test itself."""
    subject = place.subject if place.is_invoked else None
    if subject is None or not place.has_model:
        return []
    if place.path is None or is_test(place.path):
        return []
    where = {"uri": place.uri, "range": place.span_json}
    return [offer_edit(place, f"write tests for {subject}", assist.TEST, where)]


async def edit(call: Call, arguments: assist.CodeArguments) -> Wanted:
    """What the model is asked for."""
    seen = await look(call, arguments.uri)
    workspace, code = await code_at(call, seen, arguments.range)
    if code.path is None or is_test(code.path):
        raise api.UserError("tests are written for code in the project that is no test itself")
    root = workspace.project.root
    path = await call.session.run(file_of_tests, root, code.path)
    target = await _target(call, Path(root) / path)
    about = f"`{code.symbol}`" if code.symbol else f"lines {code.line + 1} to {code.end_line}"
    lines = len(target.text.lines)
    return Wanted(
        workspace=workspace,
        title=f"Write tests for {about}",
        request=(
            f"Write tests for {about} of {code.path}, which is shown beside. Add them to {path} "
            "(`append`; `replace` where an import has to be added), in the form of the tests that "
            "are there, or else of the language's usual ones. Test what the code promises, its "
            "edges and its failures; a test that cannot fail is none."
        ),
        code=api.Code(target.text.source, lines, lines, path=path, symbol=code.symbol),
        source=seen,
        target=target,
        beside=_around(seen.text, code),
    )


async def run(call: Call, arguments: assist.CodeArguments) -> assist.Edited:
    """Has the edit made or proposed."""
    return await delivered(call, await edit(call, arguments))


def is_test(path: str) -> bool:
    """Whether a file is one of tests, by its name."""
    name = PurePosixPath(path).name
    stem = name.split(".", 1)[0]
    return (
        stem.startswith("test_") or stem.endswith("_test") or ".test." in name or ".spec." in name
    )


def file_of_tests(root: str, path: str) -> str:
    """Where the tests of a file are, or would be; relative to the root."""
    places = list(_places(PurePosixPath(path)))
    for place in places:
        if (Path(root) / place).is_file():
            return place.as_posix()
    for place in places:
        # A folder for tests that is there was made for this.
        if (
            place.parent.name in {"tests", "test", "__tests__"}
            and (Path(root) / place.parent).is_dir()
        ):
            return place.as_posix()
    return places[-1].as_posix()


def _places(path: PurePosixPath) -> Iterator[PurePosixPath]:
    """Where tests may be, the least likely to exist by chance first, the usual new place last."""
    if path.suffix == ".py":
        name = f"test_{path.stem}.py"
        inner = PurePosixPath(*path.parts[1:-1]) if len(path.parts) > 1 else PurePosixPath()
        yield PurePosixPath("tests") / path.parent / name
        yield PurePosixPath("tests") / inner / name
        yield PurePosixPath("tests") / name
        yield path.parent / "tests" / name
        yield path.parent / name
    elif path.suffix in _SCRIPTS:
        yield path.parent / "__tests__" / f"{path.stem}.test{path.suffix}"
        yield path.with_name(f"{path.stem}.spec{path.suffix}")
        yield path.with_name(f"{path.stem}.test{path.suffix}")
    else:
        yield PurePosixPath("tests") / f"{path.stem}_test{path.suffix}"
        yield path.with_name(f"{path.stem}_test{path.suffix}")


async def _target(call: Call, path: Path) -> Target:
    uri = path.as_uri()
    # An editor may have it open and never saved.
    if call.editor.text(uri) is None and not await call.session.run(path.exists):
        return Target(uri, Text("", call.editor.codec), None, is_new=True)
    return await look(call, uri)


# A few hundred lines around what is meant: its helpers and imports are likely among them.
_LINES_AROUND = 200


def _around(text: Text, code: api.Code) -> str:
    return "".join(text.lines[max(0, code.line - _LINES_AROUND) : code.end_line + _LINES_AROUND])


ACTION = Action(assist.TEST, assist.CodeArguments, run, offers, edit=edit)
