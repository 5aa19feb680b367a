"""Each method holds real commands by the real kernel, and lets honest ones do their work."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from milepost.base.errors import Stopped
from milepost.base.process import Outcome, run_shell
from milepost.base.sandbox.choice import Sandbox
from tests.conftest import git
from tests.core.sandbox.conftest import sandbox


def run(command: str, held: Sandbox, cwd: Path) -> Outcome:
    return run_shell(command, cwd=cwd, timeout_s=60, sandbox=held)


def test_a_command_writes_where_it_may_and_nowhere_else(
    method: str, tmp_path: Path, outside: Path
) -> None:
    held = sandbox(method, tmp_path)
    kept = outside / "kept"
    kept.write_text("as it was", "utf-8")
    done = run(
        "mkdir -p a/b; echo x > a/b/c; mv a/b/c a/d; mkfifo p; ln a/d l; rm l", held, tmp_path
    )
    assert (done.exit_code, (tmp_path / "a" / "d").read_text("utf-8")) == (0, "x\n")
    for attack in (
        f"echo x > {outside}/new", f"echo x > {kept}", f"echo x >> {kept}", f"rm {kept}",
        f"mkdir {outside}/d", f"mv {kept} {tmp_path}/", f"ln {kept} stolen && echo x > stolen",
        f"ln -s {kept} link && echo x > link", f"truncate -s 0 {kept}",
        f"{sys.executable} -c 'import os; os.truncate(\"{kept}\", 0)'", f"mv a/d {outside}/",
    ):  # fmt: skip
        done = run(attack, held, tmp_path)
        assert done.exit_code, attack
        assert b"denied" in done.tail or b"Read-only" in done.tail or b"cross-device" in done.tail
    assert [path.name for path in outside.iterdir()] == ["kept"]
    assert kept.read_text("utf-8") == "as it was"


def test_what_is_hidden_cannot_be_read_and_all_else_can(
    method: str, tmp_path: Path, outside: Path
) -> None:
    for name in ("keys/id", "keys/sub/id", "token", "plain", "data/own", "data/outputs/1"):
        (outside / name).parent.mkdir(parents=True, exist_ok=True)
        (outside / name).write_text(f"content of {name}", "utf-8")
    hidden = (outside / "keys", outside / "token", outside / "data", outside / "not-there")
    held = sandbox(method, tmp_path, hidden=hidden, shown=(outside / "data" / "outputs",))
    for name in ("keys/id", "keys/sub/id", "token", "data/own"):
        for command in (f"cat {outside}/{name}", f"ln -s {outside}/{name} l; cat l",
                        f"cp {outside}/{name} mine", f"cd {outside}; cat ./{name}"):  # fmt: skip
            done = run(command, held, tmp_path)
            assert done.exit_code, command
            assert b"content of" not in done.tail
    assert run(f"cat {outside}/plain", held, tmp_path).tail == b"content of plain"
    assert run(f"cat {outside}/data/outputs/1", held, tmp_path).tail == b"content of data/outputs/1"
    assert run(f"echo x > {outside}/data/outputs/1", held, tmp_path).exit_code
    assert run(f"echo x > {outside}/keys/new", held, tmp_path).exit_code


def test_what_may_be_written_may_be_so_within_what_is_hidden(
    method: str, tmp_path: Path, outside: Path
) -> None:
    root = outside / "data" / "project"
    root.mkdir(parents=True)
    held = sandbox(method, root, hidden=(outside / "data",))
    assert run("echo x > a && cat a", held, root).tail == b"x\n"
    assert run("echo x > ../b", held, root).exit_code


def test_children_and_whoever_leaves_the_session_are_held_too(
    method: str, tmp_path: Path, outside: Path
) -> None:
    held = sandbox(method, tmp_path)
    inner = f"echo x > {outside}/x"
    remount = f"mount -o remount,rw {outside}; mount -o remount,rw /"
    for command in (f"sh -c 'sh -c \"{inner}\"'", f"setsid -w sh -c '{inner}'",
                    f"{sys.executable} -c 'import os; os.system(\"{inner}\")'",
                    f"unshare -Urm sh -c '{remount}; {inner}'",
                    f"env -i {sys.executable} -I -c 'open(\"{outside}/x\", \"w\")'"):  # fmt: skip
        run(command, held, tmp_path)
        assert not (outside / "x").exists(), command


def test_git_works_inside(method: str, project: Path) -> None:
    done = run(
        "git checkout -q -b work && echo x > new && git add -A && git -c user.name=A "
        "-c user.email=a@example.com commit -qm Work && git status --short",
        sandbox(method, project),
        project,
    )
    assert (done.exit_code, done.tail) == (0, b"")
    assert git(project, "log", "--format=%s").splitlines() == ["Work", "Begin"]


def test_what_programs_need_of_the_system_is_there(method: str, tmp_path: Path) -> None:
    programs = (
        "import multiprocessing as m, sqlite3, subprocess, tempfile, os",
        "m.Lock(); s = sqlite3.connect('db'); s.execute('create table t (a)'); s.commit()",
        "subprocess.run(['sh', '-c', ': > /dev/null; head -c 9 /dev/urandom > r'], check=1)",
        "os.openpty(); print(len(os.listdir('/proc/self/fd')) > 2)",
    )
    (tmp_path / "try.py").write_text("\n".join(programs), "utf-8")
    held = sandbox(method, tmp_path)
    done = run(f"{sys.executable} try.py && echo both | tee /dev/stderr", held, tmp_path)
    assert (done.exit_code, done.tail) == (0, b"True\nboth\nboth\n")


def test_the_network_is_there_or_not_as_is_said(method: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        connect = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)"
        command = f'{sys.executable} -c "{connect}"'
        assert run(command, sandbox(method, tmp_path), tmp_path).exit_code == 0
        shut = sandbox(method, tmp_path, network=False)
        assert run(command, shut, tmp_path).exit_code == 1
        listen = (
            f"{sys.executable} -c \"import socket; socket.create_server(('127.0.0.1', {port}))\""
        )
        assert server.accept()[0].close() is None
        assert run(listen, shut, tmp_path).exit_code == (0 if method == "bubblewrap" else 1)


def test_processes_outside_cannot_be_ended(method: str, tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as other:
        done = run(f"kill -9 {other.pid}", sandbox(method, tmp_path), tmp_path)
        assert done.exit_code
        assert other.poll() is None
        other.kill()


def test_the_variables_of_those_who_started_it_cannot_be_read(method: str, tmp_path: Path) -> None:
    (tmp_path / "start.py").write_text(
        """
