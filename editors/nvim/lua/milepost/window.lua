-- The chat on the screen: a buffer that shows what was said, and one below it to write in.
--
-- Nothing that arrives moves the focus. What comes is shown at the end only to a window whose cursor
-- is at the end.

local client_of = require('milepost.client')
local settings = require('milepost.settings')

local M = {}

---@class milepost.ChatWindow
---@field private chat milepost.Chat
---@field private shown integer the buffer with what was said
---@field private input integer the buffer to write in
local Window = {}
Window.__index = Window

local count = 0

---@param chat milepost.Chat
---@return milepost.ChatWindow
function M.new(chat)
  count = count + 1
  local self = setmetatable({ chat = chat, number = count }, Window)
  self.shown = self:_buffer('milepost-chat://' .. count, 'nofile')
  self.input = self:_buffer('milepost-input://' .. count, 'acwrite')
  vim.bo[self.shown].modifiable = false
  for _, buffer in ipairs({ self.shown, self.input }) do
    client_of.bind(buffer, chat.client, chat.uri)
    vim.bo[buffer].filetype = 'milepost-chat'
    pcall(vim.treesitter.start, buffer, 'markdown')
  end
  vim.bo[self.input].omnifunc = "v:lua.require'milepost.completion'.omni"
  vim.api.nvim_create_autocmd('BufWriteCmd', {
    buffer = self.input,
    callback = function()
      self:send()
    end,
  })
  self:_give_keys()
  return self
end

--- `foldexpr` of the window that shows what was said.
---@return string
function M.fold()
  local self = M.of(vim.api.nvim_get_current_buf())
  return self and self.chat.transcript:fold(vim.v.lnum) or '0'
end

local windows = setmetatable({}, { __mode = 'v' })

--- The chat window that a buffer belongs to.
---@param buffer integer
---@return milepost.ChatWindow?
function M.of(buffer)
  return windows[buffer]
end

--- Whether a buffer is one of the chat's.
---@param buffer integer
function Window:has(buffer)
  return buffer == self.shown or buffer == self.input
end

--- Show both buffers and go where one writes.
function Window:open()
  local wanted = settings.get()
  local above = vim.fn.bufwinid(self.shown)
  if above == -1 then
    local split = { right = 'botright vsplit', left = 'topleft vsplit', below = 'botright split', tab = 'tab split' }
    vim.cmd(split[wanted.position])
    above = vim.api.nvim_get_current_win()
    vim.api.nvim_win_set_buf(above, self.shown)
    if wanted.position == 'right' or wanted.position == 'left' then
      local width = wanted.width < 1 and math.floor(vim.o.columns * wanted.width) or wanted.width
      vim.api.nvim_win_set_width(above, math.max(20, math.floor(width)))
    end
    self:_dress(above)
    vim.wo[above].foldmethod, vim.wo[above].foldlevel = 'expr', 0
    vim.wo[above].foldexpr = "v:lua.require'milepost.window'.fold()"
    vim.wo[above].foldtext, vim.wo[above].fillchars = '', 'fold: ,eob: '
    vim.api.nvim_win_set_cursor(above, { vim.api.nvim_buf_line_count(self.shown), 0 })
  end
  local below = vim.fn.bufwinid(self.input)
  if below == -1 then
    vim.api.nvim_set_current_win(above)
    vim.cmd(('rightbelow %dsplit'):format(wanted.input_height))
    below = vim.api.nvim_get_current_win()
    vim.api.nvim_win_set_buf(below, self.input)
    self:_dress(below)
    vim.wo[below].winfixheight, vim.wo[below].foldmethod, vim.wo[below].fillchars = true, 'manual', 'eob: '
  end
  vim.api.nvim_set_current_win(below)
  self:show_state()
end

--- Take both buffers away.
function Window:close()
  for _, buffer in ipairs({ self.shown, self.input }) do
    if vim.api.nvim_buf_is_valid(buffer) then
      vim.api.nvim_buf_delete(buffer, { force = true })
    end
  end
end

