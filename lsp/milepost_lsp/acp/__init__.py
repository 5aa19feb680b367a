"""The Agent Client Protocol: the same chat for editors that speak it, such as Zed and JetBrains'.

Protocol version 1 over stdin and stdout, as https://agentclientprotocol.com describes it. Written
by hand on JSON-RPC, because the protocol's own library takes a second to import and an agent uses
a dozen of its messages. Nothing here is loaded by the language server.
"""
