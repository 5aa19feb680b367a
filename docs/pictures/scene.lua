-- The scene of editor.png: a real Neovim on the demo project, with the real language server.
-- Started by make.sh; everything on the screen is what the server answered.

vim.opt.termguicolors = true
vim.opt.number = true
vim.opt.signcolumn = 'no'
vim.opt.laststatus = 2
vim.opt.cmdheight = 0
vim.opt.ruler = false
vim.opt.showmode = false
vim.opt.shortmess:append('I')
vim.opt.fillchars = { eob = ' ', vert = '│' }
vim.opt.winborder = 'rounded'
vim.opt.swapfile = false
vim.opt.wrap = false
vim.opt.sidescroll = 0
vim.cmd.colorscheme('default')

local function paint(group, style)
  vim.api.nvim_set_hl(0, group, style)
end
paint('Normal', { fg = '#d8dee9', bg = '#1b1f27' })
paint('NormalFloat', { fg = '#d8dee9', bg = '#232834' })
paint('FloatBorder', { fg = '#61afef', bg = '#232834' })
paint('LineNr', { fg = '#4b5263' })
paint('StatusLine', { fg = '#d8dee9', bg = '#2b303b' })
paint('StatusLineNC', { fg = '#8b93a5', bg = '#2b303b' })
paint('WinSeparator', { fg = '#3b4252' })
paint('Comment', { fg = '#7f8796', italic = true })
paint('String', { fg = '#98c379' })
paint('Statement', { fg = '#c678dd' })
paint('PreProc', { fg = '#c678dd' })
paint('Function', { fg = '#61afef' })
paint('Special', { fg = '#56b6c2' })
paint('Title', { fg = '#e5c07b', bold = true })

vim.lsp.config('milepost', {
  cmd = { 'milepost-lsp' },
  filetypes = { 'python', 'markdown' },
  root_markers = { '.git' },
})
vim.lsp.enable('milepost')

local function wait_for(what, condition)
  if not vim.wait(20000, condition, 50) then
    error('the scene waited in vain for ' .. what)
  end
end

local function hover_window()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(window).relative ~= '' then
      return window
    end
  end
  return nil
end

local function play()
  vim.cmd.edit('hourglass/model.py')
  wait_for('the server', function()
    local client = vim.lsp.get_clients({ name = 'milepost' })[1]
    return client ~= nil and client.initialized
  end)
  vim.opt_local.statusline = ' %f'
  vim.cmd('belowright 12split ' .. vim.fn.fnameescape(vim.env.SCENE_MEMORY))
  vim.opt_local.number = false
  vim.fn.search('^## Rules')
  vim.cmd('normal! zt')
  vim.opt_local.statusline = ' MEMORY.md'
  vim.cmd.wincmd('k')
  vim.cmd('normal! Gzb')
  vim.fn.search([[< self\.\zslast]], 'b')
end

local function hover()
  vim.lsp.buf.hover({ max_width = 94 })
  wait_for('the hover', hover_window)
  vim.wo[hover_window()].linebreak = true
  vim.fn.writefile({}, vim.env.SCENE_READY)
end

local function attempt(act)
  local ok, problem = pcall(act)
  if not ok then
    vim.fn.writefile({ tostring(problem) }, vim.env.SCENE_READY .. '.failed')
  end
  return ok
end

vim.api.nvim_create_autocmd('VimEnter', {
  once = true,
  callback = vim.schedule_wrap(function()
    if attempt(play) then
      -- A hover closes when the cursor moves, and Neovim tells of the move when it is idle.
      vim.defer_fn(function()
        attempt(hover)
      end, 300)
    end
  end),
})
