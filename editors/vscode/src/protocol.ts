// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.

export type * from "./protocol/aliases.ts";
export type * from "./protocol/announcing.ts";
export type * from "./protocol/assist.ts";
export type * from "./protocol/assist_views.ts";
export type * from "./protocol/chat.ts";
export type * from "./protocol/commands.ts";
export type * from "./protocol/message.ts";
export type * from "./protocol/messages.ts";
export type * from "./protocol/permissions.ts";
export type * from "./protocol/places.ts";
export type * from "./protocol/point_views.ts";
export type * from "./protocol/proposals.ts";
export type * from "./protocol/sessions.ts";
export type * from "./protocol/status.ts";
export type * from "./protocol/updates.ts";
export type * from "./protocol/views.ts";

export const PROTOCOL_VERSION = 1;
export const CHAT_VERSION = 1;
