"""The command from the outside: words for people, JSON for programs, exit codes for scripts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes import LONG, is_alive, sleeping


class Terminal:
    """Runs `milepost` in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "milepost", *words],
            cwd=self.folder, input=typed, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def says(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def data(self, *words: str) -> dict[str, object]:
        return json.loads(self.says(*words, "--json"))


@pytest.fixture
def terminal(project: Path) -> Terminal:
    return Terminal(project)


def test_an_entry_is_added_found_shown_changed_and_forgotten(terminal: Terminal) -> None:
    entry = terminal.data(
        "memory", "add", "Use uv, never pip", "--kind", "rule", "--about", "uv.lock"
    )
    assert (entry["status"], entry["anchors"]) == ("stated", ["uv.lock"])
    assert "Use uv" in terminal.says("memory", "search", "pip")
    shown = terminal.says("memory", "show", entry["id"])
    assert "MEMORY.md:" in shown
    terminal.says("memory", "update", entry["id"], "Use", "uv", "always")
    terminal.says("memory", "supersede", entry["id"], "Use uv, whatever happens")
    assert "whatever happens" in terminal.says("memory", "list")
    assert "Forgot" in terminal.says("memory", "forget", entry["id"])
    assert Path(terminal.says("memory", "path").strip()).is_file()


def test_a_restore_shows_its_plan_first_and_does_nothing_unasked(
    terminal: Terminal, project: Path
) -> None:
    point = terminal.data("checkpoint", "save", "it", "works")
    (project / "README.md").write_text("broken\n", encoding="utf-8")
    plan = terminal.says("checkpoint", "restore", str(point["id"]))
    assert "~ README.md" in plan
    assert "--yes" in plan
    assert (project / "README.md").read_text() == "broken\n"
    assert "+broken" in terminal.says("checkpoint", "diff", "1", "--path", "README.md")
    terminal.says("checkpoint", "restore", str(point["id"]), "--yes")
    assert (project / "README.md").read_text() == "# A project\n"
    terminal.says("checkpoint", "undo")
    assert (project / "README.md").read_text() == "broken\n"
    assert "it works" in terminal.says("checkpoint", "list")
    assert ".git" in terminal.says("checkpoint", "show", "1")


def test_the_exit_code_of_verify_is_the_verdict(terminal: Terminal, project: Path) -> None:
    terminal.says("goal", "set", "a file is there", "--check", "test -f there")
    failed = terminal.run("goal", "verify")
    assert failed.returncode == 3
    assert "FAIL test -f there" in failed.stdout
    (project / "there").touch()
    assert terminal.run("goal", "verify").returncode == 0
    terminal.says("goal", "set", "impossible", "--check", "no-such-program")
    assert terminal.run("goal", "verify").returncode == 4
    goal = terminal.data("goal", "set", "nothing to see")
    assert terminal.run("goal", "verify", goal["id"]).returncode == 5
    assert "nothing to see" in terminal.says("goal", "list")
    terminal.says("goal", "abandon", goal["id"])


def test_what_was_seen_for_a_goal_stays_to_be_read(terminal: Terminal, project: Path) -> None:
    terminal.says("goal", "set", "it is there", "--check", "test -f made")
    assert "Nothing was seen yet" in terminal.says("goal", "evidence")
    terminal.run("goal", "verify")
    (project / "made").touch()
    assert terminal.run("goal", "verify").returncode == 0
    found = terminal.data("goal", "evidence")
    assert [item["passed"] for item in found] == [True, False]
    assert all(item["command"] == "test -f made" and not item["reused"] for item in found)
    assert "ended with 1 instead of 0" in terminal.says("goal", "evidence", "-n", "2")


def test_checks_are_proposed_and_taken_only_when_told(terminal: Terminal, project: Path) -> None:
    (project / "Makefile").write_text("lint:\n\ttest -f README.md\n", encoding="utf-8")
    words = ("goal", "set", "lint is clean and README.md exists")
    shown = terminal.says(*words)
    assert "--check 'make lint'" in shown
    assert "--check 'file: README.md'" in shown
    assert "There is no goal" in terminal.says("goal", "list")
    assert "make lint" in terminal.says("goal", "checks", "lint", "is", "clean")
    assert len(terminal.data(*words, "--yes")["checks"]) == 2
    assert terminal.data(*words, "--no-checks")["checks"] == []
    assert "cannot fail" in terminal.run("goal", "set", "x", "--check", "true").stderr


def test_a_goal_is_steered_from_the_terminal(terminal: Terminal, project: Path) -> None:
    (project / "gate.sh").write_text("test -f README.md\n", encoding="utf-8")
    goal = terminal.data("goal", "set", "x", "--check", "sh gate.sh", "--verifications", "9")["id"]
    assert "paused" in terminal.says("goal", "pause", goal)
    assert "active" in terminal.says("goal", "resume", goal)
    assert "20 verifications" in terminal.says("goal", "budget", goal, "--verifications", "20")
    (project / "gate.sh").write_text("test -d .\n", encoding="utf-8")
    assert terminal.run("goal", "verify").returncode == 5
    assert "CHANGED gate.sh" in terminal.says("goal", "show", goal)
    assert "accepted gate.sh" in terminal.says("goal", "accept-change", goal)
    assert "accepted by user:terminal" in terminal.says("goal", "verify")


def test_what_agents_may_have_run_is_said_in_the_terminal(terminal: Terminal) -> None:
    assert "Nothing" in terminal.says("goal", "allow", "--list")
    assert terminal.says("goal", "allow", "--command", "make test") == "make test\n"
    assert "no longer" in terminal.says("goal", "allow", "--remove", "make test")


def test_changes_of_memory_are_listed_and_taken_back(terminal: Terminal) -> None:
    entry = terminal.data("memory", "add", "kept")
    terminal.says("memory", "confirm", entry["id"])
    log = terminal.says("memory", "log")
    assert "update by user:terminal" in log
    assert "add by user:terminal" in log
    assert "Took back change 2" in terminal.says("memory", "undo")
    assert terminal.data("memory", "show", entry["id"])["status"] == "stated"
    assert "Every entry" in terminal.says("memory", "check")
    assert "No heading was repeated" in terminal.says("memory", "tidy")


def test_notes_tasks_and_worktrees_have_memories_of_their_own(terminal: Terminal) -> None:
    note = terminal.data("memory", "add", "tabs break it", "--session", "s1")
    assert terminal.run("memory", "add", "x", "--scope", "session").returncode == 1
    terminal.says("memory", "add", "the schema is done", "--task", "T1")
    terminal.says("memory", "add", "port 8080 here", "--scope", "worktree")
    assert "task T1" in terminal.says("memory", "search", "schema", "--task", "T1")
    assert "the schema is done" in terminal.says("memory", "export", "--task", "T1")
    assert "Nothing found" in terminal.says("memory", "search", "schema tabs")
    assert "session s1" in terminal.says("memory", "search", "tabs", "--elsewhere")
    assert "[worktree main] port" in terminal.says("memory", "list")
    moved = terminal.says("memory", "update", note["id"], "--scope", "project")
    assert f"Moved {note['id']} to project" in moved
    assert "move from session s1" in terminal.says("memory", "log")
    assert "Took back" in terminal.says("memory", "undo")
    assert terminal.data("memory", "show", note["id"])["scope"] == "session"
    assert "notes of 0 sessions" in terminal.says("data", "prune", "--sessions", "30")
    assert terminal.run("data", "prune").returncode == 1


def test_memory_is_moved_to_the_repository_and_back(terminal: Terminal, project: Path) -> None:
    terminal.says("memory", "add", "kept")
    assert "Commit both files" in terminal.says("memory", "move", "--to", "repo")
    assert terminal.says("memory", "path").strip() == str(project / ".milepost" / "MEMORY.md")
    assert "kept" in terminal.says("memory", "list")
    assert "stays" in terminal.says("memory", "move", "--to", "user")
    assert "kept" in terminal.says("memory", "list")


def test_data_is_measured_copied_pruned_and_wiped_only_when_told(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.says("memory", "add", "kept")
    terminal.says("checkpoint", "save")
    assert "in all" in terminal.says("data", "du")
    terminal.says("data", "export", str(tmp_path / "copy.tar.gz"))
    assert "Forgot 0 restore points" in terminal.says("data", "prune", "1")
    assert terminal.run("data", "wipe").returncode == 1
    assert "kept" in terminal.says("memory", "list")
    terminal.says("data", "wipe", "--yes")
    assert "Nothing is remembered" in terminal.says("memory", "list")


def test_what_was_done_is_in_the_history(terminal: Terminal) -> None:
    terminal.says("memory", "add", "remember me")
    assert "milepost memory add" in terminal.says("history", "remember")
    assert "Nothing found" in terminal.says("history", "zebra")


def test_the_doctor_finds_a_sound_project_sound(terminal: Terminal) -> None:
    terminal.says("memory", "add", "x")
    assert "FAIL" not in terminal.says("doctor")


def test_the_doctor_says_what_is_wrong(terminal: Terminal, home: Path) -> None:
    terminal.says("memory", "add", "x")
    (data,) = (home / "projects").iterdir()
    data.chmod(0o755)
    done = terminal.run("doctor")
    assert done.returncode == 1
    assert "chmod 700" in done.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["memory", "show", "abcd1234ef"], 1),
        (["checkpoint", "restore", "99"], 1),
        (["goal", "verify"], 1),
        (["memory", "add", " "], 1),
        (["memory", "add", "x", "--about", ""], 1),
        (["--project"], 2),
        (["nonsense"], 2),
        (["memory"], 2),
        (["checkpoint", "restore", "x"], 1),
        (["checkpoint", "show", "caf\udce9"], 1),
        (["checkpoint", "list", "-n", "x"], 2),
        (["checkpoint", "list", "-n", "0"], 2),
        (["checkpoint", "list", "--before", "9" * 20], 2),
        (["checkpoint", "end", "9" * 20], 2),
        (["checkpoint", "prune", "--mib", "nan"], 2),
        (["checkpoint", "prune", "--days", "-1"], 2),
        (["session", "around", "9" * 20], 2),
        (["run", "x", "--max-cost", "nan"], 2),
        (["run", "x", "--max-steps", "0"], 2),
    ],
)
def test_a_mistake_gets_words_on_stderr_and_an_exit_code(
    terminal: Terminal, words: list[str], code: int
) -> None:
    done = terminal.run(*words)
    assert done.returncode == code
    assert done.stdout == ""
    assert done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("typed", "is_done"),
    [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("\4", False)],
)
def test_who_is_at_the_terminal_is_asked_before_files_go_back(
    terminal: Terminal, project: Path, typed: str, is_done: bool
) -> None:
    terminal.says("checkpoint", "save")
    (project / "red\x1b[31m").write_text("", encoding="utf-8")
    keyboard, stdin = os.openpty()
    os.write(keyboard, typed.encode())
    done = subprocess.run(
        [sys.executable, "-m", "milepost", "checkpoint", "restore", "1"],
        cwd=project, stdin=stdin, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    os.close(stdin)
    os.close(keyboard)
    assert done.returncode == 0, done.stderr
    assert "Go back to 1? [y/N]" in done.stderr
    assert "\x1b" not in done.stderr
    assert (project / "red\x1b[31m").exists() is not is_done


@pytest.mark.parametrize("closed", ["<&-", "2>&-"])
def test_without_stdin_or_stderr_nobody_is_asked_and_nothing_breaks(
    terminal: Terminal, project: Path, closed: str
) -> None:
    (project / "s").write_text('{"say": "Through."}\n', encoding="utf-8")
    terminal.says("checkpoint", "save")
    for words in (
        "checkpoint restore 1", "data wipe", "goal set 's is there and committed'",
        "goal set it --check 'test -d .'", "run x --model scripted:s", "mcp install codex",
        "memory show abcd1234ef",
    ):  # fmt: skip
        done = subprocess.run(
            f"{sys.executable} -m milepost {words} {closed}",
            shell=True, cwd=project, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, words
        assert done.returncode in (0, 1, 3), words
    assert done.stdout == ""


def test_a_folder_that_was_deleted_is_told_of(terminal: Terminal, tmp_path: Path) -> None:
    done = subprocess.run(
        f"mkdir gone; cd gone; rmdir ../gone; {sys.executable} -m milepost memory list",
        shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == ("milepost: the current folder was deleted; go into one that is there\n")


def test_an_empty_page_says_why_it_is_empty(terminal: Terminal) -> None:
    assert "Nothing is remembered here yet" in terminal.says("memory", "list")
    entry = terminal.data("memory", "add", "Use uv")
    assert "the last of 1 entry" in terminal.says("memory", "list", "--offset", "5")
    assert "No change of nobody is known" in terminal.says("memory", "log", "nobody")
    assert "Use uv" in terminal.says("memory", "log", entry["id"])


def test_a_commands_changes_are_told_without_what_a_terminal_would_obey(
    terminal: Terminal,
) -> None:
    done = terminal.run("checkpoint", "wrap", "--", "touch", "red\x1b[31m")
    assert "1 path changed" in done.stderr
    assert "\x1b" not in done.stderr


def test_outside_of_a_project_it_says_how_to_name_one(tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    done = Terminal(folder).run("memory", "list")
    assert done.returncode == 1
    assert "--project" in done.stderr
    assert Terminal(folder).run("memory", "list", "--project", str(folder)).returncode == 0


def test_help_and_version_need_no_project(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    front = terminal.says("--help")
    assert all(word in front for word in ("memory", "checkpoint", "goal", "doctor", "lsp", "mcp"))
    assert terminal.says("--version").startswith("milepost ")
    assert "exit codes: 0 met" in terminal.says("goal", "verify", "--help")


def test_a_name_that_the_terminal_cannot_show_ends_nothing(
    terminal: Terminal, project: Path
) -> None:
    odd = os.path.join(os.fsencode(project), b"caf\xe9")
    with open(odd, "wb"):
        pass
    terminal.says("checkpoint", "save")
    os.unlink(odd)
    assert "caf\\xe9" in terminal.says("checkpoint", "diff", "1")


def test_a_brief_and_the_rules_files_are_printed(terminal: Terminal, project: Path) -> None:
    (project / "AGENTS.md").write_text("- Use pnpm, never npm.\n", encoding="utf-8")
    (project / "CLAUDE.md").write_text("@AGENTS.md\n\n@gone.md\n", encoding="utf-8")
    (project / "src").mkdir()
    (project / "src" / "AGENTS.md").write_text("- Test in src.\n", encoding="utf-8")
    assert "| Use pnpm, never npm." in terminal.says("memory", "brief", "--about", "npm")
    told = terminal.says("memory", "rules", "--path", "src/x.py")
    assert "AGENTS.md  (most agents)" in told
    assert "src/AGENTS.md" in told
    assert "there is no such file" in told
    assert terminal.data("memory", "brief", "--budget", "300")["budget_tokens"] == 300
    found = terminal.says("memory", "search", "npm", "--budget", "200")
    assert "    Use pnpm, never npm." in found
    entry = terminal.data("memory", "list", "--kind", "rule")["entries"][0]
    refused = terminal.run("memory", "confirm", entry["id"])
    assert refused.returncode == 1
    assert "edit it there, in line 1" in refused.stderr


def test_an_interrupt_ends_a_verification_with_its_command(
    terminal: Terminal, project: Path
) -> None:
    terminal.says("goal", "set", "it ends", "--check", f"sleep {LONG}")
    words = [sys.executable, "-m", "milepost", "goal", "verify"]
    running = subprocess.Popen(words, cwd=project, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (pids := sleeping()):
        assert time.monotonic() < deadline, "the command did not start"
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == 130
    assert not any(map(is_alive, pids))
    assert "Nothing was seen yet" in terminal.says("goal", "evidence")


@pytest.mark.parametrize("server", ["mcp", "acp", "lsp"])
@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_a_server_whose_client_left_a_pipe_closed_says_so(
    project: Path, server: str, closed: str
) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -m milepost {server} {closed}', sys.executable],
        cwd=project,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (1, 2)
    (told,) = done.stderr.splitlines()
    assert "stdin or stdout is closed" in told


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_a_front_page_that_cannot_be_printed_is_told_in_a_sentence(word: str) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        words = [sys.executable, "-m", "milepost", word]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"cannot print (No space left on device)" in done.stderr
