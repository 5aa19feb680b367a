-- Choosing: `vim.ui.select`, with a preview for those who replaced it by one that has previews.

local M = {}

--- Let the user choose.
---@generic T
---@param items T[]
---@param options { prompt: string, kind: string, format: (fun(item: T): string), preview: (fun(item: T): string[])? }
---@param chosen fun(item: T)
function M.choose(items, options, chosen)
  local asked = {
    prompt = options.prompt,
    kind = 'milepost_' .. options.kind,
    format_item = options.format,
    -- Snacks, Telescope's and other replacements show what this gives; the built-in one does not.
    preview_item = options.preview,
  }
  vim.ui.select(items, asked, function(item)
    if item ~= nil then
      chosen(item)
    end
  end)
end

--- Ask the server of the current project for a list, and let the user choose from it.
---@param ask fun(client: vim.lsp.Client, uri: string?, show: fun(items: table[], none: string?))
---@param options { prompt: string, kind: string, none: string, format: (fun(item: table): string), preview: (fun(item: table): string[])? }
---@param act fun(client: vim.lsp.Client, uri: string?, item: table)
function M.list(ask, options, act)
  local client_of = require('milepost.client')
  local client = client_of.need()
  if not client then
    return
  end
  local uri = client_of.uri(client)
  ask(client, uri, function(items, none)
    if #items == 0 then
      return client_of.say(none or options.none)
    end
    M.choose(items, options, function(item)
      act(client, uri, item)
    end)
  end)
end

--- Let the user choose what to do: pairs of a title and a function.
---@param prompt string
---@param actions { [1]: string, [2]: fun() }[]
function M.act(prompt, actions)
  local options = {
    prompt = prompt,
    kind = 'action',
    format = function(action)
      return action[1]
    end,
  }
  M.choose(actions, options, function(action)
    action[2]()
  end)
end

return M
