--- # Functions
---
--- `require('milepost')` has what `:Milepost` does, for keys and scripts of your own.

local M = {}

--- `setup({options})` takes your settings; it may be left out. See |milepost-settings|.
---@param options table?
function M.setup(options)
  require('milepost.settings').apply(options)
end

--- `statusline()` is a short text on the goal, the newest restore point and work under way; empty
--- where no server is: `vim.o.statusline = '%f %=%{v:lua.require("milepost").statusline()}'`.
---@return string
function M.statusline()
  return require('milepost.status').line()
end

--- `chat()` opens the chat, with the cursor where one writes.
function M.chat()
  require('milepost.chat').open()
end

--- `ask({question}, {lines})` asks in the chat. {lines} is `{ buffer, first, last }`, counted from
--- one; they go along as they stand in the buffer, with their diagnostics. Without {question} the
--- chat opens, and they go along with what you write.
---@param question string?
---@param lines { buffer: integer, first: integer, last: integer }?
function M.ask(question, lines)
  local context = require('milepost.context')
  local blocks = {}
  if lines then
    table.insert(blocks, context.lines(lines.buffer, lines.first, lines.last))
    vim.list_extend(blocks, context.diagnostics(lines.buffer, lines.first, lines.last))
  end
  local chats = require('milepost.chat')
  local chat = chats.open()
  if not chat then
    return
  end
  vim.list_extend(chat.context, blocks)
  chat.window:show_state()
  if question and question ~= '' then
    chats.send(chat, question)
  end
end

--- `cancel()` stops the answer that is coming; what was said so far stays.
function M.cancel()
  require('milepost.chat').cancel()
end

--- `new_chat()` begins another chat.
function M.new_chat()
  local client = require('milepost.client').need()
  if client then
    require('milepost.chat').new(client).window:open()
  end
end

--- `sessions()` lets you choose a chat of before.
function M.sessions()
  require('milepost.sessions').pick()
end

--- `memory({words})` lets you choose an entry, of those that a search for {words} finds.
---@param words string?
function M.memory(words)
  require('milepost.memory').pick(words)
end

--- `remember({text}, {lines})` remembers the text, or these lines, or asks what.
---@param text string?
---@param lines { buffer: integer, first: integer, last: integer }?
function M.remember(text, lines)
  require('milepost.memory').remember(text, lines)
end

--- `memory_undo()` takes the last change of memory back.
function M.memory_undo()
  require('milepost.memory').undo()
end

--- `checkpoints()` lets you choose a restore point.
function M.checkpoints()
  require('milepost.checkpoints').pick()
end

--- `checkpoint({label})` makes a restore point.
---@param label string?
function M.checkpoint(label)
  require('milepost.checkpoints').save(label)
end

--- `undo()` and `redo()` take the last restore back, and do it again.
function M.undo()
  require('milepost.checkpoints').undo()
end

function M.redo()
  require('milepost.checkpoints').redo()
end

--- `goals()` lets you choose a goal, `verify()` verifies the newest active one.
function M.goals()
  require('milepost.goal').pick()
end

function M.verify()
  require('milepost.goal').verify()
end

--- `proposals()` shows an edit that waits for you; `accept({all})` and `reject({all})` decide the
--- change under the cursor, or all of them.
function M.proposals()
  require('milepost.proposals').pick()
end

---@param all boolean?
function M.accept(all)
  require('milepost.proposals').decide('accept', all == true)
end

---@param all boolean?
function M.reject(all)
  require('milepost.proposals').decide('reject', all == true)
end

return M
