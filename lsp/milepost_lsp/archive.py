"""The `milepost:` documents: what Milepost keeps that is no file, as text under a URI.

milepost://<project-id>/checkpoints/<id>                a restore point, and what changed by then
milepost://<project-id>/checkpoints/<id>/files/<path>   a file as it was
milepost://<project-id>/diffs/<from>..<to|now>          a unified diff; /files/<path> of one file
milepost://<project-id>/goals/<id>                      a goal, its checks and where it stands
milepost://<project-id>/sessions/<id>                   what was said and done in a session
milepost://<project-id>/proposals/<id>/old, /new        both sides of a proposal, for a diff
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from milepost import api
from milepost_lsp import pages
from milepost_lsp.protocol import SCHEME

if TYPE_CHECKING:
    from collections.abc import Callable

    from milepost_lsp.proposals import Proposals
    from milepost_lsp.session import Session

    Reader = Callable[[Session, api.Workspace, str], str]

# A URI is a path and some ids. What is longer was not made by us.
_MAX_URI_CHARS = 8_000

_DIFF = re.compile(r"(\d{1,15})\.\.(\d{1,15}|now)(?:/files/(.+))?", re.DOTALL)
_POINT = re.compile(r"(\d{1,15})(?:/files/(.+))?", re.DOTALL)
_ID = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def uri_of(workspace: api.Workspace, *parts: str) -> str:
    """The URI of a document, such as `checkpoints`, `7`, `files`, `src/a.py`."""
    path = "/".join(quote(part, safe="/.") for part in parts)
    return f"{SCHEME}://{workspace.project.id}/{path}"


async def read(session: Session, proposals: Proposals, uri: str) -> str:
    """The text of a document. Raises UserError when there is none."""
    project_id, kind, rest = parted(uri)
    if kind == _PROPOSALS:
        return proposals.side(rest)
    for workspace in await session.open_all():
        # The authority of a URI knows no upper case.
        if workspace.project.id.lower() == project_id:
            return await session.run_long(_READERS[kind], session, workspace, rest)
    raise api.UserError(f"no open project has the id {project_id}; open its folder first")


def parted(uri: str) -> tuple[str, str, str]:
    """The project's id, the kind of document and the rest. Raises UserError when the URI is none
    of ours."""
    try:
        parts = urlsplit(uri[:_MAX_URI_CHARS])
    except ValueError:
        parts = urlsplit("")
    kind, _, rest = unquote(parts.path).strip("/").partition("/")
    if len(uri) > _MAX_URI_CHARS or parts.scheme != SCHEME or kind not in _KINDS or not rest:
        kinds = ", ".join(_KINDS)
        raise api.UserError(
            f"{uri[:200]!r} is no document of Milepost's; there are {SCHEME}://PROJECT-ID/KIND/ID "
            f"for {kinds}"
        )
    return parts.netloc.lower(), kind, rest


def _checkpoint(_session: Session, workspace: api.Workspace, rest: str) -> str:
    found = _POINT.fullmatch(rest)
    if found is None:
        raise api.UserError(f"{rest[:100]!r} names no restore point; its id is a whole number")
    point_id, path = int(found[1]), found[2]
    if path is not None:
        return workspace.checkpoints.text_at(point_id, path)
    point = workspace.checkpoints.get(point_id)
    before = workspace.checkpoints.page(limit=1, before=point.id)
    changes = workspace.checkpoints.diff(before[0].id, point.id).changes if before else None
    return pages.point(point, changes)


def _diff(_session: Session, workspace: api.Workspace, rest: str) -> str:
    found = _DIFF.fullmatch(rest)
    if found is None:
        raise api.UserError(f"{rest[:100]!r} names no diff; write FROM..TO, or FROM..now")
    end = None if found[2] == "now" else int(found[2])
    diff, text = workspace.checkpoints.patches(int(found[1]), end, path=found[3])
    return text if diff.changes else "Nothing differs.\n"


def _goal(_session: Session, workspace: api.Workspace, rest: str) -> str:
    goal = workspace.goals.get(rest)
    return pages.goal(goal, workspace.goals.evidence(goal.id))


def _said(_session: Session, workspace: api.Workspace, rest: str) -> str:
    if _ID.fullmatch(rest) is None:
        raise api.UserError(f"{rest[:100]!r} is no session's id")
    return pages.session(workspace.sessions().export(rest))


_READERS: dict[str, Reader] = {
    "checkpoints": _checkpoint,
    "diffs": _diff,
    "goals": _goal,
    "sessions": _said,
}

# They are the client's own and not the project's, so they have no reader above.
_PROPOSALS = "proposals"

_KINDS = (*_READERS, _PROPOSALS)
