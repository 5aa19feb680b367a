-- Sessions: the chats of before, to be taken up again, renamed or deleted.

local client_of = require('milepost.client')
local picker = require('milepost.picker')

local M = {}

local LISTED = 50

--- Choose a session and what to do with it.
function M.pick()
  picker.list(function(client, uri, show)
    client_of.request(client, 'milepost/session/list', { limit = LISTED, uri = uri }, function(result)
      show(result.sessions)
    end)
  end, {
    prompt = 'Chats:',
    kind = 'session',
    none = 'there is no chat yet; :Milepost chat begins one',
    format = M._line,
  }, M.act)
end

--- Choose what to do with a session.
---@param client vim.lsp.Client
---@param uri string
---@param session table
function M.act(client, uri, session)
  local named = { sessionId = session.sessionId, uri = uri }
  picker.act(M._line(session), {
    { 'Open', function() require('milepost.chat').load(client, session.sessionId) end },
    { 'Fork', function() M._fork(client, named) end },
    { 'Rename', function() M._rename(client, named, session.title) end },
    { 'Delete', function() client_of.request(client, 'milepost/session/delete', named) end },
  }) -- stylua: ignore
end

---@private
function M._fork(client, named)
  client_of.request(client, 'milepost/session/fork', named, function(session)
    require('milepost.chat').load(client, session.sessionId)
  end)
end

---@private
function M._rename(client, named, title)
  vim.ui.input({ prompt = 'Title: ', default = title }, function(words)
    if words and vim.trim(words) ~= '' then
      client_of.request(client, 'milepost/session/rename', vim.tbl_extend('error', named, { title = words }))
    end
  end)
end

---@private
function M._line(session)
  local state = session.state == 'running' and ', running' or ''
  return ('%s  [%s%s]'):format(session.title, session.updatedAt:gsub('T', ' '):gsub('Z$', ''), state)
end

return M
