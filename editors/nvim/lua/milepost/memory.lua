-- Memory: search or list it, and confirm, edit, forget or open an entry. Every change can be undone.

local client_of = require('milepost.client')
local picker = require('milepost.picker')

local M = {}

-- As many as one looks through in a list; the search finds the rest.
local LISTED = 100

--- `milepost/memory/didChange`: buffers of memory files follow.
function M.on_change(_, params)
  local buffer = vim.fn.bufnr(vim.uri_to_fname(params.uri))
  if buffer ~= -1 and vim.api.nvim_buf_is_loaded(buffer) then
    vim.cmd('silent! checktime ' .. buffer)
  end
end

--- Choose an entry and what to do with it; with `words`, of those that a search finds.
---@param words string?
function M.pick(words)
  picker.list(function(client, uri, show)
    if words and words ~= '' then
      client_of.command(client, 'milepost.memory.search', { query = words, uri = uri }, function(result)
        local entries = vim.tbl_map(function(hit)
          return hit.entry
        end, result.hits)
        show(entries, client_of.value(result.advice))
      end)
    else
      client_of.command(client, 'milepost.memory.list', { limit = LISTED, uri = uri }, function(page)
        show(page.entries)
      end)
    end
  end, {
    prompt = 'Memory:',
    kind = 'memory',
    none = 'nothing is remembered here yet; :Milepost remember begins',
    format = M._line,
    preview = M._preview,
  }, M.act)
end

--- Choose what to do with an entry.
---@param client vim.lsp.Client
---@param uri string
---@param entry table
function M.act(client, uri, entry)
  local named = { id = entry.id, version = entry.version, uri = uri }
  local actions = {
    { 'Show', function() M.show(entry) end },
    { 'Edit', function() M.edit(client, uri, entry) end },
    { 'Forget', function() client_of.command(client, 'milepost.memory.forget', named) end },
    { 'Undo the last change of memory', function() M.undo() end },
  } -- stylua: ignore
  if entry.status ~= 'confirmed' or #entry.doubts > 0 then
    table.insert(actions, 2, { 'Confirm', function() client_of.command(client, 'milepost.memory.confirm', named) end }) -- stylua: ignore
  end
  picker.act(M._line(entry), actions)
end

--- Show an entry with all that is known of it.
---@param entry table
function M.show(entry)
  vim.lsp.util.open_floating_preview(M._preview(entry), 'markdown', { border = 'rounded', focus_id = 'milepost' })
end

--- Edit the words of an entry in a window of its own; writing it saves them.
---@param client vim.lsp.Client
---@param uri string
---@param entry table
function M.edit(client, uri, entry)
  vim.cmd('split')
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_win_set_buf(0, buffer)
  vim.api.nvim_buf_set_name(buffer, ('milepost-entry://%s/%d'):format(entry.id, buffer))
  vim.bo[buffer].buftype, vim.bo[buffer].bufhidden = 'acwrite', 'wipe'
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.split(entry.text, '\n', { plain = true }))
  vim.bo[buffer].filetype, vim.bo[buffer].modified = 'markdown', false
  client_of.bind(buffer, client, uri)
  local version = entry.version
  vim.api.nvim_create_autocmd('BufWriteCmd', {
    buffer = buffer,
    callback = function()
      local text = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), '\n')
      local argument = { id = entry.id, text = text, version = version, uri = uri }
      client_of.command(client, 'milepost.memory.edit', argument, function(changed)
        version = changed.version
        if vim.api.nvim_buf_is_valid(buffer) then
          vim.bo[buffer].modified = false
        end
        client_of.say('changed; :Milepost memory-undo takes it back')
      end)
    end,
  })
end

--- Remember words: those given, or the lines of a file, or what the user is asked for.
---@param text string?
---@param lines { buffer: integer, first: integer, last: integer }?
function M.remember(text, lines)
  local client = client_of.need()
  if not client then
    return
  end
  local argument = { uri = client_of.uri(client) }
  local function send()
    client_of.command(client, 'milepost.memory.remember', argument)
  end
  if text and text ~= '' then
    argument.text = text
    send()
  elseif lines then
    local last = vim.api.nvim_buf_get_lines(lines.buffer, lines.last - 1, lines.last, false)[1] or ''
    argument.uri = vim.uri_from_bufnr(lines.buffer)
    argument.range = {
      start = { line = lines.first - 1, character = 0 },
      ['end'] = { line = lines.last - 1, character = vim.str_utfindex(last, client.offset_encoding) },
    }
    send()
  else
    vim.ui.input({ prompt = 'Remember: ' }, function(words)
      if words and vim.trim(words) ~= '' then
        argument.text = words
        send()
      end
    end)
  end
end

--- Take the last change of memory back.
function M.undo()
  local client = client_of.need()
  if client then
    client_of.command(client, 'milepost.memory.undo', { uri = client_of.uri(client) })
  end
end

---@private
function M._line(entry)
  local suspect = #entry.doubts > 0 and ', suspect' or ''
  local words = entry.text:gsub('%s*\n%s*', ' ')
  return ('%s  [%s, %s%s]'):format(words, entry.kind, entry.status, suspect)
end

---@private
function M._preview(entry)
  local lines = vim.split(entry.text, '\n', { plain = true })
  vim.list_extend(lines, { '', ('%s · %s · %s · from %s'):format(entry.kind, entry.status, entry.scope, entry.source) })
  for _, name in ipairs({ 'anchors', 'doubts', 'moved' }) do
    for _, each in ipairs(entry[name]) do
      table.insert(lines, ('- %s: %s'):format(name:gsub('s$', ''), each))
    end
  end
  return lines
end

return M
