"""The subscriptions of one stdio connection, in the forms of both eras.

Handshake era: `resources/subscribe` for each resource, and the connection carries the notices.
Modern era: one `subscriptions/listen` that names them all, acknowledged first, whose notices bear
its id, and which is answered when the server ends it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

from milepost_mcp import resources
from milepost_mcp.answers import INVALID_PARAMS, INVALID_REQUEST, RpcError
from milepost_mcp.guard import object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from milepost_mcp.watching import Watch

    End = Callable[[], None]

SUBSCRIPTION_KEY = "io.modelcontextprotocol/subscriptionId"


class Subscriptions:
    """Who listens to what; `notify` sends a notification, by its method and params."""

    def __init__(self, watch: Watch, notify: Callable[[str, dict[str, object]], None]) -> None:
        self._watch = watch
        self._notify = notify
        self._subscribed: dict[str, End] = {}
        self._listening: dict[object, list[End]] = {}
        self._guard = threading.Lock()

    def subscribe(self, params: Mapping[str, object]) -> None:
        """Tell of changes of one resource. Raises NoResourceError, MilepostError."""
        uri = resources.uri_of(params)
        if uri not in self._subscribed:
            self._subscribed[uri] = self._watch.add(uri, self._updated)

    def unsubscribe(self, params: Mapping[str, object]) -> None:
        """Be silent about a resource again. Raises NoResourceError."""
        end = self._subscribed.pop(resources.uri_of(params), None)
        if end is not None:
            end()

    def listen(self, request_id: object, params: Mapping[str, object]) -> None:
        """Tell of changes under this request's id until it is cancelled.

        Raises RpcError for a request that is not well formed, NoResourceError, MilepostError.
        """
        uris = wanted_uris(params)
        if request_id in self._listening:
            raise RpcError(INVALID_REQUEST, "a request with this id is being answered")
        meta = {SUBSCRIPTION_KEY: request_id}
        granted = {"resourceSubscriptions": uris} if uris else {}

        def tell(uri: str) -> None:
            # The acknowledgement comes first, and it is sent under the guard.
            with self._guard:
                self._updated(uri, meta)

        ends: list[End] = []
        with self._guard:
            try:
                ends.extend(self._watch.add(uri, tell) for uri in uris)
            except BaseException:
                for end in ends:
                    end()
                raise
            self._listening[request_id] = ends
            self._notify(
                "notifications/subscriptions/acknowledged",
                {"notifications": granted, "_meta": meta},
            )

    def cancel(self, request_id: object) -> None:
        """End a listening; nothing when there is none of that id."""
        with self._guard:
            ends = self._listening.pop(request_id, ())
        for end in ends:
            end()

    def close(self) -> tuple[object, ...]:
        """End them all; the ids of the requests that listened, which are to be answered."""
        with self._guard:
            listening = tuple(self._listening)
        for request_id in listening:
            self.cancel(request_id)
        return listening

    def _updated(self, uri: str, meta: object = None) -> None:
        params: dict[str, object] = {"uri": uri}
        if meta is not None:
            params["_meta"] = meta
        self._notify("notifications/resources/updated", params)


def wanted_uris(params: Mapping[str, object]) -> list[str]:
    """The resources that a `subscriptions/listen` names, each once. The other things that it may
    ask for never change here. Raises RpcError when it is not well formed."""
    wanted = object_of(params.get("notifications"))
    if wanted is None:
        raise RpcError(INVALID_PARAMS, "subscriptions/listen needs notifications, an object")
    given = wanted.get("resourceSubscriptions", [])
    uris = cast("list[object]", given) if isinstance(given, list) else [None]
    if not all(isinstance(uri, str) for uri in uris):
        raise RpcError(INVALID_PARAMS, "resourceSubscriptions must be a list of strings")
    return list(dict.fromkeys(map(str, uris)))
