// Milepost's messages in the Language Server Protocol; docs/protocol.md describes them.
// Written by `python -m milepost_lsp.generate` from lsp/milepost_lsp/protocol: change it there.

/**
 * `chat`: send me `milepost/chat/update`. `permissions`: ask me by `milepost/permission/request`
 * instead of `window/showMessageRequest`. `proposals`: I show edits hunk by hunk, tell me of
 * them. `memory`: tell me what happens elsewhere; only false says no. `quiet`: I show the results
 * of commands myself, so no `window/showMessage` and no document for them; questions and warnings
 * still come.
 */
export interface ClientAnnouncement {
  chat?: boolean;
  permissions?: boolean;
  proposals?: boolean;
  memory?: boolean;
  quiet?: boolean;
}

/**
 * The versions of this page that the server speaks: all of it, and the chat.
 */
export interface ServerAnnouncement {
  protocol: number;
  chat: number;
}
