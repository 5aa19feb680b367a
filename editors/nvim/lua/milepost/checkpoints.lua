-- Restore points: look at what changed since one, go back to it, name it, keep it; undo a restore.

local client_of = require('milepost.client')
local documents = require('milepost.documents')
local picker = require('milepost.picker')

local M = {}

-- The newest; older ones have names or labels to be found by over the terminal.
local LISTED = 100

--- Choose a restore point and what to do with it.
function M.pick()
  picker.list(function(client, uri, show)
    client_of.command(client, 'milepost.checkpoint.list', { limit = LISTED, uri = uri }, function(page)
      show(page.checkpoints)
    end)
  end, {
    prompt = 'Restore points:',
    kind = 'checkpoint',
    none = 'there is no restore point yet; :Milepost checkpoint makes one',
    format = M._line,
  }, M.act)
end

--- Choose what to do with a restore point.
---@param client vim.lsp.Client
---@param uri string
---@param point table
function M.act(client, uri, point)
  local keep = point.pinned and 'Do not keep it for ever' or 'Keep it for ever'
  picker.act(M._line(point), {
    { 'Show what changed since', function() M.diff(client, uri, point.id) end },
    { 'Go back', function() M.go_back(client, uri, point.id) end },
    { 'Name it', function() M._name(client, uri, point) end },
    { keep, function() M._pin(client, uri, point) end },
  }) -- stylua: ignore
end

--- Show what changed since a restore point.
---@param client vim.lsp.Client
---@param uri string
---@param id integer
function M.diff(client, uri, id)
  client_of.command(client, 'milepost.status', { uri = uri }, function(status)
    documents.open(('milepost://%s/diffs/%d..now'):format(status.project.id, id), client)
  end)
end

--- Go back to a restore point, after the user saw how much it changes.
---@param client vim.lsp.Client
---@param uri string
---@param id integer
function M.go_back(client, uri, id)
  local unsaved = vim.tbl_filter(function(buffer)
    return vim.bo[buffer].modified and vim.lsp.buf_is_attached(buffer, client.id)
  end, vim.api.nvim_list_bufs())
  if #unsaved > 0 then
    local name = vim.fs.basename(vim.api.nvim_buf_get_name(unsaved[1]))
    return client_of.say(('save or discard your changes of %s first'):format(name), vim.log.levels.WARN)
  end
  local argument = { id = id, apply = false, uri = uri }
  client_of.command(client, 'milepost.checkpoint.goBack', argument, function(plan)
    if #plan.changes == 0 and #plan.refused == 0 then
      return client_of.say(('nothing to do: the files are as at #%d'):format(id))
    end
    local files = #plan.changes == 1 and '1 file' or #plan.changes .. ' files'
    local left = #plan.refused > 0 and (', %d left alone'):format(#plan.refused) or ''
    picker.act(('Going back to #%d changes %s%s.'):format(id, files, left), {
      { 'Go back', function() M._apply(client, argument) end },
      { 'Show what changes', function() M.diff(client, uri, id) end },
    }) -- stylua: ignore
  end)
end

--- Make a restore point now.
---@param label string?
function M.save(label)
  M._simple('milepost.checkpoint.save', { label = label or '' })
end

--- Take the last restore back.
function M.undo()
  M._simple('milepost.checkpoint.undo', {})
end

--- Do the restore again that was taken back last.
function M.redo()
  M._simple('milepost.checkpoint.redo', {})
end

---@private
function M._simple(command, argument)
  local client = client_of.need()
  if client then
    argument.uri = client_of.uri(client)
    client_of.command(client, command, argument, function()
      vim.cmd('silent! checktime')
    end)
  end
end

---@private
function M._apply(client, argument)
  argument.apply = true
  client_of.command(client, 'milepost.checkpoint.goBack', argument, function(done)
    vim.cmd('silent! checktime')
    for _, refused in ipairs(done.refused) do
      client_of.say(('%s was left alone: %s'):format(refused.path, refused.reason), vim.log.levels.WARN)
    end
  end)
end

---@private
function M._name(client, uri, point)
  vim.ui.input({ prompt = 'Name: ', default = client_of.value(point.name) }, function(name)
    if name and vim.trim(name) ~= '' then
      client_of.command(client, 'milepost.checkpoint.name', { id = point.id, name = name, uri = uri })
    end
  end)
end

---@private
function M._pin(client, uri, point)
  client_of.command(client, 'milepost.checkpoint.pin', { id = point.id, pinned = not point.pinned, uri = uri })
end

---@private
function M._line(point)
  local name = client_of.value(point.name)
  local label = point.label ~= '' and point.label or 'no label'
  local files = point.filesChanged == 1 and '1 file' or point.filesChanged .. ' files'
  return ('#%d  %s%s  %s, %s%s'):format(
    point.id,
    name and name .. ': ' or '',
    label:gsub('%s*\n%s*', ' '),
    point.createdAt:gsub('T', ' '):gsub('Z$', ''),
    files,
    point.pinned and ', kept' or ''
  )
end

return M
