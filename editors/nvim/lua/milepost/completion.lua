-- Completion: of `:Milepost`, and of `@file:` and `@memory` where one writes to a chat.

local M = {}

local WORDS = { '@file:', '@memory ' }

--- `omnifunc` of the input.
---@param find integer
---@param base string
function M.omni(find, base)
  local column = vim.api.nvim_win_get_cursor(0)[2]
  local before = vim.api.nvim_get_current_line():sub(1, column)
  local start = before:find('@[^%s]*$')
  if find == 1 then
    return start and start - 1 or -3
  end
  local path = base:match('^@file:(.*)$')
  if path then
    return vim.tbl_map(function(name)
      return '@file:' .. name
    end, M._files(path))
  end
  return vim.tbl_filter(function(word)
    return vim.startswith(word, base)
  end, WORDS)
end

--- Files of the project that begin so.
---@private
function M._files(path)
  local client = require('milepost.client').find()
  local root = client and client.root_dir or vim.uv.cwd()
  local found = vim.fn.globpath(vim.fn.fnameescape(root), path .. '*', false, true)
  return vim.tbl_map(function(name)
    local relative = vim.fs.relpath(root, name) or name
    return vim.fn.isdirectory(name) == 1 and relative .. '/' or relative
  end, found)
end

return M
