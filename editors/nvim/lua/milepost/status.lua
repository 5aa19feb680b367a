-- How things stand, for a statusline: the goal, the newest restore point, answers under way.

local client_of = require('milepost.client')

local M = {}

---@type table<integer, table> by client, what the server said last
local known = {}

--- `milepost/status/didChange`.
function M.on_change(_, params, context)
  known[context.client_id] = params.status
  vim.schedule(function()
    vim.cmd.redrawstatus({ bang = true })
  end)
end

--- Ask once, when the server attaches; from then on it tells.
---@param client vim.lsp.Client
function M.begin(client)
  if known[client.id] then
    return
  end
  known[client.id] = {}
  local params = { command = 'milepost.status', arguments = { { uri = client_of.uri(client) } } }
  client_of.request(client, 'workspace/executeCommand', params, function(status)
    M.on_change(nil, { status = status }, { client_id = client.id })
  end, function()
    -- A folder that is no project has no status; whoever asks for something is told so.
  end)
end

--- What the server said last of the project of a buffer.
---@return table?
function M.get()
  local client = client_of.find()
  return client and known[client.id]
end

--- One short text; empty where there is no server.
---@return string
function M.line()
  local status = M.get()
  if not status or vim.tbl_isempty(status) then
    return ''
  end
  local parts = {}
  local goal = client_of.value(status.goal)
  if goal then
    table.insert(parts, 'goal ' .. goal.state)
  end
  local failure, point = client_of.value(status.checkpointError), client_of.value(status.checkpoint)
  if failure then
    table.insert(parts, 'no restore point!')
  elseif point then
    table.insert(parts, '#' .. point.id)
  end
  if #(client_of.value(status.running) or {}) > 0 then
    table.insert(parts, 'working')
  end
  return #parts == 0 and '' or 'Milepost: ' .. table.concat(parts, ' · ')
end

return M
