-- Goals: set one, see how it stands, verify it.

local client_of = require('milepost.client')
local documents = require('milepost.documents')
local picker = require('milepost.picker')

local M = {}

local function ask_limit(prompt, now, is_whole, done)
  local value = client_of.value(now)
  vim.ui.input({ prompt = prompt, default = value and tostring(value) or '' }, function(text)
    if text == nil then
      return
    end
    local number = tonumber(text)
    local is_sound = number and number > 0 and number < math.huge and (not is_whole or number % 1 == 0)
    if vim.trim(text) ~= '' and not is_sound then
      local what = is_whole and 'whole number' or 'number'
      return client_of.say(('a limit is a %s above 0, or nothing'):format(what), vim.log.levels.WARN)
    end
    done(number or vim.NIL)
  end)
end

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
  local function send(name)
    return function()
      client_of.command(client, 'milepost.goal.' .. name, named)
    end
  end
  local actions = {
    { 'Show the evidence', function() M.show(client, uri, goal.id) end },
  } -- stylua: ignore
  local function offer(title, run)
    table.insert(actions, { title, run })
  end
  local state = goal.state
  local is_open = state ~= 'abandoned' and state ~= 'met'
  if state == 'active' or state == 'blocked' or state == 'met' then
    table.insert(actions, 1, { 'Verify', function() M.verify(goal.id) end }) -- stylua: ignore
  end
  if is_open and #goal.notAllowed > 0 then
    -- The very commands are in the title: choosing it is the consent.
    local title = ('Allow its commands from now on: %s'):format(table.concat(goal.notAllowed, '; '))
    table.insert(actions, 1, { title:gsub('%s*\n%s*', ' '), send('allow') })
  end
  if is_open and client_of.value(goal.verdict) == 'unverifiable' then
    offer('Accept changes of what judges it', function()
      M.accept(client, uri, goal)
    end)
  end
  if is_open then
    offer('Set its budget', function()
      M.limit(client, uri, goal)
    end)
  end
  if state == 'active' or state == 'blocked' then
    offer('Pause', send('pause'))
  end
  if state == 'paused' or state == 'blocked' or state == 'abandoned' then
    offer('Resume', send('resume'))
  end
  if is_open then
    offer('Abandon', send('abandon'))
  end
  picker.act(M._line(goal), actions)
end

--- Choose which change of what judges a goal is honest: one, or all that are shown.
---@param client vim.lsp.Client
---@param uri string
---@param goal table
function M.accept(client, uri, goal)
  client_of.command(client, 'milepost.goal.signs', { goalId = goal.id, uri = uri }, function(signs)
    local open = vim.tbl_filter(function(sign)
      return not sign.isAccepted
    end, signs)
    if #open == 0 then
      return client_of.say('nothing that judges this goal was changed, or all of it is accepted')
    end
    local function take(chosen)
      return function()
        local ids = vim.tbl_map(function(sign)
          return sign.id
        end, chosen)
        client_of.command(client, 'milepost.goal.acceptChanges', { goalId = goal.id, signs = ids, uri = uri })
      end
    end
    local actions = vim.tbl_map(function(sign)
      return { sign.words:gsub('%s*\n%s*', ' '), take({ sign }) }
    end, open)
    if #open > 1 then
      table.insert(actions, { ('All %d of them'):format(#open), take(open) })
    end
    picker.act('Accept which change?', actions)
  end)
end

--- Ask how often, and for how many seconds in all, a goal may be verified.
---@param client vim.lsp.Client
---@param uri string
---@param goal table
function M.limit(client, uri, goal)
  ask_limit('Verifications at most (empty: no limit): ', goal.maxVerifications, true, function(times)
    ask_limit('Seconds at most (empty: no limit): ', goal.maxSeconds, false, function(seconds)
      local budget = { goalId = goal.id, maxVerifications = times, maxSeconds = seconds, uri = uri }
      client_of.command(client, 'milepost.goal.setBudget', budget)
    end)
  end)
end

-- Offer the checks that the words seem to ask for: one, all of them, or none.
local function choose_checks(client, argument, done)
  client_of.command(client, 'milepost.goal.propose', argument, function(proposed)
    local lines = vim.tbl_map(function(check)
      return check.command
    end, proposed.checks)
    if #lines == 0 then
      return done({})
    end
    local function take(chosen)
      return function()
        done(chosen)
      end
    end
    local actions = vim.tbl_map(function(line)
      return { line:gsub('%s*\n%s*', ' '), take({ line }) }
    end, lines)
    if #lines > 1 then
      table.insert(actions, 1, { ('All %d of them'):format(#lines), take(lines) })
    end
    table.insert(actions, { 'No check: only a model can judge it', take({}) })
    picker.act('How can that be seen?', actions)
  end)
end

--- Set a goal; lines that begin with `$ ` are its checks. Without any, those that the project
--- has for such words are offered.
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
  local function set(chosen)
    client_of.command(client, 'milepost.goal.set', vim.tbl_extend('error', argument, { checks = chosen }))
  end
  if #checks > 0 then
    return set(checks)
  end
  choose_checks(client, argument, set)
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
