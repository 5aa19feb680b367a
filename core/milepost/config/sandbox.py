"""Within what the commands of checks and workers are held: the folders of this user and machine.

Chosen so that honest checks do not fail for it. What programs download and build again (caches) may
be written, because test runners, compilers and package managers write there at every run. What
decides how programs work (settings, start-up files, programs in the home) may only be read, and
what holds secrets may not be read at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from milepost.base.sandbox.choice import OFF, choose
from milepost.base.sandbox.limits import Limits, is_below
from milepost.config import paths
from milepost.config.settings import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from milepost.base.sandbox.choice import Sandbox
    from milepost.base.sandbox.refusal import Refusal
    from milepost.config.tables import SandboxSettings

# Below the home. Where each tool keeps its own is told in its manual.
_CACHES = (
    ".cache",  # pip, uv, poetry, pre-commit, go build, yarn, node-gyp, playwright, bazel, ccache
    ".npm", ".yarn", ".pnpm-store", ".local/share/pnpm/store", ".bun/install/cache",
    ".cargo/registry", ".cargo/git", "go/pkg",
    ".m2/repository", ".gradle/caches", ".gradle/daemon", ".gradle/native", ".gradle/wrapper",
    ".gradle/.tmp", ".gradle/notifications", ".gradle/workers", ".ivy2", ".sbt/boot",
    ".nuget/packages", ".local/share/NuGet", ".dotnet/optimizationdata", ".composer/cache",
    ".bundle/cache", ".hex/packages", ".cabal/packages", ".stack/pantry", ".pub-cache",
    ".android/cache", ".local/share/virtualenv", ".local/share/virtualenvs", ".ccache",
    ".matplotlib", "Library/Caches",
)  # fmt: skip

# What the project of a tool needs at its first run on a machine: a folder that is not there cannot
# be allowed, and the tool may not make it.
_CACHES_BY_MANIFEST = {
    "go.mod": ("go/pkg",),
    "package.json": (".npm",),
    "Cargo.toml": (".cargo/registry", ".cargo/git"),
    "pom.xml": (".m2/repository",),
    "build.gradle": (".gradle/caches", ".gradle/daemon", ".gradle/native", ".gradle/wrapper"),
    "build.gradle.kts": (".gradle/caches", ".gradle/daemon", ".gradle/native", ".gradle/wrapper"),
}

# What the same tools are told by variables.
_CACHE_VARIABLES = (
    "XDG_CACHE_HOME", "PIP_CACHE_DIR", "UV_CACHE_DIR", "npm_config_cache", "NPM_CONFIG_CACHE",
    "YARN_CACHE_FOLDER", "GOCACHE", "GOMODCACHE", "CARGO_TARGET_DIR", "CCACHE_DIR", "SCCACHE_DIR",
    "PRE_COMMIT_HOME", "PLAYWRIGHT_BROWSERS_PATH", "HF_HOME", "TMPDIR",
)  # fmt: skip

# Below the home: keys, tokens, passwords, and what browsers and agents are logged in with.
_SECRETS = (
    ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".oci", ".config/gcloud", ".config/gh",
    ".config/glab-cli", ".config/hub", ".config/doctl", ".config/op", ".config/rclone",
    ".netrc", ".git-credentials", ".config/git/credentials", ".pypirc", ".vault-token",
    ".terraform.d/credentials.tfrc.json", ".cargo/credentials.toml", ".cargo/credentials",
    ".gem/credentials", ".password-store", ".local/share/keyrings", ".local/share/kwalletd",
    ".config/age", ".config/sops", ".age",
    ".mozilla", ".thunderbird", ".config/google-chrome", ".config/chromium", ".config/vivaldi",
    ".config/BraveSoftware", ".config/microsoft-edge", ".config/opera", "snap/firefox",
    "snap/chromium", ".var/app/org.mozilla.firefox", ".var/app/com.google.Chrome",
    ".claude/.credentials.json", ".codex/auth.json", ".gemini/oauth_creds.json",
    ".local/share/opencode/auth.json", ".config/github-copilot",
    "Library/Keychains", "Library/Cookies", "Library/Safari", "Library/Application Support/Firefox",
    "Library/Application Support/Google/Chrome", "Library/Application Support/BraveSoftware",
)  # fmt: skip


def sandbox_of(
    root: Path, settings: SandboxSettings, shown: Iterable[str] = ()
) -> Callable[[], Sandbox]:
    """What gives the sandbox for commands in `root`, which may read `shown` of our own data. It is
    made anew for each command, as folders come and go; the first one takes some milliseconds more.
    The function raises WorldError when the method that is set does not work here."""
    kept = tuple(shown)

    def made() -> Sandbox:
        if settings.method != OFF:
            _make_caches(root)
        return choose(settings.method, limits(root, settings, kept))

    return made


def limits(root: Path, settings: SandboxSettings, shown: Iterable[str] = ()) -> Limits:
    """Within what commands in `root` are held."""
    home = Path.home()
    temporary = (tempfile.gettempdir(), "/tmp")  # noqa: S108  (Java knows no other)
    caches = [str(home / name) for name in _CACHES]
    told = (os.environ.get(name) for name in _CACHE_VARIABLES)
    # A variable that means the whole home means no cache.
    caches += [path for path in told if path and not is_below(str(home), os.path.realpath(path))]
    secrets = [str(home / name) for name in _SECRETS]
    # The sockets of the user's session, by which services may be asked to run commands.
    sockets = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    return Limits(
        writable=_resolved(
            (str(root), *_git_folders(root), *temporary, *caches, *settings.write), root
        ),
        hidden=_resolved((*secrets, sockets, str(paths.home()), *settings.hide), root),
        shown=_resolved((*settings.read, *shown), root),
        has_network=settings.network == "on",
    )


def fingerprint(sandbox: Sandbox) -> str:
    """The hash of what a sandbox holds back, for evidence: what was seen within other limits may be
    seen otherwise."""
    return hashlib.sha256(repr((sandbox.name, sandbox.limits)).encode()).hexdigest()


def advice(found: Refusal, root: Path) -> str:
    """What a command was kept from, and how the user allows it, as a clause."""
    own, _ = files(root)
    match found.what:
        case "write":
            what = f"the sandbox kept it from writing {found.path}"
            return f"{what}; if it may, the user adds the folder to sandbox.write in {own}"
        case "read":
            what = f"the sandbox hides {found.path} from it"
            return f"{what}; if it may be read, the user adds it to sandbox.read in {own}"
        case "network":
            return "the sandbox keeps it from the network, as sandbox.network is off"
        case "something":
            what = "something was refused to it, perhaps by the sandbox"
            return f"{what}; sandbox.write and sandbox.read in {own} allow more"


def _resolved(given: Iterable[str], root: Path) -> tuple[str, ...]:
    """The paths that exist, absolute and without links; the whole disk is none that is meant."""
    found = (os.path.realpath(root / Path(path).expanduser()) for path in given)
    return tuple(dict.fromkeys(path for path in found if path != "/" and os.path.lexists(path)))


def _make_caches(root: Path) -> None:
    """Make the folders of caches that commands in `root` may need."""
    if not Path.home().is_dir():
        return
    wanted = [name for file, names in _CACHES_BY_MANIFEST.items() if (root / file).exists()
              for name in names]  # fmt: skip
    for name in (".cache", *wanted):
        # Where it cannot be made, no command could have made it either.
        with contextlib.suppress(OSError):
            (Path.home() / name).mkdir(parents=True, exist_ok=True)


def _git_folders(root: Path) -> Iterator[str]:
    """Where git keeps what belongs to `root`, when that lies outside of it: above it, or, for a
    linked worktree or a submodule, elsewhere. Source: gitrepository-layout(5)."""
    for folder in (root, *root.parents):
        dot_git = folder / ".git"
        if dot_git.is_dir():
            yield str(dot_git)
            return
        if dot_git.is_file():
            yield from _linked_git_folders(dot_git)
            return


def _linked_git_folders(dot_git: Path) -> Iterator[str]:
    """What the file `.git` leads to. It is part of the project, so it is believed only where what
    it leads to says so too: a worktree's folder names the file, and a submodule's lies in the
    `.git` of a folder above."""
    try:
        told = dot_git.read_text("utf-8", "replace").removeprefix("gitdir:").strip()
        own = Path(os.path.realpath(dot_git.parent / told))
        if any(is_below(str(own), str(above / ".git")) for above in dot_git.parent.parents):
            yield str(own)
            return
        back = (own / "gitdir").read_text("utf-8", "replace").strip()
        common = os.path.realpath(own / (own / "commondir").read_text("utf-8", "replace").strip())
    except OSError:
        return
    if os.path.realpath(own / back) == str(dot_git) and is_below(str(own), common):
        yield common
