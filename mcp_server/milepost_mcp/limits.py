"""The bounds of the server, each with the reason for its value."""

from __future__ import annotations

# The SDK's own limit for a request body; a longer message is no tool call.
MAX_MESSAGE_BYTES = 4 * 1024 * 1024

# About 3,000 tokens: a model reads that much of a tool's answer before it loses the thread, and
# every tool pages.
MAX_REPLY_CHARS = 12_000

# How much of an entry a search shows; the whole is one memory_get away.
SNIPPET_CHARS = 400

# How many changed or refused paths a reply names; all are counted.
MAX_PATHS = 100

# The end of a failing check's output that goes into a reply: a test runner's summary fits.
TAIL_CHARS = 1_500

# Verifications and snapshots at once; agents call tools one after another.
MAX_SLOW_CALLS = 8

# How often a silent server looks whether its parent is still there.
PARENT_POLL_S = 5.0

# How long a cancelled or abandoned call may take to end before the process goes.
EXIT_GRACE_S = 5.0

# How often a call that goes on says so. Clients give one up that is silent for a minute.
HEARTBEAT_S = 1.0

# How long a client waits for a verification before it gets the id of the run instead: the most
# impatient one (measured) gives up after 60 s.
RUN_HANDLE_AFTER_S = 40.0

# Runs that are kept to be asked for again: those that go on (no more than calls may), and the
# results of as many as an agent can have forgotten to fetch.
MAX_RUNS = 64

# A document that a person attaches: some 10,000 tokens, a small part of any model's window.
MAX_RESOURCE_CHARS = 40_000

# Restore points and goals in a list of resources, which people scroll; templates reach the rest.
MAX_LISTED = 20

# The specification's own bound on completions.
MAX_COMPLETIONS = 100

# How often subscribed resources are looked at, which costs a few stat calls.
WATCH_S = 1.0

# What one client can subscribe to; there are few resources that change.
MAX_SUBSCRIPTIONS = 100

# Sessions over HTTP that may be open at once; each costs some ten kilobytes and a few handles.
MAX_SESSIONS = 256

# After this long without a request a session is over, as it is in the SDK.
SESSION_IDLE_S = 30 * 60

# Connections at once: each session may hold a stream open and ask on another.
MAX_CONNECTIONS = 2 * MAX_SESSIONS

# Quick calls that are worked on at once; they wait for the disk, and for one another's locks.
QUICK_THREADS = 8

# How long a user may think about a command that an agent wants to have run. The most patient client
# (measured) gives a call up after 300 s, and the tests are run in what is left.
ASK_USER_S = 120.0

# A question that nobody reads to its end is no question; the refusal then says how to allow.
MAX_ASKED_CHARS = 2_000

# How long a client's model may take to judge.
SAMPLE_S = 110.0
