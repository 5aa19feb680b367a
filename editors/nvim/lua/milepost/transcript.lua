-- The words of a chat as lines of Markdown: updates in, changes of lines out.
--
-- It knows no buffer and no window. A chat is a list of blocks, each with its lines; an update adds
-- a block or changes one, and only what changed is given back, so that a long chat streams as fast
-- as a short one.

local value = require('milepost.client').value

---@class milepost.Block
---@field kind string
---@field lines string[]
---@field row integer zero-based
---@field is_folded boolean? whether all but its first line is folded away
---@field data table?

---@class milepost.LineChange
---@field row integer zero-based
---@field removed integer
---@field lines string[]

---@class milepost.Transcript
---@field private blocks milepost.Block[]
---@field private calls table<string, milepost.Block>
---@field private turn string?
---@field private speaker string?
---@field private step integer how many blocks stood when the step began
---@field title string
---@field usage table?
local Transcript = {}
Transcript.__index = Transcript

-- More of a tool's output than this is a file's business, not a chat's.
local SHOWN_LINES = 200

local MARKS = { pending = '○', in_progress = '◐', completed = '●', failed = '✗' }
local CHECKS = { pending = '[ ]', in_progress = '[-]', completed = '[x]', failed = '[!]' }

---@return milepost.Transcript
function Transcript.new()
  return setmetatable({ blocks = {}, calls = {}, step = 0, title = '' }, Transcript)
end

--- Take an update; what it changes of the lines.
---@param turn string
---@param update table
---@return milepost.LineChange[]
function Transcript:apply(turn, update)
  self.changes = {}
  if turn ~= self.turn then
    self.turn, self.speaker, self.plan = turn, nil, nil
  end
  local take = Transcript['on_' .. update.sessionUpdate]
  if take then
    take(self, update)
  end
  local changes = self.changes
  self.changes = nil
  return changes
end

