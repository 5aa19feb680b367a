-- What the user may set, and what holds otherwise.

local M = {}

---@class milepost.Settings
local defaults = {
  --- Where the chat opens: `right`, `left`, `below` or `tab`.
  position = 'right',
  --- How wide the chat is, in columns; a number below 1 is a share of the screen.
  width = 0.4,
  --- How high the window is in which you write, in lines.
  input_height = 6,
  --- How a chat works when it is not said: `build`, `plan` or `compose`.
  mode = 'build',
  --- The model that a chat asks, as KIND:NAME; nil leaves it to the server's own setting.
  model = nil,
  --- Whether the chat's own windows get keys: <CR> sends and <C-c> stops. Nothing else is mapped.
  keys = true,
  --- Whether thoughts of the model are shown.
  thoughts = true,
}

local kinds = {
  position = { 'string', { right = true, left = true, below = true, tab = true } },
  width = { 'number' },
  input_height = { 'number' },
  mode = { 'string', { build = true, plan = true, compose = true } },
  model = { 'string' },
  keys = { 'boolean' },
  thoughts = { 'boolean' },
}

local current = vim.deepcopy(defaults)

--- Take the user's settings; what is wrong is named, and then nothing is changed.
---@param given table?
function M.apply(given)
  for name, value in pairs(given or {}) do
    local kind = kinds[name]
    if not kind then
      local known = vim.tbl_keys(kinds)
      table.sort(known)
      error(('milepost: there is no setting %q; there are %s'):format(name, table.concat(known, ', ')), 0)
    end
    if type(value) ~= kind[1] then
      error(('milepost: %s must be a %s, not %s'):format(name, kind[1], vim.inspect(value)), 0)
    end
    if kind[2] and not kind[2][value] then
      local known = vim.tbl_keys(kind[2])
      table.sort(known)
      error(('milepost: %s must be one of %s, not %q'):format(name, table.concat(known, ', '), value), 0)
    end
  end
  current = vim.tbl_extend('force', vim.deepcopy(defaults), given or {})
end

--- What holds now.
---@return milepost.Settings
function M.get()
  return current
end

return M
