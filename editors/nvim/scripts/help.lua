-- Writes doc/milepost.txt from the comments and tables of the plugin: nvim -l scripts/help.lua
--
-- With `--check` it writes nothing and fails when the file is not what it would write.

local here = vim.fs.dirname(vim.fs.dirname(vim.fs.normalize(debug.getinfo(1, 'S').source:sub(2))))
vim.opt.runtimepath:prepend(here)

local WIDTH = 78
local out = {}

local function line(text)
  table.insert(out, text or '')
end

--- Words in lines of at most the width, each behind `indent` spaces.
local function filled(text, indent)
  local row = (' '):rep(indent)
  for word in text:gmatch('%S+') do
    if #row + #word > WIDTH and vim.trim(row) ~= '' then
      line((row:gsub('%s+$', '')))
      row = (' '):rep(indent)
    end
    row = row .. word .. ' '
  end
  line((row:gsub('%s+$', '')))
end

local function section(title, tag)
  line()
  line(('='):rep(WIDTH))
  line(title:upper() .. (' '):rep(WIDTH - #title - #tag - 2) .. '*' .. tag .. '*')
  line()
end

local function tagged(left, tag)
  local gap = math.max(1, WIDTH - vim.fn.strdisplaywidth(left) - #tag - 2)
  line(left .. (' '):rep(gap) .. '*' .. tag .. '*')
end

--- Markdown of the comments as help: `:Milepost x` and `name` stay as they are.
local function plain(text)
  return (text:gsub('^# ', ''))
end

local function contents()
  line('*milepost.txt*  Memory, restore points and goals, in the editor')
  line()
  filled('Language models forget. Milepost remembers what matters about a project in a Markdown file that you can read, makes a restore point around every change, and decides by evidence whether a goal is met. This plugin shows it in Neovim 0.11 and newer, with no other plugin.', 0)
  line()
  filled('This file is generated from the comments of the plugin (scripts/help.lua).', 0)
end

local function setup()
  section('Set-up', 'milepost-setup')
  filled('Install the server, put this folder on the |runtimepath| by the plugin manager of your choice, and enable it in your init.lua: >lua', 0)
  line("    vim.lsp.enable('milepost')")
  line('<')
  filled("It is attached to files of projects: folders with version control, a manifest or a .milepost folder. |:checkhealth| milepost tells what is missing. Another command or other roots are said by |vim.lsp.config()|: >lua", 0)
  line("    vim.lsp.config('milepost', { cmd = { '/opt/milepost/bin/milepost-lsp' } })")
  line('<')
  filled('Hover, code actions, lenses and diagnostics are Neovim\'s own (|lsp-defaults|): `K` on a name shows what memory knows of it, `gra` lists what can be done.', 0)
end

local function commands()
  section('Commands', 'milepost-commands')
  local words = require('milepost.command').words
  for _, name in ipairs(require('milepost.command').names()) do
    tagged((':Milepost %s'):format(name), (':Milepost-%s'):format(name))
    local text = words[name][1]
    filled(text:sub(1, 1):upper() .. text:sub(2), 4)
    line()
  end
end

local function settings()
  section('Settings', 'milepost-settings')
  filled("require('milepost').setup({ ... }) takes them; what holds otherwise stands here.", 0)
  line()
  local said = {}
  for text in io.lines(here .. '/lua/milepost/settings.lua') do
    local comment = text:match('^  %-%-%- (.*)$')
    local name, value = text:match('^  ([%w_]+) = (.-),$')
    if comment then
      table.insert(said, comment)
    elseif name and #said > 0 then
      tagged(('%s = %s'):format(name, value), 'milepost-settings-' .. name)
      filled(table.concat(said, ' '), 4)
      line()
      said = {}
    end
  end
end

local function maps()
  section('Maps', 'milepost-maps')
  filled("Nothing is mapped but <CR> (send) and <C-c> (stop) in the chat's own windows. For the rest there are <Plug> maps: >lua", 0)
  line("    vim.keymap.set({ 'n', 'x' }, '<Leader>ma', '<Plug>(milepost-ask)')")
  line('<')
  dofile(here .. '/plugin/milepost.lua')
  local names = {}
  for _, map in ipairs(vim.api.nvim_get_keymap('n')) do
    if map.lhs:match('^<Plug>%(milepost%-') then
      table.insert(names, map.lhs)
    end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    tagged(name, name)
  end
end

local function functions()
  local said = {}
  for text in io.lines(here .. '/lua/milepost/init.lua') do
    local comment = text:match('^%-%-%-(.*)$')
    if comment then
      table.insert(said, vim.trim(comment))
    elseif #said > 0 then
      local words = vim.tbl_filter(function(each)
        return not vim.startswith(each, '@') and each ~= ''
      end, said)
      if #words > 0 and vim.startswith(words[1], '# ') then
        section(words[1]:sub(3), 'milepost-functions')
        table.remove(words, 1)
        filled(plain(table.concat(words, ' ')), 0)
        line()
      elseif #words > 0 then
        local name = words[1]:match('`([%w_]+)%(')
        if name then
          tagged('', ('milepost.%s()'):format(name))
        end
        filled(table.concat(words, ' '), 4)
        line()
      end
      said = {}
    end
  end
end

local function events()
  section('Where one writes', 'milepost-chat')
  filled("The chat has two windows. The upper one shows what was said; what tools did is folded there (|zo| opens it), and it scrolls by itself only while its cursor is at the end. In the lower one you write; `:w` sends. `@file:PATH` and `@memory WORDS` in what you write give the model a file or what is remembered about the words; CTRL-X CTRL-O completes both.", 0)
  line()
  filled('Files that the worker changes are written at once, with a restore point before and after. :Milepost proposals shows each of its changes, to keep or to take back one by one.', 0)
end

contents()
setup()
commands()
settings()
maps()
events()
functions()
line()
line(' vim:tw=78:ts=8:noet:ft=help:norl:')

local path = here .. '/doc/milepost.txt'
local text = table.concat(out, '\n') .. '\n'
if vim.tbl_contains(arg or {}, '--check') then
  local file = io.open(path)
  local kept = file and file:read('a') or ''
  if kept ~= text then
    io.stderr:write('doc/milepost.txt is stale: run nvim -l scripts/help.lua\n')
    os.exit(1)
  end
  return
end
local file = assert(io.open(path, 'w'))
file:write(text)
file:close()
