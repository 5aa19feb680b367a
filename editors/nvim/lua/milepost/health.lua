-- `:checkhealth milepost`: whether everything is there, and what to do when it is not.

local client_of = require('milepost.client')

local M = {}

function M.check()
  local health = vim.health
  health.start('Neovim')
  if vim.fn.has('nvim-0.11') == 1 then
    health.ok(tostring(vim.version()))
  else
    health.error('Neovim is older than 0.11', 'Update Neovim')
  end
  health.start('Server')
  M._program()
  local client = client_of.find()
  if not client then
    return health.warn('no server is running', {
      'Put vim.lsp.enable("milepost") into your init.lua',
      'Open a file of a project (one with .git, a manifest or .milepost)',
    })
  end
  health.ok(('attached, project %s'):format(client.root_dir or '(none)'))
  M._asked(client)
end

---@private
function M._program()
  local command = (vim.lsp.config.milepost or {}).cmd
  if type(command) ~= 'table' then
    return vim.health.info('the server is reached by a function of your own')
  end
  local path = vim.fn.exepath(command[1])
  if path == '' then
    return vim.health.error(('%s is not on the PATH'):format(command[1]), {
      "Install it: pip install 'milepost[lsp]'",
      "Or name it: vim.lsp.config('milepost', { cmd = { '/path/to/milepost-lsp' } })",
    })
  end
  local done = vim.system({ path, '--version' }, { text = true, timeout = 10000 }):wait()
  if done.code == 0 then
    vim.health.ok(('%s (%s)'):format(vim.trim(done.stdout), path))
  else
    vim.health.error(('%s does not start: %s'):format(path, vim.trim(done.stderr or '')))
  end
end

---@private
function M._asked(client)
  local told = (client.server_capabilities.experimental or {}).milepost
  if told then
    vim.health.ok(('protocol %s, chat %s'):format(told.protocol, told.chat or 'none'))
  else
    vim.health.error('the server does not speak to this plugin', 'Update milepost: pip install -U milepost')
  end
  local params = { command = 'milepost.status', arguments = { { uri = client_of.uri(client) } } }
  local answer, err = client:request_sync('workspace/executeCommand', params, 5000)
  if not answer or answer.err then
    local why = answer and answer.err.message or err
    return vim.health.error('the server does not say how the project stands: ' .. tostring(why))
  end
  local status = answer.result
  if client_of.value(status.model) then
    vim.health.ok('model: ' .. status.model)
  else
    vim.health.info('no model is configured: the chat answers from memory and history')
  end
  local failure = client_of.value(status.checkpointError)
  if failure then
    vim.health.error('no restore point can be made: ' .. failure)
  else
    vim.health.ok('restore points can be made')
  end
end

return M
