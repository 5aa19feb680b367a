"""A worker's run of sixty steps that is killed, and what must be true afterwards.

The victim is `milepost run` itself, with real files, restore points, commands in the sandbox, a
goal with a check, and a model behind HTTP, whose turn depends on nothing but how many replies stand
in the transcript. What each step makes of the files is worked out here as well, so that a tree can
be judged without asking Milepost. MILEPOST_HOME must be a folder of the caller's.
"""
