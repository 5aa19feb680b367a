-- The way to the server: which client is meant, and one place for requests and their errors.

local M = {}

local NAME = 'milepost'

--- Say something to the user.
---@param text string
---@param level integer? one of `vim.log.levels`
function M.say(text, level)
  vim.notify('Milepost: ' .. text, level or vim.log.levels.INFO)
end

--- The client that is meant in a buffer: its own, the one of Milepost's window, or the only one.
---@param buffer integer? 0 or nil for the current one
---@return vim.lsp.Client?
function M.find(buffer)
  buffer = (buffer == nil or buffer == 0) and vim.api.nvim_get_current_buf() or buffer
  local attached = vim.lsp.get_clients({ name = NAME, bufnr = buffer })[1]
  if attached then
    return attached
  end
  local kept = vim.b[buffer].milepost_client
  local client = kept and vim.lsp.get_client_by_id(kept)
  if client and not client:is_stopped() then
    return client
  end
  local running = vim.lsp.get_clients({ name = NAME })
  local here = vim.fs.normalize(vim.uv.cwd() or '.')
  for _, each in ipairs(running) do
    if each.root_dir and vim.startswith(here .. '/', vim.fs.normalize(each.root_dir) .. '/') then
      return each
    end
  end
  return running[1]
end

--- The client, or a sentence for the user when there is none.
---@param buffer integer?
---@return vim.lsp.Client?
function M.need(buffer)
  local client = M.find(buffer)
  if client and client.initialized then
    return client
  end
  M.say(
    client and 'the server is still starting; try again in a moment'
      or 'no server is running here; open a file of a project, or see :checkhealth milepost',
    vim.log.levels.WARN
  )
end

--- The document that names the project: the buffer's file, or what Milepost's window is about.
---@param client vim.lsp.Client
---@param buffer integer?
---@return string?
function M.uri(client, buffer)
  buffer = (buffer == nil or buffer == 0) and vim.api.nvim_get_current_buf() or buffer
  if vim.b[buffer].milepost_uri then
    return vim.b[buffer].milepost_uri
  end
  local name = vim.api.nvim_buf_get_name(buffer)
  if vim.bo[buffer].buftype == '' and name ~= '' and vim.lsp.buf_is_attached(buffer, client.id) then
    return vim.uri_from_bufnr(buffer)
  end
  return client.root_dir and vim.uri_from_fname(client.root_dir) or nil
end

--- Ask the server. Without `failed`, an error is shown to the user.
---@param client vim.lsp.Client
---@param method string
---@param params table
---@param done fun(result: any)?
---@param failed fun(message: string)?
---@return integer? request to cancel it by
function M.request(client, method, params, done, failed)
  failed = failed or function(message)
    M.say(message, vim.log.levels.ERROR)
  end
  local ok, id = client:request(method, params, function(err, result)
    if err then
      return failed(err.message or vim.inspect(err))
    end
    if done then
      done(result)
    end
  end)
  if not ok then
    failed('the server has stopped; :Milepost restart starts it again')
    return nil
  end
  return id
end

--- Run one of the server's commands.
---@param client vim.lsp.Client
---@param name string
---@param argument table
---@param done fun(result: any)?
function M.command(client, name, argument, done)
  local params = { command = name, arguments = { argument } }
  return M.request(client, 'workspace/executeCommand', params, done)
end

--- Let a window of Milepost's own belong to a client and a project.
---@param buffer integer
---@param client vim.lsp.Client
---@param uri string?
function M.bind(buffer, client, uri)
  vim.b[buffer].milepost_client = client.id
  vim.b[buffer].milepost_uri = uri
end

--- A value of the wire, where null is nil.
function M.value(value)
  if value == vim.NIL then
    return nil
  end
  return value
end

return M
