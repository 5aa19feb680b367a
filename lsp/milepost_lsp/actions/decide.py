"""Accept or reject a change of a proposal where it stands, for editors without a view of their own.

An example, which is also this file's test:

    def total(order):
        return sum(order.«cent»)

    model       replace: order.cent -> order.cents
    diagnostic  Cannot access attribute "cent"
    proposed    Milepost: fix “Cannot access attribute "cent"”
    offered     Milepost: accept this change (“Fix “Cannot access attribute "cent"””)
    edited      return sum(order.cents)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp import markdown
from milepost_lsp.actions.action import Action, Call, Place, offer
from milepost_lsp.protocol import proposals

if TYPE_CHECKING:
    from lsprotocol import types

_VERBS = {
    (proposals.ACCEPT_COMMAND, False): "accept this change",
    (proposals.REJECT_COMMAND, False): "reject this change",
    (proposals.ACCEPT_COMMAND, True): "keep this change",
    (proposals.REJECT_COMMAND, True): "take this change back",
}


def offers_accept(place: Place) -> list[types.CodeAction]:
    """One for each open hunk at the place."""
    return _offers(place, proposals.ACCEPT_COMMAND)


def offers_reject(place: Place) -> list[types.CodeAction]:
    """As above."""
    return _offers(place, proposals.REJECT_COMMAND)


def _offers(place: Place, command: str) -> list[types.CodeAction]:
    made: list[types.CodeAction] = []
    for each in place.proposed:
        verb = _VERBS[command, each.proposal.is_applied]
        title = f"{verb} (“{markdown.short(each.proposal.title, 60)}”)"
        argument = {
            "proposalId": each.proposal.id,
            "hunks": [each.hunk_id],
            "uri": place.uri,
        }
        made.append(offer(title, command, argument))
    return made


async def accept(call: Call, arguments: proposals.DecideProposalParams) -> proposals.Proposal:
    """Accepts, and answers with the proposal as it is then."""
    return await call.proposals.accept(arguments.proposal_id, arguments.hunks)


async def reject(call: Call, arguments: proposals.DecideProposalParams) -> proposals.Proposal:
    """Rejects, and answers with the proposal as it is then."""
    return await call.proposals.reject(arguments.proposal_id, arguments.hunks)


ACCEPT = Action(proposals.ACCEPT_COMMAND, proposals.DecideProposalParams, accept, offers_accept)
REJECT = Action(proposals.REJECT_COMMAND, proposals.DecideProposalParams, reject, offers_reject)
