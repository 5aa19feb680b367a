-- The worker asks before it does what needs permission; no choice means no.

local M = {}

--- `milepost/permission/request`.
function M.on_request(_, params)
  local running = assert(coroutine.running(), 'Neovim answers requests in a coroutine')
  local reason = params.reason and params.reason ~= vim.NIL and ' ' .. params.reason or ''
  local asked = {
    kind = 'milepost_permission',
    prompt = ('Milepost: %s?%s'):format(params.title, reason):gsub('%s*\n%s*', ' '),
    format_item = function(option)
      return option.meaning and ('%s  (%s)'):format(option.name, option.meaning) or option.name
    end,
  }
  vim.ui.select(params.options, asked, function(choice)
    -- Not before the yield below, which a select that asks at once would otherwise overtake.
    vim.schedule(function()
      local answer = choice and { outcome = 'selected', optionId = choice.optionId } or { outcome = 'cancelled' }
      coroutine.resume(running, answer)
    end)
  end)
  return coroutine.yield()
end

return M