import sys
from pathlib import Path
from milepost.base.process import run_shell
from milepost.base.sandbox.choice import choose
from milepost.base.sandbox.limits import Limits

command = "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\\\0' '\\\\n' | grep -c ^A_KEY=of-this-test"
held = choose(sys.argv[1], Limits((sys.argv[2],)))
done = run_shell(command, cwd=Path(sys.argv[2]), timeout_s=60, sandbox=held, environment={"A": "b"})
print(done.tail.decode().strip())
""",
        "utf-8",
    )

    def seen(name: str) -> int:
        words = [sys.executable, tmp_path / "start.py", name, tmp_path]
        variables = {**os.environ, "A_KEY": "of-this-test"}
        done = subprocess.run(
            words, env=variables, capture_output=True, text=True, timeout=60, check=True
        )
        return int(done.stdout)

    assert seen("off") > 0
    assert seen(method) == 0


def test_a_stop_ends_everything_inside(method: str, tmp_path: Path) -> None:
    held, stop = sandbox(method, tmp_path), threading.Event()
    command = "(setsid sh -c 'touch began; sleep 2; touch left-behind') & sleep 600"

    def end() -> None:
        while not (tmp_path / "began").exists():
            time.sleep(0.01)
        stop.set()

    threading.Thread(target=end).start()
    with pytest.raises(Stopped):
        run_shell(command, cwd=tmp_path, timeout_s=600, sandbox=held, stop=stop)
    run_shell("sleep 2.2", cwd=tmp_path, timeout_s=60)
    assert not (tmp_path / "left-behind").exists()


def test_the_exit_code_is_the_commands(method: str, tmp_path: Path) -> None:
    held = sandbox(method, tmp_path)
    assert run("exit 3", held, tmp_path).exit_code == 3
    assert run("no-such-program", held, tmp_path).exit_code == 127
    assert run("kill -9 $$", held, tmp_path).exit_code not in (0, None)
