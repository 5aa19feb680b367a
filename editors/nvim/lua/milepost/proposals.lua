-- Proposals: edits shown side by side, accepted or rejected hunk by hunk.
--
-- The two sides are texts of their own, as they were when the edit was proposed, so that a hunk is
-- found by the line of the cursor whatever happened to the file meanwhile. The server writes.

local client_of = require('milepost.client')
local documents = require('milepost.documents')
local picker = require('milepost.picker')

local M = {}

local MARKS = vim.api.nvim_create_namespace('milepost-proposals')

---@type table<string, table> by id; those that are not open any more are dropped
local known = {}

---@type table<integer, { id: string, side: 'old'|'new' }> by buffer
local sides = {}

--- `milepost/proposal/didChange`.
function M.on_change(_, params, context)
  M._take(params.proposal, context.client_id)
end

--- How many wait for the user.
---@return integer
function M.waiting()
  return vim.tbl_count(known)
end

--- Choose a proposal and look at it; the only one at once.
function M.pick()
  local client = client_of.need()
  if not client then
    return
  end
  local argument = { uri = client_of.uri(client) }
  client_of.request(client, 'milepost/proposal/list', argument, function(result)
    for _, proposal in ipairs(result.proposals) do
      M._take(proposal, client.id)
    end
    local open = vim.tbl_filter(function(proposal)
      return proposal.state == 'open'
    end, result.proposals)
    if #open == 0 then
      return client_of.say('no proposal is waiting')
    elseif #open == 1 then
      return M.open(client, open[1])
    end
    picker.choose(open, { prompt = 'Proposals:', kind = 'proposal', format = M._line }, function(proposal)
      M.open(client, proposal)
    end)
  end)
end

--- Show a proposal in a tab of its own, old on the left and new on the right.
---@param client vim.lsp.Client
---@param proposal table
function M.open(client, proposal)
  M._take(proposal, client.id)
  vim.cmd('tabnew')
  local kind = vim.filetype.match({ filename = vim.uri_to_fname(proposal.uri) })
  local function side(name, text)
    local buffer = vim.api.nvim_get_current_buf()
    vim.api.nvim_buf_set_name(buffer, ('milepost-proposal://%s/%s/%d'):format(proposal.id, name, buffer))
    vim.bo[buffer].buftype, vim.bo[buffer].bufhidden = 'nofile', 'wipe'
    documents.fill(buffer, vim.split((text:gsub('\n$', '')), '\n', { plain = true }))
    client_of.bind(buffer, client, proposal.uri)
    vim.bo[buffer].filetype = kind or ''
    sides[buffer] = { id = proposal.id, side = name }
    vim.api.nvim_create_autocmd('BufWipeout', {
      buffer = buffer,
      callback = function()
        sides[buffer] = nil
      end,
    })
    vim.cmd('diffthis')
    vim.wo.winbar = name == 'old' and 'before' or ('%s · :Milepost accept, :Milepost reject (! for all)'):format((proposal.title:gsub('%%', '%%%%')))
  end
  side('old', proposal.oldText)
  vim.cmd('rightbelow vnew')
  side('new', proposal.newText)
  M._mark(proposal)
  local first = proposal.hunks[1]
  if first then
    local last = vim.api.nvim_buf_line_count(0)
    vim.api.nvim_win_set_cursor(0, { math.min(first.newStart + 1, last), 0 })
  end
end

--- Accept or reject the hunk under the cursor, or all that are open.
---@param verb 'accept'|'reject'
---@param all boolean
function M.decide(verb, all)
  local buffer = vim.api.nvim_get_current_buf()
  local side = sides[buffer]
  local kept = side and known[side.id]
  if not kept then
    return client_of.say('open a proposal first (:Milepost proposals)', vim.log.levels.WARN)
  end
  local client = vim.lsp.get_client_by_id(kept.client)
  local argument = { proposalId = side.id, uri = kept.proposal.uri }
  if not all then
    local hunk = M._hunk(kept.proposal, side.side, vim.api.nvim_win_get_cursor(0)[1] - 1)
    if not hunk then
      return client_of.say('there is no change at the cursor; ]c goes to the next one')
    end
    argument.hunks = { hunk.id }
  end
  client_of.request(assert(client), 'milepost/proposal/' .. verb, argument, function(proposal)
    M._take(proposal, kept.client)
    vim.cmd('silent! checktime')
  end)
end

---@private
function M._take(proposal, client_id)
  if proposal.state == 'open' then
    known[proposal.id] = { proposal = proposal, client = client_id }
    return M._mark(proposal)
  end
  local was_known = known[proposal.id]
  known[proposal.id] = nil
  M._mark(proposal)
  if was_known and M._is_shown(proposal.id) then
    client_of.say(proposal.state == 'stale' and 'the file has moved on; this proposal no longer fits' or 'all decided')
    M._close(proposal.id)
  end
end

--- The hunk at a line of one side; a pure deletion or insertion counts at the line where it is.
---@private
function M._hunk(proposal, side, row)
  for _, hunk in ipairs(proposal.hunks) do
    local start, lines = hunk[side .. 'Start'], hunk[side .. 'Lines']
    if row >= start and row < start + math.max(lines, 1) then
      return hunk
    end
  end
end

---@private
function M._mark(proposal)
  for buffer, side in pairs(sides) do
    if side.id == proposal.id and vim.api.nvim_buf_is_valid(buffer) then
      vim.api.nvim_buf_clear_namespace(buffer, MARKS, 0, -1)
      local last = vim.api.nvim_buf_line_count(buffer) - 1
      for _, hunk in ipairs(proposal.hunks) do
        if hunk.state ~= 'open' then
          local row = math.min(hunk[side.side .. 'Start'], last)
          vim.api.nvim_buf_set_extmark(buffer, MARKS, row, 0, {
            virt_text = { { hunk.state, hunk.state == 'accepted' and 'DiagnosticOk' or 'DiagnosticWarn' } },
            virt_text_pos = 'right_align',
          })
        end
      end
    end
  end
end

---@private
function M._is_shown(id)
  return vim.iter(pairs(sides)):any(function(_, side)
    return side.id == id
  end)
end

---@private
function M._close(id)
  for buffer, side in pairs(vim.deepcopy(sides)) do
    if side.id == id and vim.api.nvim_buf_is_valid(buffer) then
      vim.api.nvim_buf_delete(buffer, { force = true })
    end
  end
end

---@private
function M._line(proposal)
  local open = #vim.tbl_filter(function(hunk)
    return hunk.state == 'open'
  end, proposal.hunks)
  local name = vim.fs.basename(vim.uri_to_fname(proposal.uri))
  return ('%s  %s, %d of %d changes open'):format(name, proposal.title, open, #proposal.hunks)
end

return M