--- Change lines of what is shown; windows whose cursor is at the end follow.
---@param changes milepost.LineChange[]
function Window:change(changes)
  if #changes == 0 or not vim.api.nvim_buf_is_valid(self.shown) then
    return
  end
  local last = vim.api.nvim_buf_line_count(self.shown)
  local following = vim.tbl_filter(function(window)
    return vim.api.nvim_win_get_cursor(window)[1] >= last
  end, vim.fn.win_findbuf(self.shown))
  vim.bo[self.shown].modifiable = true
  for _, change in ipairs(changes) do
    vim.api.nvim_buf_set_lines(self.shown, change.row, change.row + change.removed, false, change.lines)
  end
  vim.bo[self.shown].modifiable, vim.bo[self.shown].modified = false, false
  local now = vim.api.nvim_buf_line_count(self.shown)
  for _, window in ipairs(following) do
    vim.api.nvim_win_set_cursor(window, { now, 0 })
  end
end

--- What the bars above the two windows say: the title and what it took; what goes along with the
--- next prompt, and whether an answer is coming.
function Window:show_state()
  local chat = self.chat
  local title = chat.transcript.title ~= '' and chat.transcript.title or 'new chat'
  self:_bar(self.shown, ('Milepost · %s%%=%s'):format(title:gsub('%%', '%%%%'), self:_usage()))
  local along = #chat.context == 0 and '' or (' · with %s'):format(table.concat(self:_context(), ', '))
  local state = chat.running and 'answering… (:Milepost cancel stops)' or chat.mode
  self:_bar(self.input, ('%s%s'):format(state, along:gsub('%%', '%%%%')))
end

--- Put words into the input, below what stands there.
---@param lines string[]
function Window:write(lines)
  local there = vim.api.nvim_buf_get_lines(self.input, 0, -1, false)
  local from = #there == 1 and there[1] == '' and 0 or #there
  vim.api.nvim_buf_set_lines(self.input, from, -1, false, lines)
end

--- Send what was written.
function Window:send()
  local lines = vim.api.nvim_buf_get_lines(self.input, 0, -1, false)
  local text = vim.trim(table.concat(lines, '\n'))
  if text == '' then
    return client_of.say('write something first')
  end
  if require('milepost.chat').send(self.chat, text) then
    vim.api.nvim_buf_set_lines(self.input, 0, -1, false, {})
    vim.bo[self.input].modified = false
    for _, window in ipairs(vim.fn.win_findbuf(self.shown)) do
      vim.api.nvim_win_set_cursor(window, { vim.api.nvim_buf_line_count(self.shown), 0 })
    end
  end
end

---@private
function Window:_buffer(name, kind)
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(buffer, name)
  vim.bo[buffer].buftype, vim.bo[buffer].bufhidden, vim.bo[buffer].swapfile = kind, 'hide', false
  windows[buffer] = self
  return buffer
end

---@private
function Window:_dress(window)
  local look = vim.wo[window]
  look.number, look.relativenumber, look.signcolumn, look.list = false, false, 'no', false
  look.wrap, look.linebreak, look.breakindent, look.spell = true, true, true, false
  look.conceallevel = 2
end

---@private
function Window:_give_keys()
  if not settings.get().keys then
    return
  end
  local function key(buffer, lhs, plug)
    vim.keymap.set('n', lhs, plug, { buffer = buffer, remap = true, desc = 'Milepost: ' .. plug })
  end
  key(self.input, '<CR>', '<Plug>(milepost-send)')
  key(self.input, '<C-c>', '<Plug>(milepost-cancel)')
  key(self.shown, '<C-c>', '<Plug>(milepost-cancel)')
end

---@private
function Window:_bar(buffer, text)
  for _, window in ipairs(vim.fn.win_findbuf(buffer)) do
    vim.wo[window].winbar = text
  end
end

---@private
function Window:_usage()
  local usage = self.chat.transcript.usage
  if not usage then
    return ''
  end
  local cost = client_of.value(usage.costUsd)
  local money = cost and (' · $%.4f'):format(cost) or ''
  return ('%d in · %d out%s'):format(usage.inputTokens or 0, usage.outputTokens or 0, money)
end

---@private
function Window:_context()
  return vim.tbl_map(function(block)
    if block.type == 'file' then
      local name = vim.fs.basename(vim.uri_to_fname(block.uri))
      local range = block.range
      return range and ('%s:%d-%d'):format(name, range.start.line + 1, range['end'].line + 1) or name
    end
    return block.type == 'memory' and block.id or block.type
  end, self.chat.context)
end

return M
