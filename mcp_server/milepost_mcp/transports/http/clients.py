"""The clients of a server over HTTP: what each has seen and subscribed to, and their projects.

A client of the handshake era is its session. In the modern era there are no sessions, so a client
is its name, its token and its project: two windows of one editor are one client.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from milepost_mcp.answers import Answers
from milepost_mcp.limits import MAX_SESSIONS, SESSION_IDLE_S
from milepost_mcp.runs import Runs
from milepost_mcp.session import Session
from milepost_mcp.watching import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    Key = tuple[str | None, str]  # the folder, and the session or token and name


class Project:
    """What the clients of one project share."""

    def __init__(self, folder: str | None) -> None:
        self.folder = folder
        self.runs = Runs()
        self.watch = Watch(Session(folder, self.runs))

    def close(self) -> None:
        """Stop its runs and its watch."""
        self.watch.close()
        self.runs.close()


@dataclass(slots=True)
class Client:
    """One client; `busy` counts the requests of its that are being answered."""

    project: Project
    session: Session
    answers: Answers
    subscriptions: dict[str, Callable[[], None]] = field(
        default_factory=dict[str, "Callable[[], None]"]
    )
    busy: int = 0
    last_used: float = 0.0

    def close(self) -> None:
        """End what it subscribed to, and close what it has open."""
        for end in self.subscriptions.values():
            end()
        self.subscriptions.clear()
        self.session.close()


class Clients:
    """All clients, by project and by session or name. Called on the event loop and on threads."""

    def __init__(self) -> None:
        self._projects: dict[str | None, Project] = {}
        self._clients: dict[Key, Client] = {}
        self._guard = threading.Lock()

    def enter(self, folder: str | None, who: str, name: str) -> Client:
        """The client that asks, by its session or by its token and name; `leave` it when it is
        answered."""
        with self._guard:
            self._forget_idle()
            key = (folder, who)
            client = self._clients.get(key)
            if client is None:
                if folder not in self._projects:
                    self._projects[folder] = Project(folder)
                project = self._projects[folder]
                session = Session(folder, project.runs)
                client = self._clients[key] = Client(project, session, Answers(session))
            client.busy += 1
            client.session.introduce({"name": name})
            return client

    def hold(self, client: Client) -> None:
        """A thread begins to work for the client; it will `leave` it too."""
        with self._guard:
            client.busy += 1

    def leave(self, client: Client) -> None:
        """The client is answered."""
        with self._guard:
            client.busy -= 1
            client.last_used = time.monotonic()

    def end(self, session: str) -> None:
        """The client has ended its session."""
        with self._guard:
            for key in [key for key in self._clients if key[1] == session]:
                if not self._clients[key].busy:
                    self._clients.pop(key).close()

    def close(self) -> None:
        """Stop what goes on for any of them."""
        with self._guard:
            projects = list(self._projects.values())
        for project in projects:
            project.close()

    def _forget_idle(self) -> None:
        """Close the clients that were silent for long, and the most silent if there are too many;
        one that comes back is given a new start. A project goes with its last client."""
        too_old = time.monotonic() - SESSION_IDLE_S
        idle = [(key, client) for key, client in self._clients.items() if not client.busy]
        idle.sort(key=lambda item: item[1].last_used)
        surplus = len(self._clients) - MAX_SESSIONS
        for number, (key, client) in enumerate(idle):
            is_silent = client.last_used < too_old and not client.subscriptions
            if is_silent or number < surplus:
                self._clients.pop(key).close()
                if all(client.project is not other.project for other in self._clients.values()):
                    project = self._projects.pop(client.project.folder)
                    # It waits for its threads, and we may be on the event loop.
                    threading.Thread(target=project.close, daemon=True).start()
