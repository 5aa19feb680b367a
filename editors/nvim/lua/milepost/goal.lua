-- Goals: set one, see how it stands, verify it.

local client_of = require('milepost.client')
local documents = require('milepost.documents')
local picker = require('milepost.picker')

local M = {}

--- Choose a goal and what to do with it.
function M.pick()
  picker.list(function(client, uri, show)
    client_of.command(client, 'milepost.goal.list', { uri = uri }, function(page)
      show(page.goals)
    end)
  end, {
    prompt = 'Goals:',
    kind = 'goal',
    none = 'there is no goal yet; :Milepost goal set WORDS sets one',
    format = M._line,
  }, M.act)
end

--- Choose what to do with a goal.
---@param client vim.lsp.Client
---@param uri string
---@param goal table
function M.act(client, uri, goal)
  local named = { goalId = goal.id, uri = uri }
  local actions = {
    { 'Verify', function() M.verify(goal.id) end },
    { 'Show the evidence', function() M.show(client, uri, goal.id) end },
  } -- stylua: ignore
  if #goal.notAllowed > 0 then
    table.insert(actions, 1, { 'Allow its commands', function() client_of.command(client, 'milepost.goal.allow', named) end }) -- stylua: ignore
  end
  if client_of.value(goal.verdict) == 'unverifiable' then
    table.insert(actions, { 'Take the changes of its tests for honest', function() client_of.command(client, 'milepost.goal.acceptChanges', named) end }) -- stylua: ignore
  end
  if goal.state == 'paused' then
    table.insert(actions, { 'Resume', function() client_of.command(client, 'milepost.goal.resume', named) end }) -- stylua: ignore
  elseif goal.state == 'active' then
    table.insert(actions, { 'Pause', function() client_of.command(client, 'milepost.goal.pause', named) end }) -- stylua: ignore
  end
  if goal.state ~= 'abandoned' and goal.state ~= 'met' then
    table.insert(actions, { 'Abandon', function() client_of.command(client, 'milepost.goal.abandon', named) end }) -- stylua: ignore
  end
  picker.act(M._line(goal), actions)
end

--- Set a goal; lines that begin with `$ ` are its checks.
---@param text string
function M.set(text)
  local client = client_of.need()
  if not client then
    return
  end
  local condition, checks = {}, {}
  for _, line in ipairs(vim.split(text, '\n', { plain = true })) do
    local check = line:match('^%s*%$ (.+)$')
    table.insert(check and checks or condition, check or line)
  end
  local argument = { condition = vim.trim(table.concat(condition, '\n')), uri = client_of.uri(client) }
  if #checks > 0 then
    argument.checks = checks
  end
  client_of.command(client, 'milepost.goal.set', argument)
end

--- Verify a goal: the newest active one when none is named.
---@param id string?
function M.verify(id)
  local client = client_of.need()
  if client then
    client_of.say('verifying…')
    client_of.command(client, 'milepost.goal.verify', { goalId = id, uri = client_of.uri(client) })
  end
end

--- Show a goal with its checks, its verdict and the evidence.
---@param client vim.lsp.Client
---@param uri string
---@param id string
function M.show(client, uri, id)
  client_of.command(client, 'milepost.status', { uri = uri }, function(status)
    documents.open(('milepost://%s/goals/%s'):format(status.project.id, id), client)
  end)
end

---@private
function M._line(goal)
  local verdict = client_of.value(goal.verdict)
  local stands = verdict and (', %s'):format(verdict:gsub('_', ' ')) or ''
  return ('%s  [%s%s]'):format(goal.condition:gsub('%s*\n%s*', ' '), goal.state, stands)
end

return M
