-- Chats: which sessions are shown here, what is sent to them, and what comes of them.

local client_of = require('milepost.client')
local settings = require('milepost.settings')
local Transcript = require('milepost.transcript')

local M = {}

---@class milepost.Chat
---@field client vim.lsp.Client
---@field uri string? names the project
---@field session string? nil until the server has named it
---@field transcript milepost.Transcript
---@field request integer? the prompt that is under way here
---@field running boolean
---@field turn string? the newest turn that the server told of
---@field mode string
---@field seq integer the newest update that was taken
---@field early table[]? updates that came while the session was being loaded
---@field context table[] blocks that go with the next prompt
---@field window milepost.ChatWindow

---@type milepost.Chat[]
local chats = {}

--- The chat of the current window, or the one that was used last in this project.
---@return milepost.Chat?
function M.current()
  local here = vim.api.nvim_get_current_buf()
  for _, chat in ipairs(chats) do
    if chat.window:has(here) then
      return chat
    end
  end
  local client = client_of.find()
  for index = #chats, 1, -1 do
    if client and chats[index].client.id == client.id then
      return chats[index]
    end
  end
end

--- A new chat; its session begins with the first prompt.
---@param client vim.lsp.Client
---@return milepost.Chat
function M.new(client)
  ---@type milepost.Chat
  local chat = {
    client = client,
    uri = client_of.uri(client),
    transcript = Transcript.new(),
    running = false,
    mode = settings.get().mode,
    seq = 0,
    context = {},
  }
  chat.window = require('milepost.window').new(chat)
  table.insert(chats, chat)
  return chat
end

--- Show the chat that is there, or a new one, and put the cursor where one writes.
function M.open()
  local client = client_of.need()
  if client then
    local chat = M.current()
    if not chat or chat.client.id ~= client.id then
      chat = M.new(client)
    end
    chat.window:open()
    return chat
  end
end

--- Send words to a chat, with the context that was put beside them.
---@param chat milepost.Chat
---@param text string
---@return boolean sent
function M.send(chat, text)
  if chat.running then
    client_of.say('the answer is still coming; stop it first (:Milepost cancel)', vim.log.levels.WARN)
    return false
  end
  local prompt = { { type = 'text', text = text } }
  vim.list_extend(prompt, chat.context)
  local params = { prompt = prompt, mode = chat.mode, uri = chat.uri, sessionId = chat.session }
  params.model = settings.get().model
  chat.running, chat.context = true, {}
  local function ended()
    chat.running, chat.request = false, nil
    chat.window:show_state()
  end
  chat.request = client_of.request(chat.client, 'milepost/chat/prompt', params, function(result)
    chat.session = chat.session or result.sessionId
    ended()
  end, function(message)
    ended()
    M.take(chat, '', { sessionUpdate = 'notice', level = 'error', text = message })
    client_of.say(message, vim.log.levels.ERROR)
  end)
  -- The server tells the other editors what was said here; this one knows.
  M.take(chat, '', { sessionUpdate = 'user_message_chunk', content = { type = 'text', text = text } })
  return true
end

--- Stop the answer of a chat; what it said so far stays.
---@param chat milepost.Chat?
function M.cancel(chat)
  chat = chat or M.current()
  if not chat or not chat.running then
    return client_of.say('no answer is coming that could be stopped')
  end
  if chat.session then
    -- Another editor's turn may end, and the next begin, before the server hears of this.
    local turn = not chat.request and chat.turn or nil
    chat.client:notify('milepost/chat/cancel', { sessionId = chat.session, turnId = turn })
  elseif chat.request then
    chat.client:cancel_request(chat.request)
  end
end

--- `milepost/chat/update`.
function M.on_update(_, params, context)
  local chat = M._of(params.sessionId, context.client_id)
  if not chat then
    return
  end
  if chat.early then
    table.insert(chat.early, params)
    return
  end
  if params.seq <= chat.seq then
    return
  end
  chat.seq = params.seq
  M.take(chat, params.turnId, params.update)
end

--- Take one update into a chat.
---@param chat milepost.Chat
---@param turn string
---@param update table
function M.take(chat, turn, update)
  if update.sessionUpdate == 'user_message_chunk' then
    chat.running = true
    chat.turn = turn ~= '' and turn or nil
  elseif update.sessionUpdate == 'turn_ended' then
    chat.running = false
  end
  chat.window:change(chat.transcript:apply(turn, update))
  chat.window:show_state()
  if vim.tbl_contains({ 'tool_call_update', 'turn_ended' }, update.sessionUpdate) then
    -- The worker writes files; buffers of them that are not being edited follow.
    vim.cmd('silent! checktime')
  end
end

--- Show a session of before.
---@param client vim.lsp.Client
---@param id string
---@param done fun(chat: milepost.Chat)?
function M.load(client, id, done)
  local chat = M._of(id, client.id)
  if chat then
    chat.window:open()
    return done and done(chat)
  end
  chat = M.new(client)
  chat.session, chat.early = id, {}
  local params = { sessionId = id, uri = chat.uri }
  client_of.request(client, 'milepost/session/load', params, function(result)
    chat.transcript.title = result.session.title
    chat.mode = client_of.value(result.session.mode) or chat.mode
    if result.isCut then
      M.take(chat, '', { sessionUpdate = 'notice', level = 'info', text = 'What was said before is not shown.' })
    end
    local early = chat.early
    chat.early = nil
    for _, each in ipairs(vim.list_extend(result.updates, early)) do
      M.on_update(nil, vim.tbl_extend('force', each, { sessionId = id }), { client_id = client.id })
    end
    chat.running = result.session.state == 'running'
    chat.window:open()
    if done then
      done(chat)
    end
  end, function(message)
    M.drop(chat)
    client_of.say(message, vim.log.levels.ERROR)
  end)
end

--- Close a chat here; its session stays.
---@param chat milepost.Chat
function M.drop(chat)
  chats = vim.tbl_filter(function(each)
    return each ~= chat
  end, chats)
  chat.window:close()
end

--- How many answers are coming.
---@return integer
function M.running()
  return #vim.tbl_filter(function(chat)
    return chat.running
  end, chats)
end

--- The chat of a session. An unknown session is that of a first prompt whose answer is not here yet:
--- the server sends only what was asked for.
---@private
function M._of(session, client_id)
  local waiting
  for _, chat in ipairs(chats) do
    if chat.client.id == client_id then
      if chat.session == session then
        return chat
      end
      if not chat.session and chat.running then
        waiting = chat
      end
    end
  end
  if waiting then
    waiting.session = session
  end
  return waiting
end

return M
