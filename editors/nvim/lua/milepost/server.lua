-- The server's process: starting it anew, and its log.

local client_of = require('milepost.client')

local M = {}

-- A server ends within a second or two; after this it is killed.
local PATIENCE_MS = 5000

--- Stop the server and start it for the same buffers.
function M.restart()
  local clients = vim.lsp.get_clients({ name = 'milepost' })
  local buffers = {}
  for _, client in ipairs(clients) do
    vim.list_extend(buffers, vim.tbl_keys(client.attached_buffers))
    client:stop()
  end
  M._when_stopped(clients, vim.uv.now() + PATIENCE_MS, function()
    if #buffers == 0 then
      buffers = { vim.api.nvim_get_current_buf() }
    end
    vim.lsp.enable('milepost')
    for _, buffer in ipairs(buffers) do
      if vim.api.nvim_buf_is_loaded(buffer) then
        vim.api.nvim_exec_autocmds('FileType', { group = 'nvim.lsp.enable', buffer = buffer, modeline = false })
      end
    end
    client_of.say('the server was started anew')
  end)
end

--- Open Neovim's log of language servers, to which the server's messages go.
function M.log()
  vim.cmd('tabedit ' .. vim.fn.fnameescape(vim.lsp.log.get_filename()))
  vim.bo.readonly, vim.bo.modifiable = true, false
  vim.cmd('normal! G')
end

---@private
function M._when_stopped(clients, deadline, done)
  local running = vim.tbl_filter(function(client)
    return not client:is_stopped()
  end, clients)
  if #running == 0 then
    return done()
  end
  if vim.uv.now() > deadline then
    for _, client in ipairs(running) do
      client:stop(true)
    end
  end
  vim.defer_fn(function()
    M._when_stopped(running, deadline, done)
  end, 20)
end

return M
