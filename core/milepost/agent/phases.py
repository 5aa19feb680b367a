"""The phases of a composition: what each is told, what it may do, and what it sees."""

from __future__ import annotations

from dataclasses import dataclass

from milepost.permissions.rules import READ_ONLY, Rule

# What a phase may decide about the work before it.
VERDICTS = ("pass", "back")

# The tools of one that stands apart.
EYES = ("read", "find", "grep", "memory_search")

# Whoever decides may say so. Checking may run commands, as far as the user allows them, and changes
# no file by itself.
_DECIDE = Rule("allow", "conclude")
_RUN_ONLY = (Rule("deny", "write"), Rule("deny", "edit"), _DECIDE)


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase. `words` are its system text, `begins` what it is told first, `rules` the permission
    rules that come after the user's, `sees` the phases whose words it gets, `after` the one that
    follows. One that `decides` passes the work or sends it back. One that stands `apart` has eyes
    and no hands, and sees neither notes nor checkpoint.md, which are the builder's own account."""

    name: str
    words: str
    begins: str
    rules: tuple[Rule, ...] = ()
    sees: tuple[str, ...] = ()
    after: str | None = None
    decides: bool = False
    apart: bool = False


PHASES = {
    phase.name: phase
    for phase in (
        Phase(
            "spec",
            "This is the first phase of five: the spec. Find out from the project what the user's "
            "request means here, and change nothing. Your last words are the spec: what will be "
            "other than now, what must stay as it is, how one can see that it is done, what is "
            "left open and what you take for granted there. Short, and no code.",
            "Write the spec.",
            READ_ONLY,
            after="plan",
        ),
        Phase(
            "plan",
            "This is the second phase of five: the plan. The spec is agreed. Look at the code that "
            "it touches, and change nothing. Add the tasks with task_add, each with what shows "
            "that it is done and what must come before it. Your last words are the plan: the "
            "steps in their order, the files of each, what could go wrong.",
            "Write the plan, and add its tasks.",
            READ_ONLY,
            sees=("spec",),
            after="implement",
        ),
        Phase(
            "implement",
            "This is the third phase of five: build what the plan says, task by task, and move "
            "each task on with its evidence. Where the plan turns out to be wrong, do the better "
            "thing and note down why. Others verify and review it after you.",
            "Build it.",
            sees=("spec", "plan"),
            after="verify",
        ),
        Phase(
            "verify",
            "This is the fourth phase of five: verify. Somebody else built what the spec asks for. "
            "Find out by running it whether it does what it should: run the tests, try what the "
            "spec names, look at what comes out. Change no file. Believe only what you saw. Decide "
            "with the conclude tool, and give what you ran and what it printed as the reason.",
            "Verify the work.",
            _RUN_ONLY,
            sees=("spec",),
            after="review",
            decides=True,
        ),
        Phase(
            "review",
            "This is the last phase of five: review. Somebody else did the work, and you see what "
            "they changed. Read the changes and the code around them as a careful colleague: is it "
            "what the user asked for and what the spec says, is it right, is something missing, is "
            "anything changed that should not be? Change nothing. Decide with the conclude tool: "
            "send it back for what must be mended, not for taste.",
            "Review the work.",
            (*READ_ONLY, _DECIDE),
            sees=("spec",),
            decides=True,
            apart=True,
        ),
    )
}
