-- What is there from the start: one command, <Plug> maps, `milepost:` documents. The rest is loaded
-- when it is used.

if vim.g.loaded_milepost then
  return
end
vim.g.loaded_milepost = true

vim.api.nvim_create_user_command('Milepost', function(call)
  require('milepost.command').run(call)
end, {
  nargs = '+',
  bang = true,
  range = true,
  complete = function(...)
    return require('milepost.command').complete(...)
  end,
  desc = 'Memory, restore points and goals',
})

local function plug(name, modes, command)
  vim.keymap.set(modes, ('<Plug>(milepost-%s)'):format(name), command, { desc = 'Milepost: ' .. name })
end

for _, name in ipairs({ 'chat', 'memory', 'checkpoints', 'checkpoint', 'goal', 'proposals', 'accept', 'reject', 'cancel', 'send', 'undo' }) do
  plug(name, 'n', ('<Cmd>Milepost %s<CR>'):format(name))
end
plug('verify', 'n', '<Cmd>Milepost goal verify<CR>')
for _, name in ipairs({ 'ask', 'remember' }) do
  plug(name, 'n', ('<Cmd>.Milepost %s<CR>'):format(name))
  plug(name, 'x', (':Milepost %s<CR>'):format(name))
end

local group = vim.api.nvim_create_augroup('milepost', {})

vim.api.nvim_create_autocmd('BufReadCmd', {
  group = group,
  pattern = 'milepost://*',
  callback = function(event)
    require('milepost.documents').read(event.buf, event.match)
  end,
})

vim.api.nvim_create_autocmd('LspAttach', {
  group = group,
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == 'milepost' then
      require('milepost.status').begin(client)
    end
  end,
})
