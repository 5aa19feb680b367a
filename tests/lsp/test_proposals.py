"""Proposals: decisions hunk by hunk give just the text that was decided on, or nothing happens."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost import api
from milepost_lsp import archive, proposals
from milepost_lsp.arguments import ArgumentError
from milepost_lsp.proposals import Edit, Proposals
from tests.lsp.peer import Peer

URI = "file:///shop/a.txt"
OLD = "one\ntwo\nthree\nfour\nfive\n"
NEW = "ONE\ntwo\nthree\nFOUR\nfive\n"

MANY = settings(max_examples=150)


class Desk:
    """A client with one document open, and the proposals for it."""

    def __init__(self, text: str = OLD, announced: Any = None, **more: Any) -> None:
        self.peer = Peer({"proposals": True} if announced is None else announced, **more)
        self.proposals = Proposals(self.peer.editor, self.peer.session)
        self.peer.open(URI, text)

    @property
    def text(self) -> str:
        return self.peer.text(URI)

    def add(self, old: str = OLD, new: str = NEW) -> Any:
        return self.proposals.add(Edit(URI, "Shout", old, new))

    def add_applied(self, old: str = OLD, new: str = NEW) -> Any:
        proposal_id = self.proposals.add_applied(Edit(URI, "Shout", old, new), "session-1")
        assert proposal_id
        return self.proposals.get(proposal_id)

    def told(self) -> list[Any]:
        return [each["proposal"] for each in self.peer.told("milepost/proposal/didChange")]


@pytest_asyncio.fixture
async def desk() -> Desk:
    return Desk()


@pytest.mark.asyncio
async def test_an_accepted_hunk_is_written_and_a_rejected_one_is_not(desk):
    made = desk.add()
    assert [hunk.old_start for hunk in made.hunks] == [0, 3]
    after = await desk.proposals.accept(made.id, ["h2"])
    assert desk.text == "one\ntwo\nthree\nFOUR\nfive\n"
    assert [hunk.state for hunk in after.hunks] == ["open", "accepted"]
    assert after.state == "open"
    after = await desk.proposals.reject(made.id)
    assert desk.text == "one\ntwo\nthree\nFOUR\nfive\n"
    assert after.state == "accepted"
    assert [each["state"] for each in desk.told()] == ["open", "open", "accepted"]


@pytest.mark.asyncio
async def test_what_the_worker_wrote_is_kept_or_taken_back():
    desk = Desk(NEW)
    made = desk.add_applied()
    assert (made.origin, made.session_id, made.is_applied) == ("chat", "session-1", True)
    await desk.proposals.accept(made.id, ["h1"])
    assert desk.text == NEW
    after = await desk.proposals.reject(made.id, ["h2"])
    assert desk.text == "ONE\ntwo\nthree\nfour\nfive\n"
    assert after.state == "accepted"


@pytest.mark.asyncio
async def test_edits_say_which_version_they_are_for(desk):
    made = desk.add()
    desk.peer.type(URI, "zero\n" + OLD)
    await desk.proposals.accept(made.id)
    edit = desk.peer.told("workspace/applyEdit")[0]["edit"]
    assert edit["documentChanges"][0]["textDocument"] == {"uri": URI, "version": 2}
    assert desk.text == "zero\n" + NEW


@pytest.mark.asyncio
async def test_a_client_without_versions_gets_plain_changes():
    desk = Desk(capabilities={"workspace": {"applyEdit": True}})
    await desk.proposals.accept(desk.add().id)
    assert desk.text == NEW


@pytest.mark.asyncio
async def test_a_hunk_whose_lines_were_changed_is_refused_and_the_others_are_not(desk):
    made = desk.add()
    desk.peer.type(URI, OLD.replace("one", "eins"))
    for chosen in (None, ["h1"], ["h1", "h2"]):
        with pytest.raises(api.UserError, match="changed where hunk 1 of “Shout”"):
            await desk.proposals.accept(made.id, chosen)
    assert desk.text == OLD.replace("one", "eins")
    after = await desk.proposals.accept(made.id, ["h2"])
    assert desk.text == "eins\ntwo\nthree\nFOUR\nfive\n"
    # Now only the hunk that does not fit is open.
    with pytest.raises(api.UserError):
        await desk.proposals.accept(made.id)
    assert desk.told()[-1]["state"] == "stale"
    after = await desk.proposals.reject(made.id)
    assert after.state == "accepted"


@pytest.mark.asyncio
async def test_a_proposal_goes_stale_when_its_document_moves_on_and_comes_back_with_it(desk):
    desk.add()
    desk.peer.type(URI, "something else\n")
    await desk.proposals.look(URI)
    assert [each.state for each in await desk.proposals.page(None)] == ["stale"]
    desk.peer.type(URI, OLD)
    assert [each.state for each in await desk.proposals.page(URI)] == ["open"]
    assert [each["state"] for each in desk.told()] == ["open", "stale", "open"]


@pytest.mark.asyncio
async def test_a_decision_is_made_once(desk):
    made = desk.add()
    await desk.proposals.accept(made.id, ["h1"])
    with pytest.raises(api.UserError, match="h1 of “Shout” is accepted already"):
        await desk.proposals.reject(made.id, ["h1"])
    with pytest.raises(ArgumentError, match="no hunk h9"):
        await desk.proposals.accept(made.id, ["h9"])
    await desk.proposals.reject(made.id)
    with pytest.raises(api.UserError, match="decided on already"):
        await desk.proposals.accept(made.id)
    with pytest.raises(api.UserError, match="there is no proposal p-1 any more"):
        await desk.proposals.accept("p-1")


@pytest.mark.asyncio
async def test_decisions_at_the_same_time_are_made_one_after_the_other(desk):
    made = desk.add()
    await asyncio.gather(*(desk.proposals.accept(made.id, [name]) for name in ("h1", "h2")))
    assert desk.text == NEW


@pytest.mark.asyncio
async def test_an_editor_that_says_no_leaves_the_hunk_open(desk):
    made = desk.add()
    desk.peer.refuses = "read only"
    with pytest.raises(api.UserError, match="did not change the document \\(read only\\)"):
        await desk.proposals.accept(made.id)
    assert desk.proposals.get(made.id).state == "open"


@pytest.mark.asyncio
async def test_an_editor_that_says_yes_and_changes_nothing_is_found_out(desk, monkeypatch):
    monkeypatch.setattr("milepost_lsp.editor.APPLIED_WITHIN_S", 0.1)
    made = desk.add()
    desk.peer.forgets = True
    with pytest.raises(api.UserError, match="did not change the document; try again"):
        await desk.proposals.accept(made.id)
    assert desk.proposals.get(made.id).state == "open"


@pytest.mark.asyncio
async def test_an_editor_that_lets_nobody_change_a_document_is_not_asked():
    desk = Desk(capabilities={})
    with pytest.raises(api.UserError, match="lets no server change"):
        await desk.proposals.accept(desk.add().id)


@pytest.mark.asyncio
async def test_a_document_that_no_editor_has_open_is_read_from_its_file(tmp_path):
    desk = Desk()
    path = tmp_path / "b.txt"
    path.write_text("zero\n" + OLD, encoding="utf-8")
    desk.peer.documents[path.as_uri()] = ("zero\n" + OLD, 1)
    made = desk.proposals.add(Edit(path.as_uri(), "Shout", OLD, NEW))
    await desk.proposals.accept(made.id)
    assert desk.peer.text(path.as_uri()) == "zero\n" + NEW
    path.unlink()
    other = desk.proposals.add(Edit(path.as_uri(), "Shout", OLD, NEW))
    with pytest.raises(api.UserError, match="cannot be read"):
        await desk.proposals.accept(other.id)
    await desk.proposals.reject(other.id)


@pytest.mark.asyncio
async def test_the_list_is_of_a_document_a_folder_or_all(desk):
    made = desk.add()
    other = desk.proposals.add(Edit("file:///elsewhere/b.txt", "Other", "a\n", "b\n"))
    for uri, ids in (
        (None, [made.id, other.id]),
        (URI, [made.id]),
        ("file:///shop/%61.txt", [made.id]),
        ("file:///shop", [made.id]),
        ("file:///sho", []),
    ):
        assert [each.id for each in await desk.proposals.page(uri)] == ids


@pytest.mark.asyncio
async def test_there_is_a_bound_to_what_is_kept(desk, monkeypatch):
    with pytest.raises(api.UserError, match="too long to be shown"):
        desk.add(new="x" * (proposals.MAX_TEXT_CHARS + 1))
    with pytest.raises(api.UserError, match="stands there already"):
        desk.add(new=OLD)
    assert desk.proposals.add_applied(Edit(URI, "Shout", OLD, OLD), "s") is None
    ids = [desk.add().id for _ in range(proposals.MAX_KEPT + 5)]
    assert [each.id for each in await desk.proposals.page(None)] == ids[5:]
    monkeypatch.setattr(proposals, "MAX_CHARS", 3 * (len(OLD) + len(NEW)))
    ids.append(desk.add().id)
    assert [each.id for each in await desk.proposals.page(None)] == ids[-3:]


@pytest.mark.asyncio
async def test_both_sides_can_be_read_for_a_diff(desk):
    made = desk.add()
    for side, text in (("old", OLD), ("new", NEW)):
        uri = f"milepost://shop-1/proposals/{made.id}/{side}"
        assert await archive.read(desk.peer.session, desk.proposals, uri) == text
    for wrong in (f"{made.id}/mine", made.id, "p-1/old"):
        with pytest.raises(api.UserError):
            await archive.read(
                desk.peer.session, desk.proposals, f"milepost://shop-1/proposals/{wrong}"
            )


@pytest.mark.asyncio
async def test_who_did_not_announce_proposals_is_not_told():
    desk = Desk(announced={"chat": True})
    desk.add()
    assert desk.told() == []


WORDS = st.sampled_from(["a\n", "b\n", "c\n", "\n", "}\n", "𝒙é\n", "d\r\n"])
TEXTS = st.lists(WORDS, max_size=14).flatmap(
    lambda lines: st.tuples(st.just(lines), st.sampled_from(["", "end", "é"]))
)


def reworked(draw: Any, lines: list[str]) -> list[str]:
    """Another text that is much like this one."""
    made: list[str] = []
    for line in lines:
        match draw(st.sampled_from(["keep", "keep", "keep", "drop", "change", "add"])):
            case "keep":
                made.append(line)
            case "change":
                made.append(draw(WORDS))
            case "add":
                made += [line, *draw(st.lists(WORDS, max_size=3))]
    return made


def decided(proposal: Any) -> str:
    """The text that the decisions ask for, put together from the proposal's own numbers."""
    old = proposal.old_text.splitlines(keepends=True)
    new = proposal.new_text.splitlines(keepends=True)
    text, at = "", 0
    for hunk in proposal.hunks:
        takes_new = hunk.state == "accepted" or (hunk.state == "open" and proposal.is_applied)
        stands = old[hunk.old_start : hunk.old_start + hunk.old_lines]
        comes = new[hunk.new_start : hunk.new_start + hunk.new_lines]
        text += "".join(old[at : hunk.old_start] + (comes if takes_new else stands))
        at = hunk.old_start + hunk.old_lines
    return text + "".join(old[at:])


