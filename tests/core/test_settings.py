"""What can be set, by whom, and what is said of a file that is wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from milepost import api
from milepost.agent.window import SCHEDULE
from milepost.api.models import provider_of
from milepost.base.errors import UserError
from milepost.config import models, paths, settings, settings_file, tables

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def own(home: Path) -> Path:
    """The user's own settings file, not there yet."""
    return home / "config.toml"


@pytest.fixture
def theirs(project: Path) -> Path:
    """The project's settings file, not there yet."""
    return project / ".milepost" / "config.toml"


def test_the_page_lists_the_keys_that_there_are_with_their_types_and_defaults() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \|(.*)\|$", DOCS.read_text("utf-8"), re.MULTILINE)
    documented = {name: [cell.strip() for cell in rest.split("|")] for name, rest in rows}
    expected = {}
    for key in settings.all_keys():
        default = list(key.default) if isinstance(key.default, tuple) else key.default
        expected[key.name] = [
            key.allowed, f"`{json.dumps(default)}`", f"`{key.env}`", key.project, key.words,
        ]  # fmt: skip
    assert documented == expected


def test_environment_comes_before_project_before_user_before_default(
    project: Path, own: Path, theirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def now() -> tuple[object, str]:
        (found,) = (
            one for one in settings.effective(project) if one.key.name == "redaction.extra_names"
        )
        return found.value, found.origin

    assert now() == ((), "default")
    write(own, '[redaction]\nextra_names = ["mine"]\n')
    assert now() == (("mine",), str(own))
    write(theirs, '[redaction]\nextra_names = ["theirs"]\n')
    # A stranger's file adds to what is a secret, and takes nothing from it.
    assert now() == (("mine", "theirs"), str(theirs))
    monkeypatch.setenv("MILEPOST_REDACTION_EXTRA_NAMES", "one, two")
    assert now() == (("one", "two"), "MILEPOST_REDACTION_EXTRA_NAMES")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[memory]\nlocation = "rpo"\n', "line 2: memory.location is 'rpo', and must be \"user\""),
        (
            '[memory]\nlocatoin = "repo"\n',
            "line 2: there is no setting 'memory.locatoin'; the near",
        ),
        ("memory = 3\n", "line 1: memory is 3, and must be a table"),
        ("[memry]\n", "line 1: there is no setting 'memry'; the nearest is memory.location"),
        ("[memory\n", "is not TOML"),
        ('[checkpoints]\n\nmax_file_bytes = "8"\n', "line 3: checkpoints.max_file_bytes is '8'"),
        ("[checkpoints]\nmax_file_bytes = true\n", "must be a whole number from 1024"),
        ("[checkpoints]\nmax_file_bytes = 1\n", "must be a whole number from 1024"),
        ("[redaction]\nextra_names = [5]\n", "must be a list of texts"),
        ('[redaction]\nextra_names = ["x"]\n', "fewer than 3 characters"),
        ('redaction.extra_names = "pin"\n', "line 1: redaction.extra_names is 'pin'"),
        ("[worker]\nwindow_tokens = 1000\n", "must be 0 or a whole number from 4096"),
        ("[worker]\ncheckpoints_at = []\n", "line 2: worker.checkpoints_at is []"),
        ("[worker]\ncheckpoints_at = [20, 90]\n", "must be 1 to 9 whole numbers from 5 to 79"),
        ('[worker]\ncheckpoints_at = ["20"]\n', "must be 1 to 9 whole numbers from 5 to 79"),
        ("x = " + "[" * 5000, "config.toml"),
        ("# " + "x" * 70_000, "larger than 64 KiB"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence_with_its_place(
    project: Path, theirs: Path, text: str, words: str
) -> None:
    write(theirs, text)
    with pytest.raises(UserError) as error:
        settings.load(project)
    assert str(theirs) in str(error.value)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_utf8_is_told(project: Path, own: Path) -> None:
    own.parent.mkdir()
    own.write_bytes(b"# caf\xe9\n")
    with pytest.raises(UserError, match="UTF-8"):
        settings.load(project)


@pytest.mark.parametrize(
    "text",
    [
        '[redaction]\nallow = ["ghp_something"]\n',
        '[search]\nvectors = "semantic"\n',
        "[checkpoints]\nmax_file_bytes = 100000000\n",
        "[worker]\nwindow_tokens = 8192\n",
        "[worker]\ncheckpoints_at = [30, 60]\n",
    ],
)
def test_a_project_cannot_make_anything_less_safe_and_the_user_can(
    project: Path, own: Path, theirs: Path, text: str
) -> None:
    write(theirs, text)
    with pytest.raises(UserError, match="a project may") as error:
        settings.load(project)
    assert f"set it in {own}" in str(error.value)
    write(own, text)
    theirs.unlink()
    assert settings.load(project) != tables.Settings()


def test_a_project_may_lower_what_it_may_not_raise(project: Path, theirs: Path) -> None:
    write(theirs, "[checkpoints]\nmax_file_bytes = 2048\n")
    (project / "large").write_bytes(b"x" * 4096)
    workspace = api.open_workspace(str(project), actor="user:test")
    point = workspace.checkpoints.save()
    assert ("large", "larger than 2,048 bytes") in [
        (item.path, item.reason) for item in point.not_covered
    ]
    theirs.unlink()
    again = api.open_workspace(str(project), actor="user:test")
    point = again.checkpoints.save()
    assert "large" not in [item.path for item in point.not_covered]
    (project / "large").unlink()
    again.checkpoints.restore(point.id)
    assert (project / "large").read_bytes() == b"x" * 4096


def test_further_names_are_masked_and_what_the_user_allows_is_not(project: Path, own: Path) -> None:
    token = "ghp_" + "q7Zr2mX9" + "bT4kLw8s" + "VnE3cYh6" + "uJd1aPfGk5Ho"
    memory = api.open_workspace(str(project), actor="user:test").memory
    assert "4711" in memory.add("the door: passcode=4711").text
    assert token not in memory.add(f"a sample is {token}").text
    write(own, f'[redaction]\nextra_names = ["passcode"]\nallow = ["{token}"]\n')
    memory = api.open_workspace(str(project), actor="user:test").memory
    assert "4711" not in memory.add("the door: passcode=4711").text
    assert "a passcode is needed" in memory.add("a passcode is needed at the door").text
    assert token in memory.add(f"a sample is {token}").text


@pytest.mark.parametrize(
    ("name", "value"),
    [("MILEPOST_VECTORS", "maybe"), ("MILEPOST_CHECKPOINTS_MAX_FILE_BYTES", "8 MiB"),
     ("MILEPOST_CHECKPOINTS_MAX_FILE_BYTES", "9" * 5000), ("MILEPOST_MEMORY_LOCATION", "/tmp"),
     ("MILEPOST_WORKER_CHECKPOINTS_AT", "20,x"), ("MILEPOST_WORKER_CHECKPOINTS_AT", "80"),
     ("MILEPOST_WORKER_CHECKPOINTS_AT", ","), ("MILEPOST_WORKER_OUTPUT_TOKENS", "-1")],
)  # fmt: skip
def test_a_variable_that_is_wrong_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=f"{name} is .* must be"):
        settings.load(project)


@example_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.one_of(
        st.text(max_size=200),
        st.lists(
            st.sampled_from(
                ["[memory]", "[[memory]]", 'location = "repo"', "location = 5",
                 "[redaction.allow]", "allow = [[]]", "max_file_bytes = 9e9", "x = nan", '"" = 1',
                 "[checkpoints]", "d = 1979-05-27", "[a.b.c]"]
            )
        ).map("\n".join),
    )
)  # fmt: skip
@example("[memory]\nlocation = 1979-05-27")
def test_any_text_is_settings_or_one_sentence(project: Path, text: str) -> None:
    path = project / ".milepost" / "config.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    told = str(path)
    try:
        settings.load(project)
    except UserError as error:
        told = str(error)
    assert str(path) in told


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[memory]\nlocation = "repo"\n'),
        ("# ours\n[memory]\n", '# ours\n[memory]\nlocation = "repo"\n'),
        ('[memory]\nlocation = "user"\n# end\n', '[memory]\nlocation = "repo"\n# end\n'),
        ('[redaction]\nextra_names = ["pin"]\n',
         '[redaction]\nextra_names = ["pin"]\n\n[memory]\nlocation = "repo"\n'),
    ],
)  # fmt: skip
def test_a_value_is_set_and_all_else_stays(
    project: Path, theirs: Path, before: str, after: str
) -> None:
    if before:
        write(theirs, before)
    settings_file.set_value(project, "memory.location", "repo")
    assert theirs.read_text("utf-8") == after


