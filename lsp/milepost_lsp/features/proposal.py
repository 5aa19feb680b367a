"""milepost/proposal/list, accept and reject: edits that a person decides on hunk by hunk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milepost_lsp.protocol import proposals as wire

if TYPE_CHECKING:
    from milepost_lsp.features.feature import Desk


def register(desk: Desk) -> None:
    """Registers the three requests."""

    async def page(params: wire.ListProposalsParams) -> wire.ProposalList:
        return wire.ProposalList(await desk.proposals.page(params.uri))

    async def accept(params: wire.DecideProposalParams) -> wire.Proposal:
        return await desk.proposals.accept(params.proposal_id, params.hunks)

    async def reject(params: wire.DecideProposalParams) -> wire.Proposal:
        return await desk.proposals.reject(params.proposal_id, params.hunks)

    desk.server.add_request(wire.LIST, page)
    desk.server.add_request(wire.ACCEPT, accept)
    desk.server.add_request(wire.REJECT, reject)
