-- `milepost:` documents (restore points, diffs, goals, sessions) as buffers that cannot be changed.

local client_of = require('milepost.client')

local M = {}

--- Fill a buffer that was opened with such a name.
---@param buffer integer
---@param uri string
function M.read(buffer, uri)
  local client = client_of.find(buffer)
  vim.bo[buffer].buftype, vim.bo[buffer].bufhidden, vim.bo[buffer].swapfile = 'nofile', 'hide', false
  vim.bo[buffer].modifiable = false
  if not client then
    return client_of.say('no server is running that could show ' .. uri, vim.log.levels.WARN)
  end
  client_of.bind(buffer, client, vim.b[buffer].milepost_uri or client_of.uri(client))
  client_of.request(client, 'workspace/textDocumentContent', { uri = uri }, function(result)
    M.fill(buffer, vim.split((result.text:gsub('\n$', '')), '\n', { plain = true }))
    vim.bo[buffer].filetype = M._filetype(uri, buffer)
  end)
end

--- Put lines into a buffer that cannot be changed.
---@param buffer integer
---@param lines string[]
function M.fill(buffer, lines)
  if vim.api.nvim_buf_is_valid(buffer) then
    vim.bo[buffer].modifiable = true
    vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
    vim.bo[buffer].modifiable, vim.bo[buffer].modified = false, false
  end
end

--- Open one in a split, without a way to change it.
---@param uri string
---@param client vim.lsp.Client
function M.open(uri, client)
  vim.cmd('split')
  local buffer = vim.fn.bufadd(uri)
  client_of.bind(buffer, client, client_of.uri(client))
  vim.bo[buffer].buflisted = false
  vim.api.nvim_win_set_buf(0, buffer)
end

--- `milepost/checkpoint/didChange` and `milepost/goal/didChange`: what shows "now" is read again.
function M.on_change()
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    local name = vim.api.nvim_buf_get_name(buffer)
    local is_now = name:match('^milepost://.*/goals/') or name:match('^milepost://.*%.%.now$')
    if is_now and vim.api.nvim_buf_is_loaded(buffer) then
      M.read(buffer, name)
    end
  end
end

---@private
function M._filetype(uri, buffer)
  if uri:match('/diffs/[^/]*$') then
    return 'diff'
  end
  local path = uri:match('/checkpoints/%d+/files/(.*)$')
  if path then
    return vim.filetype.match({ filename = vim.uri_decode(path), buf = buffer }) or ''
  end
  return uri:match('/proposals/') and '' or 'markdown'
end

return M