def test_a_file_that_cannot_be_changed_safely_is_left_alone(project: Path, theirs: Path) -> None:
    write(theirs, 'memory.location = "user"\n')
    with pytest.raises(UserError, match="way of its own"):
        settings_file.set_value(project, "memory.location", "repo")
    assert theirs.read_text("utf-8") == 'memory.location = "user"\n'


def milepost(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "milepost", *words],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_terminal_shows_what_holds_and_from_where_and_names_what_is_wrong(
    project: Path, own: Path, theirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MILEPOST_VECTORS", raising=False)
    write(theirs, '[memory]\nlocation = "repo"\n')
    shown = milepost(project, "config", "show").stdout
    assert re.search(rf'memory.location = "repo" +\({re.escape(str(theirs))}\)', shown)
    assert re.search(r'search.vectors = "auto" +\(default\)', shown)
    assert milepost(project, "config", "path").stdout.split() == [str(own), str(theirs)]
    assert "1 value set" in milepost(project, "config", "check").stdout
    theirs.write_text("[memory]\nlocatoin = 1\n", "utf-8")
    for words in (["config", "check"], ["memory", "list"], ["doctor"]):
        done = milepost(project, *words)
        assert done.returncode == 1, words
        assert "line 2: there is no setting 'memory.locatoin'" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    assert milepost(project, "config", "path").returncode == 0


def test_pydantic_is_loaded_only_where_there_is_a_file(project: Path, own: Path) -> None:
    code = (
        "import sys; from milepost import api; "
        "api.open_workspace('.', actor='test').memory.add('x'); print('pydantic' in sys.modules)"
    )

    def loads() -> str:
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=project, env=dict(os.environ), capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip

    assert loads() == "False"
    write(own, '[memory]\nlocation = "user"\n')
    assert loads() == "True"


def test_the_model_is_the_users_and_no_projects(tmp_path, monkeypatch):
    monkeypatch.delenv("MILEPOST_MODEL", raising=False)
    root = tmp_path / "project"
    (root / ".milepost").mkdir(parents=True)
    assert not models.is_named(None)
    home = paths.home()
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text('[worker]\nmodel = "openai:small"\n', encoding="utf-8")
    assert models.chosen_model(None).name == "small"
    monkeypatch.setenv("MILEPOST_MODEL", "anthropic:large")
    assert models.chosen_model(None).name == "large"
    theirs = root / ".milepost" / "config.toml"
    theirs.write_text('[worker]\nmodel = "openai:theirs"\n', encoding="utf-8")
    with pytest.raises(UserError, match=r"worker\.model"):
        settings.load(root)


def test_what_the_user_declares_of_the_worker_holds_for_it_and_not_for_a_judge_of_its_own(
    own: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(own, '[worker]\nmodel = "openai:mine"\nwindow_tokens = 8192\noutput_tokens = 512\n')
    model = provider_of(models.working_model(None)).model
    assert (model.name, model.window_tokens, model.output_tokens) == ("mine", 8192, 512)
    monkeypatch.setenv("MILEPOST_WORKER_OUTPUT_TOKENS", "0")
    model = provider_of(models.working_model("openai:deepseek-chat")).model
    assert (model.window_tokens, model.output_tokens) == (8192, 8000)
    assert models.chosen_model("openai:judge").window_tokens == 0
    monkeypatch.setenv("MILEPOST_WORKER_CHECKPOINTS_AT", "10, 50")
    assert settings.users_worker().checkpoints_at == (10, 50)
    assert settings.load(project).worker.checkpoints_at == (10, 50)


def test_the_schedule_is_the_windows_unless_the_user_sets_another() -> None:
    assert tables.WorkerSettings().checkpoints_at == tuple(round(100 * at) for at in SCHEDULE)
