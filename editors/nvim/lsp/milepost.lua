-- How Neovim starts the server; `vim.lsp.config('milepost', {...})` of the user's goes over it.

--- A handler whose module is loaded when its first message comes.
local function later(module, name)
  return function(err, params, context)
    return require(module)[name](err, params, context)
  end
end

---@type vim.lsp.Config
return {
  cmd = { 'milepost-lsp' },
  root_markers = {
    '.milepost',
    '.git',
    'pyproject.toml',
    'package.json',
    'Cargo.toml',
    'go.mod',
    'pom.xml',
    'build.gradle',
    'CMakeLists.txt',
    'Makefile',
  },
  workspace_required = true,
  capabilities = {
    experimental = {
      milepost = { memory = true, chat = true, permissions = true, proposals = true, quiet = false },
    },
  },
  handlers = {
    ['milepost/chat/update'] = later('milepost.chat', 'on_update'),
    ['milepost/permission/request'] = later('milepost.permission', 'on_request'),
    ['milepost/proposal/didChange'] = later('milepost.proposals', 'on_change'),
    ['milepost/status/didChange'] = later('milepost.status', 'on_change'),
    ['milepost/memory/didChange'] = later('milepost.memory', 'on_change'),
    ['milepost/checkpoint/didChange'] = later('milepost.documents', 'on_change'),
    ['milepost/goal/didChange'] = later('milepost.documents', 'on_change'),
  },
}
