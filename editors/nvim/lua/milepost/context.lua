-- What goes along with a prompt: the selection, the file, the diagnostics under the cursor.

local M = {}

--- Lines of a buffer as a block; the server sees them as they stand there, saved or not.
---@param buffer integer
---@param first integer counted from one
---@param last integer
---@return table?
function M.lines(buffer, first, last)
  if vim.bo[buffer].buftype ~= '' or vim.api.nvim_buf_get_name(buffer) == '' then
    return nil
  end
  return {
    type = 'file',
    uri = vim.uri_from_bufnr(buffer),
    range = { start = { line = first - 1, character = 0 }, ['end'] = { line = last, character = 0 } },
  }
end

--- The diagnostics of lines as blocks.
---@param buffer integer
---@param first integer counted from one
---@param last integer
---@return table[]
function M.diagnostics(buffer, first, last)
  local blocks = {}
  for _, each in ipairs(vim.diagnostic.get(buffer)) do
    if each.lnum >= first - 1 and each.lnum < last then
      table.insert(blocks, {
        type = 'diagnostic',
        uri = vim.uri_from_bufnr(buffer),
        range = {
          start = { line = each.lnum, character = each.col },
          ['end'] = { line = each.end_lnum or each.lnum, character = each.end_col or each.col },
        },
        message = each.message,
        severity = each.severity,
        source = each.source,
        code = each.code and tostring(each.code) or nil,
      })
    end
  end
  return blocks
end

return M
