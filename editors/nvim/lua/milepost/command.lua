-- `:Milepost`: one table of its words, for running, completing and the help.

local client_of = require('milepost.client')

local M = {}

---@class milepost.Word
---@field [1] string what it does, for the help
---@field run fun(call: vim.api.keyset.create_user_command.command_args, rest: string)
---@field completions string[]?

local function milepost()
  return require('milepost')
end

--- The lines that the command was given, or nil.
local function lines(call)
  if call.range > 0 then
    return { buffer = vim.api.nvim_get_current_buf(), first = call.line1, last = call.line2 }
  end
end

---@type table<string, milepost.Word>
M.words = {
  chat = {
    'opens the chat; `:Milepost chat new` begins another one, `:Milepost chat list` shows those of before.',
    completions = { 'new', 'list' },
    run = function(_, rest)
      local what = { [''] = 'chat', new = 'new_chat', list = 'sessions' }
      if not what[rest] then
        return client_of.say(('chat takes new or list, not %q'):format(rest), vim.log.levels.WARN)
      end
      milepost()[what[rest]]()
    end,
  },
  ask = {
    'asks in the chat. With a range, those lines go along, with their diagnostics.',
    run = function(call, rest)
      milepost().ask(rest, lines(call))
    end,
  },
  cancel = {
    'stops the answer that is coming; what was said so far stays.',
    run = function()
      milepost().cancel()
    end,
  },
  mode = {
    'says how the chat works: `build` changes files, `plan` only looks, `compose` goes from a specification to a review.',
    completions = { 'build', 'plan', 'compose' },
    run = function(_, rest)
      local chat = require('milepost.chat').open()
      if chat and vim.tbl_contains({ 'build', 'plan', 'compose' }, rest) then
        chat.mode = rest
        chat.window:show_state()
      elseif chat then
        client_of.say('mode takes build, plan or compose', vim.log.levels.WARN)
      end
    end,
  },
  send = {
    'sends what you wrote in the chat; `:w` in that window does, too.',
    run = function()
      local chat = require('milepost.chat').current()
      if chat then
        chat.window:send()
      else
        client_of.say('there is no chat yet; :Milepost chat begins one')
      end
    end,
  },
  memory = {
    'lets you choose an entry, with words one that is found by them, to show, confirm, edit or forget it.',
    run = function(_, rest)
      milepost().memory(rest)
    end,
  },
  remember = {
    'remembers the words behind it, or the lines of its range, or asks what.',
    run = function(call, rest)
      milepost().remember(rest, lines(call))
    end,
  },
  ['memory-undo'] = {
    'takes the last change of memory back.',
    run = function()
      milepost().memory_undo()
    end,
  },
  checkpoints = {
    'lets you choose a restore point, to see what changed since, to go back, to name or to keep it.',
    run = function()
      milepost().checkpoints()
    end,
  },
  checkpoint = {
    'makes a restore point; the words behind it are its label.',
    run = function(_, rest)
      milepost().checkpoint(rest)
    end,
  },
  undo = {
    'takes the last restore back.',
    run = function()
      milepost().undo()
    end,
  },
  redo = {
    'does the restore again that was taken back last.',
    run = function()
      milepost().redo()
    end,
  },
  goal = {
    'lets you choose a goal, to verify it, allow its commands, accept changes of what judges it, or limit how often it is verified; `:Milepost goal verify` verifies the newest active one, `:Milepost goal set WORDS` sets one and offers the checks that the project has for such words, a range gives its words and checks.',
    completions = { 'set ', 'verify' },
    run = function(call, rest)
      local words = rest:match('^set%s+(.*)$') or (rest == 'set' and '')
      if words and call.range > 0 then
        local range = vim.api.nvim_buf_get_lines(0, call.line1 - 1, call.line2, false)
        words = vim.trim(words .. '\n' .. table.concat(range, '\n'))
      end
      if words then
        require('milepost.goal').set(words)
      elseif rest == 'verify' then
        milepost().verify()
      elseif rest == '' then
        milepost().goals()
      else
        client_of.say(('goal takes set or verify, not %q'):format(rest), vim.log.levels.WARN)
      end
    end,
  },
  proposals = {
    'shows an edit that waits for you, old and new side by side.',
    run = function()
      milepost().proposals()
    end,
  },
  accept = {
    'accepts the change under the cursor; `:Milepost accept!` all changes of the proposal.',
    run = function(call)
      milepost().accept(call.bang)
    end,
  },
  reject = {
    'rejects the change under the cursor; `:Milepost reject!` all changes of the proposal.',
    run = function(call)
      milepost().reject(call.bang)
    end,
  },
  restart = {
    'starts the server anew.',
    run = function()
      require('milepost.server').restart()
    end,
  },
  log = {
    "opens Neovim's log of language servers, to which the server's messages go.",
    run = function()
      require('milepost.server').log()
    end,
  },
}

--- Run the command.
---@param call vim.api.keyset.create_user_command.command_args
function M.run(call)
  local name, all, rest = call.args:match('^([^%s!]+)(!?)%s*(.-)%s*$')
  local word = M.words[name or '']
  if not word then
    local known = table.concat(M.names(), ', ')
    return client_of.say(('there is no :Milepost %s; there are %s'):format(name or call.args, known), vim.log.levels.WARN)
  end
  word.run(vim.tbl_extend('force', call, { bang = call.bang or all == '!' }), rest)
end

--- Complete the command.
---@param line string
---@return string[]
function M.complete(_, line)
  local words = line:gsub('^.-Milepost!?%s+', '')
  local name, rest = words:match('^(%S+)%s+(.*)$')
  local from, prefix = M.names(), words
  if name then
    from, prefix = (M.words[name] or {}).completions or {}, rest
  end
  return vim.tbl_filter(function(each)
    return vim.startswith(each, prefix)
  end, from)
end

--- The words in order.
---@return string[]
function M.names()
  local names = vim.tbl_keys(M.words)
  table.sort(names)
  return names
end

return M