@MANY
@given(st.data(), TEXTS, st.booleans())
def test_any_decisions_in_any_order_give_the_text_with_the_accepted_hunks(data, text, is_applied):
    lines, end = text
    old = "".join(lines) + end
    new = "".join(reworked(data.draw, lines)) + data.draw(st.sampled_from([end, "", "fin"]))
    if old == new:
        return

    async def decide() -> None:
        desk = Desk(new if is_applied else old)
        made = desk.add_applied(old, new) if is_applied else desk.add(old, new)
        for name in data.draw(st.permutations([hunk.id for hunk in made.hunks])):
            choice = data.draw(st.sampled_from([desk.proposals.accept, desk.proposals.reject]))
            after = await choice(made.id, [name])
            assert desk.text == decided(after)
        states = {hunk.state for hunk in after.hunks}
        assert "open" not in states
        if states == {"accepted"}:
            assert desk.text == new
        if states == {"rejected"}:
            assert desk.text == old

    asyncio.run(decide())


@MANY
@given(st.data(), st.integers(3, 14), st.booleans())
def test_a_document_that_moves_on_is_followed_or_the_hunk_is_refused(data, count, is_applied):
    """Each line is another one, so that where it went is beyond doubt."""
    old = [f"line {number}\n" for number in range(count)]
    new = list(old)
    for number in data.draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=4)):
        new[number] = f"new {number}\n"

    async def decide() -> None:
        desk = Desk("".join(new if is_applied else old))
        made = (desk.add_applied if is_applied else desk.add)("".join(old), "".join(new))
        for hunk in made.hunks:
            # The user types somewhere.
            lines = desk.text.splitlines(keepends=True)
            at = data.draw(st.integers(0, len(lines)))
            fresh = [f"typed {at} {hunk.id} {number}\n" for number in range(2)]
            until = min(len(lines), at + data.draw(st.integers(0, 2)))
            desk.peer.type(URI, "".join([*lines[:at], *fresh, *lines[until:]]))
            before = desk.text
            stands, comes = (new, old) if is_applied else (old, new)
            own = "".join(stands[hunk.old_start : hunk.old_start + hunk.old_lines])
            other = "".join(comes[hunk.old_start : hunk.old_start + hunk.old_lines])
            write = desk.proposals.reject if is_applied else desk.proposals.accept
            try:
                await write(made.id, [hunk.id])
            except api.UserError:
                # Only when it is not there any more, or nothing that stood beside it is.
                assert desk.text == before
                assert own not in before or is_alone(before, stands, hunk)
            else:
                assert own in before
                assert desk.text == before.replace(own, other)

    asyncio.run(decide())


def is_alone(text: str, stands: list[str], hunk: Any) -> bool:
    """Whether neither neighbour of the hunk's lines is beside them any more."""
    own = "".join(stands[hunk.old_start : hunk.old_start + hunk.old_lines])
    end = hunk.old_start + hunk.old_lines
    above = stands[hunk.old_start - 1] if hunk.old_start else None
    below = stands[end] if end < len(stands) else None
    at = text.index(own)
    is_below_above = at == 0 if above is None else text[:at].endswith(above)
    rest = text[at + len(own) :]
    is_above_below = not rest if below is None else rest.startswith(below)
    return not is_below_above and not is_above_below
