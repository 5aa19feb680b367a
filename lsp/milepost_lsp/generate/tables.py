"""The contract as tables for docs/protocol.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp.generate.shapes import Either, Kind, ListOf, Named
from milepost_lsp.generate.typescript import kind
from milepost_lsp.protocol.message import Request

if TYPE_CHECKING:
    from milepost_lsp.generate.shapes import Contract, Field, Shape


def table(contract: Contract, name: str) -> str:
    """The block of that name: `commands`, `announcements`, `words`, `shapes`, or a subject's."""
    match name:
        case "commands":
            return _commands(contract)
        case "announcements":
            return _shapes([contract.shapes[kind(each)] for each in contract.announcements])
        case "shapes":
            return _shapes(_others(contract))
        case "words":
            return _words(contract)
        case _:
            return _messages(contract, name)


def _messages(contract: Contract, name: str) -> str:
    subject = next(each for each in contract.subjects if each.name == name)
    rows = ["| message | parameters | answer | |", "|---|---|---|---|"]
    for message in subject.messages:
        arrow = "client → server" if message.sender == "client" else "server → client"
        back = (
            _code(contract.answered[message.method])
            if isinstance(message, Request)
            else "_notification_"
        )
        there = _code(contract.sent[message.method])
        rows.append(f"| `{message.method}`<br>{arrow} | {there} | {back} | {message.summary} |")
    shapes = _shapes(_reached(contract, [message.method for message in subject.messages]))
    return "\n".join(rows) + "\n\n" + shapes


def _commands(contract: Contract) -> str:
    rows = ["| command | argument | result | |", "|---|---|---|---|"]
    for command in contract.commands:
        shape = contract.shapes[kind(contract.sent[command.name])]
        result = _code(contract.answered[command.name])
        rows.append(f"| `{command.name}` | {_signature(shape)} | {result} | {shape.doc} |")
    return "\n".join(rows) + "\n"


def _shapes(shapes: list[Shape]) -> str:
    rows = ["| shape | fields | |", "|---|---|---|"]
    rows += [f"| {shape.name} | {_signature(shape)} | {shape.doc} |" for shape in shapes]
    return "\n".join(rows) + "\n"


def _words(contract: Contract) -> str:
    rows = ["| name | one of |", "|---|---|"]
    rows += [f"| {name} | {_code(contract.aliases[name])} |" for name in sorted(contract.aliases)]
    return "\n".join(rows) + "\n"


def _signature(shape: Shape) -> str:
    return "<br>".join(_field(field) for field in shape.fields) or "_empty_"


def _field(field: Field) -> str:
    default = (
        f" = {field.default!r}".replace("'", '"').replace("True", "true").replace("False", "false")
        if field.is_optional and field.default is not None
        else ""
    )
    mark = "?" if field.is_optional else ""
    # A bar would end the table's cell.
    return f"`{field.name}{mark}: {kind(field.kind)}{default}`".replace("|", "\\|")


def _code(given: Kind) -> str:
    return f"`{kind(given)}`".replace("|", "\\|")


def _reached(contract: Contract, methods: list[str]) -> list[Shape]:
    """The shapes of these messages that no earlier subject has shown, in the order of use."""
    seen: dict[str, Shape] = {}
    for subject in contract.subjects:
        own: dict[str, Shape] = {}
        for message in subject.messages:
            for given in (contract.sent[message.method], contract.answered.get(message.method)):
                _reach(contract, given, own)
        fresh = {name: shape for name, shape in own.items() if name not in seen}
        if [message.method for message in subject.messages] == methods:
            return list(fresh.values())
        seen |= own
    return []


def _others(contract: Contract) -> list[Shape]:
    """The shapes that only commands answer with; their arguments stand in the commands' table."""
    shown: dict[str, Shape] = {}
    for given in (
        *contract.announcements,
        *(contract.sent[each.name] for each in contract.commands),
    ):
        shown[kind(given)] = contract.shapes[kind(given)]
    for subject in contract.subjects:
        for message in subject.messages:
            for given in (contract.sent[message.method], contract.answered.get(message.method)):
                _reach(contract, given, shown)
    return [contract.shapes[name] for name in sorted(contract.shapes) if name not in shown]


def _reach(contract: Contract, given: Kind | None, into: dict[str, Shape]) -> None:
    match given:
        case Named(name) if name in contract.aliases:
            _reach(contract, contract.aliases[name], into)
        case Named(name) if name not in into:
            shape = into[name] = contract.shapes[name]
            for field in shape.fields:
                _reach(contract, field.kind, into)
        case ListOf(inner) | Either(inner):
            for each in inner:
                _reach(contract, each, into)
        case _:
            pass