--- How many lines there are.
---@return integer
function Transcript:height()
  local last = self.blocks[#self.blocks]
  return last and last.row + #last.lines or 0
end

--- All lines, for a window that opens later.
---@return string[]
function Transcript:all()
  local lines = {}
  for _, block in ipairs(self.blocks) do
    vim.list_extend(lines, block.lines)
  end
  return lines
end

--- The fold of a line, counted from one, as 'foldexpr' has it. The empty line at a block's end is
--- never folded.
---@param number integer
---@return string
function Transcript:fold(number)
  local block = self:_at(number - 1)
  if not block or not block.is_folded or #block.lines < 3 then
    return '0'
  end
  local line = number - block.row
  return line == 1 and '>1' or line < #block.lines and '1' or '0'
end

--- What a line is about: the block's data (a tool call, a restore point, an entry).
---@param number integer counted from one
---@return table?
function Transcript:about(number)
  local block = self:_at(number - 1)
  return block and block.data
end

-- Updates, in the order of the protocol ------------------------------------------------------

---@private
function Transcript:on_user_message_chunk(update)
  self:_say('user', '## You', update.content.text)
end

---@private
function Transcript:on_agent_message_chunk(update)
  self:_say('agent', '## Milepost', update.content.text)
end

---@private
function Transcript:on_agent_thought_chunk(update)
  if not require('milepost.settings').get().thoughts then
    return
  end
  self:_speak('agent', '## Milepost')
  local last = self.blocks[#self.blocks]
  if not last or last.kind ~= 'thought' then
    last = self:_add('thought', { '*thinking*', '', '' })
    last.is_folded = true
  end
  self:_append(last, update.content.text)
end

---@private
function Transcript:on_agent_message_reset(update)
  -- What was said since the last step does not count; tool calls and all before stay.
  for index = #self.blocks, self.step + 1, -1 do
    local block = self.blocks[index]
    if block.kind == 'agent' or block.kind == 'thought' then
      self:_replace(block, {})
    end
  end
  self:_add('notice', { ('> The answer broke off and comes again: %s'):format(update.reason), '' })
end

---@private
function Transcript:on_tool_call(update)
  self:_speak('agent', '## Milepost')
  local block = self:_add('tool', {})
  block.data = vim.deepcopy(update)
  self.calls[update.toolCallId] = block
  self:_replace(block, self:_call_lines(block))
  self.step = #self.blocks
end

---@private
function Transcript:on_tool_call_update(update)
  local block = self.calls[update.toolCallId]
  if not block then
    return
  end
  block.data = vim.tbl_extend('force', block.data, update, {
    sessionUpdate = 'tool_call',
    content = value(update.content) or block.data.content,
  })
  self:_replace(block, self:_call_lines(block))
end

---@private
function Transcript:on_plan(update)
  local lines = { '**Plan**', '' }
  for _, entry in ipairs(update.entries) do
    table.insert(lines, ('- %s %s'):format(CHECKS[entry.status] or '[ ]', self._one_line(entry.content)))
  end
  table.insert(lines, '')
  if self.plan then
    return self:_replace(self.plan, lines)
  end
  self:_speak('agent', '## Milepost')
  self.plan = self:_add('plan', lines)
end

---@private
function Transcript:on_memory_recall(update)
  if #update.entries == 0 then
    return
  end
  local lines = { ('*Remembered (%d)*'):format(#update.entries), '' }
  for _, entry in ipairs(update.entries) do
    local at = value(entry.uri) and ('%s#L%d'):format(entry.uri, (value(entry.line) or 0) + 1)
    local words = self._one_line(entry.text)
    table.insert(lines, at and ('- %s ([%s](%s))'):format(words, entry.id, at) or '- ' .. words)
  end
  table.insert(lines, '')
  local block = self:_add('memory', lines)
  block.is_folded, block.data = true, update
end

---@private
function Transcript:on_checkpoint(update)
  local label = self._one_line(value(update.label) or '')
  local words = ('*Restore point #%d*%s'):format(update.checkpointId, label == '' and '' or ' ' .. label)
  self:_add('checkpoint', { words, '' }).data = update
end

---@private
function Transcript:on_goal_verdict(update)
  local verdict = update.verdict:gsub('_', ' ')
  local lines = { ('**Goal %s.** %s'):format(verdict, self._one_line(update.reason)), '' }
  self:_add('verdict', lines).data = update
end

---@private
function Transcript:on_usage_update(update)
  self.usage = update
  self.step = #self.blocks
end

---@private
function Transcript:on_session_info_update(update)
  self.title = update.title
end

---@private
function Transcript:on_notice(update)
  self:_add('notice', { ('> %s'):format(self._one_line(update.text)), '' })
end

---@private
function Transcript:on_turn_ended(update)
  self.usage = vim.tbl_extend('force', self.usage or {}, value(update.usage) or {})
  for _, block in pairs(self.calls) do
    -- A call that was cut short has no end of its own.
    if block.data.status == 'pending' or block.data.status == 'in_progress' then
      block.data.status = 'failed'
      self:_replace(block, self:_call_lines(block))
    end
  end
  if update.stopReason ~= 'end_turn' then
    local reason = self._one_line(value(update.message) or '')
    local why = update.stopReason:gsub('_', ' ')
    self:_add('end', { ('> *Stopped: %s.* %s'):format(why, reason), '' })
  end
  self.speaker = nil
  self.step = #self.blocks
end

-- Blocks -------------------------------------------------------------------------------------

---@private
function Transcript:_speak(who, heading)
  if self.speaker ~= who then
    self.speaker = who
    self:_add('heading', { heading, '' })
  end
end

---@private
function Transcript:_say(who, heading, text)
  self:_speak(who, heading)
  local last = self.blocks[#self.blocks]
  if not last or last.kind ~= who then
    last = self:_add(who, { '', '' })
  end
  self:_append(last, text)
end

--- More text for a block whose last line is empty and stays so.
---@private
function Transcript:_append(block, text)
  local at = #block.lines - 1
  local lines = vim.split(block.lines[at] .. text, '\n', { plain = true })
  table.insert(lines, '')
  self:_splice(block, at, 2, lines)
end

---@private
function Transcript:_call_lines(block)
  local call = block.data
  local what = ('%s `%s` %s'):format(MARKS[call.status] or '○', call.tool, self._one_line(call.subject))
  local lines, points = { what }, value(call.checkpoints)
  if points and value(points.before) then
    lines[1] = ('%s (#%d)'):format(lines[1], points.before)
  end
  block.is_folded = true
  for _, part in ipairs(value(call.content) or {}) do
    if part.type == 'diff' then
      local diff = vim.diff(value(part.oldText) or '', value(part.newText) or '', { ctxlen = 3 })
      self._fenced(lines, 'diff', diff --[[@as string]])
    else
      self._fenced(lines, 'text', part.content.text)
    end
  end
  table.insert(lines, '')
  return lines
end

--- A code fence longer than any in the text, so that the text stays inside.
---@private
function Transcript._fenced(lines, language, text)
  local fence = '```'
  for run in text:gmatch('`+') do
    if #run >= #fence then
      fence = ('`'):rep(#run + 1)
    end
  end
  table.insert(lines, fence .. language)
  local body = vim.split(text:gsub('\n$', ''), '\n', { plain = true })
  vim.list_extend(lines, body, 1, math.min(#body, SHOWN_LINES))
  if #body > SHOWN_LINES then
    table.insert(lines, ('… %d more lines'):format(#body - SHOWN_LINES))
  end
  table.insert(lines, fence)
end

---@private
function Transcript._one_line(text)
  return (text:gsub('%s*\n%s*', ' '))
end

---@private
function Transcript:_add(kind, lines)
  local row = self:height()
  ---@type milepost.Block
  local block = { kind = kind, lines = lines, row = row }
  table.insert(self.blocks, block)
  table.insert(self.changes, { row = row, removed = 0, lines = lines })
  return block
end

---@private
function Transcript:_replace(block, lines)
  self:_splice(block, 1, #block.lines, lines)
end

--- Put `lines` where `removed` lines stood, from the block's line `at` on.
---@private
function Transcript:_splice(block, at, removed, lines)
  local after = vim.list_slice(block.lines, at + removed)
  block.lines = vim.list_extend(vim.list_extend(vim.list_slice(block.lines, 1, at - 1), lines), after)
  table.insert(self.changes, { row = block.row + at - 1, removed = removed, lines = lines })
  local grown = #lines - removed
  if grown ~= 0 then
    for index = #self.blocks, 1, -1 do
      if self.blocks[index] == block then
        break
      end
      self.blocks[index].row = self.blocks[index].row + grown
    end
  end
end

---@private
function Transcript:_at(row)
  local low, high = 1, #self.blocks
  while low <= high do
    local middle = math.floor((low + high) / 2)
    local block = self.blocks[middle]
    if row < block.row then
      high = middle - 1
    elseif row >= block.row + #block.lines then
      low = middle + 1
    else
      return block
    end
  end
end

return Transcript
