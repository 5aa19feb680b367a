"""The worker: a loop that asks a model, runs its tools, and asks again."""
