// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.

import type { AskArguments, CodeArguments, DiagnosticArguments, Edited } from "./assist.ts";
import type { Answer } from "./assist_views.ts";
import type { CancelChatParams, PromptParams, PromptResult, UpdateParams } from "./chat.ts";
import type { AboutArguments, AcceptGoalChangesArguments, BriefArguments, ChatPage, CheckpointArguments, CheckpointDiff, CheckpointPage, ConfirmArguments, DiffCheckpointsArguments, DocumentText, EditArguments, EntryPlace, ForgetArguments, GoBackArguments, GoalArguments, GoalList, Known, ListArguments, ListCheckpointsArguments, ListGoalsArguments, LocateArguments, LogArguments, NameCheckpointArguments, OpenChatArguments, PinCheckpointArguments, ProposeChecksArguments, ProposedChecks, ReadDocumentArguments, RedoArguments, RememberArguments, SearchArguments, SendChatArguments, SetGoalArguments, SetGoalBudgetArguments, StatusArguments, StopChatArguments, UndoArguments, UndoMemoryArguments, VerifyGoalArguments } from "./commands.ts";
import type { Nothing } from "./message.ts";
import type { PermissionOutcome, PermissionParams } from "./permissions.ts";
import type { Checkpoint, Restore } from "./point_views.ts";
import type { DecideProposalParams, ListProposalsParams, Proposal, ProposalDidChange, ProposalList } from "./proposals.ts";
import type { ChatSession, DeleteSessionParams, ForkSessionParams, ListSessionsParams, LoadSessionParams, RenameSessionParams, SessionPage, Transcript } from "./sessions.ts";
import type { CheckpointDidChange, GoalDidChange, MemoryDidChange, Status, StatusDidChange } from "./status.ts";
import type { Brief, Entry, EntryPage, Goal, MemoryChange, SearchResult, Sign, Verdict } from "./views.ts";

export interface ClientRequests {
  "milepost/chat/prompt": { params: PromptParams; result: PromptResult };
  "milepost/session/list": { params: ListSessionsParams; result: SessionPage };
  "milepost/session/load": { params: LoadSessionParams; result: Transcript };
  "milepost/session/fork": { params: ForkSessionParams; result: ChatSession };
  "milepost/session/rename": { params: RenameSessionParams; result: ChatSession };
  "milepost/session/delete": { params: DeleteSessionParams; result: Nothing };
  "milepost/proposal/list": { params: ListProposalsParams; result: ProposalList };
  "milepost/proposal/accept": { params: DecideProposalParams; result: Proposal };
  "milepost/proposal/reject": { params: DecideProposalParams; result: Proposal };
}

export interface ServerRequests {
  "milepost/permission/request": { params: PermissionParams; result: PermissionOutcome };
}

export interface ClientNotifications {
  "milepost/chat/cancel": CancelChatParams;
}

export interface ServerNotifications {
  "milepost/chat/update": UpdateParams;
  "milepost/proposal/didChange": ProposalDidChange;
  "milepost/memory/didChange": MemoryDidChange;
  "milepost/checkpoint/didChange": CheckpointDidChange;
  "milepost/goal/didChange": GoalDidChange;
  "milepost/status/didChange": StatusDidChange;
}

export interface Commands {
  "milepost.memory.remember": { argument: RememberArguments; result: Entry };
  "milepost.memory.about": { argument: AboutArguments; result: Known };
  "milepost.memory.list": { argument: ListArguments; result: EntryPage };
  "milepost.memory.search": { argument: SearchArguments; result: SearchResult };
  "milepost.memory.brief": { argument: BriefArguments; result: Brief };
  "milepost.memory.edit": { argument: EditArguments; result: Entry };
  "milepost.memory.locate": { argument: LocateArguments; result: EntryPlace };
  "milepost.memory.forget": { argument: ForgetArguments; result: Entry };
  "milepost.memory.confirm": { argument: ConfirmArguments; result: Entry };
  "milepost.memory.log": { argument: LogArguments; result: MemoryChange[] };
  "milepost.memory.undo": { argument: UndoMemoryArguments; result: MemoryChange };
  "milepost.checkpoint.save": { argument: CheckpointArguments; result: Checkpoint };
  "milepost.checkpoint.list": { argument: ListCheckpointsArguments; result: CheckpointPage };
  "milepost.checkpoint.diff": { argument: DiffCheckpointsArguments; result: CheckpointDiff };
  "milepost.checkpoint.pin": { argument: PinCheckpointArguments; result: Checkpoint };
  "milepost.checkpoint.name": { argument: NameCheckpointArguments; result: Checkpoint };
  "milepost.checkpoint.goBack": { argument: GoBackArguments; result: Restore | null };
  "milepost.checkpoint.undo": { argument: UndoArguments; result: Restore };
  "milepost.checkpoint.redo": { argument: RedoArguments; result: Restore };
  "milepost.goal.set": { argument: SetGoalArguments; result: Goal };
  "milepost.goal.verify": { argument: VerifyGoalArguments; result: Verdict };
  "milepost.goal.list": { argument: ListGoalsArguments; result: GoalList };
  "milepost.goal.propose": { argument: ProposeChecksArguments; result: ProposedChecks };
  "milepost.goal.pause": { argument: GoalArguments; result: Goal };
  "milepost.goal.resume": { argument: GoalArguments; result: Goal };
  "milepost.goal.abandon": { argument: GoalArguments; result: Goal };
  "milepost.goal.setBudget": { argument: SetGoalBudgetArguments; result: Goal };
  "milepost.goal.allow": { argument: GoalArguments; result: Goal };
  "milepost.goal.signs": { argument: GoalArguments; result: Sign[] };
  "milepost.goal.acceptChanges": { argument: AcceptGoalChangesArguments; result: Sign[] };
  "milepost.chat.open": { argument: OpenChatArguments; result: ChatPage };
  "milepost.chat.send": { argument: SendChatArguments; result: ChatPage };
  "milepost.chat.stop": { argument: StopChatArguments; result: ChatPage };
  "milepost.assist.ask": { argument: AskArguments; result: Answer };
  "milepost.assist.explain": { argument: DiagnosticArguments; result: Answer };
  "milepost.assist.fix": { argument: DiagnosticArguments; result: Edited };
  "milepost.assist.document": { argument: CodeArguments; result: Edited };
  "milepost.assist.test": { argument: CodeArguments; result: Edited };
  "milepost.proposal.accept": { argument: DecideProposalParams; result: Proposal };
  "milepost.proposal.reject": { argument: DecideProposalParams; result: Proposal };
  "milepost.status": { argument: StatusArguments; result: Status };
  "milepost.document.read": { argument: ReadDocumentArguments; result: DocumentText };
}
