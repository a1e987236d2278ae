"""One server: its URL and key, what it serves, what it takes, and how much of it at once."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI, Timeout

from ...text import without_credentials
from ..base import ModelUnavailable
from ..model import EngineInfo
from .capabilities import Capabilities
from .errors import sentence
from .limit import AdaptiveLimit
from .listing import ServedModel, served_models

LIST_SECONDS = 10.0
"""How long a server may take to say which models it serves."""
CONNECT_SECONDS = 5.0
DEAD_SECONDS = 30.0
"""How long a server that does not answer is left out, where there are others; at first."""
MAX_DEAD_SECONDS = 600.0
MAX_PROBE_SECONDS = 10.0
"""Between two attempts to reach a server that does not answer, at most."""


@dataclass
class Endpoint:
    """A server and what is known of it. For use on one event loop."""

    url: str
    key: str
    limit: AdaptiveLimit
    model: str = ""
    capabilities: Capabilities = field(default_factory=Capabilities)
    info: EngineInfo | None = None
    dead_until: float = 0.0
    characters_per_token: float = 0.0
    """Measured on its replies; 0 before the first."""

    def __post_init__(self) -> None:
        self.client = _client(self.url, self.key)
        self.succeeded_at = 0.0
        """When it last served a request, or refused it for what it was."""
        self.given_up_at = 0.0
        """When it was last found to be of no use: requests from before fail with it."""
        self.given_up_because = ""
        self._unanswered_since = self._unanswered_at = 0.0
        self._unanswered_times = self._failed_times = 0
        self._failed_at = 0.0
        self._dead_seconds = DEAD_SECONDS
        self._is_recalled = False
        """Whether what an earlier start found out has not stood its test yet."""

    def recall(self, known: Capabilities) -> None:
        """Take over what was learned before, unless the server says that it has changed."""
        info = self.info or EngineInfo(self.model)
        version = " ".join(f"{kind} {number}" for kind, number in info.versions.items())
        self.capabilities = known.recalled_for(version, info.context_length)
        self._is_recalled = not self.capabilities.is_plain

    def confirm(self) -> None:
        """Note that the server accepted a request made according to its known capabilities."""
        self._is_recalled = False

    def may_have_changed(self) -> bool:
        """Whether its capabilities are of an earlier start and may be outdated; true only once."""
        recalled, self._is_recalled = self._is_recalled, False
        return recalled

    @property
    def shown_url(self) -> str:
        """The URL without credentials."""
        return without_credentials(self.url)

    @property
    def is_dead(self) -> bool:
        """Whether it is left out for now because it did not answer."""
        return time.monotonic() < self.dead_until

    @property
    def unanswered_for(self) -> float:
        """Seconds since the server last answered; 0 if it answers."""
        return time.monotonic() - self._unanswered_since if self._unanswered_since else 0.0

    def reached(self) -> None:
        """Note that the server answered a request, with a reply or an error."""
        self._unanswered_since, self._unanswered_times = 0.0, 0

    def served(self) -> None:
        """Note that the server accepted a request."""
        self.succeeded_at, self._failed_times = time.monotonic(), 0

    def failed(self, admitted: float) -> int:
        """Note that a request sent at ``admitted`` failed; returns the failures in a row.

        Requests that were in flight together count as one.
        """
        if admitted >= self._failed_at:
            self._failed_at, self._failed_times = time.monotonic(), self._failed_times + 1
        return self._failed_times

    def succeeded(self) -> None:
        """Note that the server completed a reply."""
        self.served()
        self.dead_until, self._dead_seconds = 0.0, DEAD_SECONDS

    def unanswered(self, admitted: float) -> float:
        """Note that a request sent at ``admitted`` got no answer; returns the seconds to wait."""
        failed_at = time.monotonic()
        self._unanswered_since = self._unanswered_since or failed_at
        if admitted >= self._unanswered_at:  # those that were in flight together count once
            self._unanswered_at, self._unanswered_times = failed_at, self._unanswered_times + 1
        return float(min(MAX_PROBE_SECONDS, 0.5 * 2.0 ** (self._unanswered_times - 1)))

    def leave_out(self) -> None:
        """Send the server nothing for a while; other servers take its discussions."""
        if not self.is_dead:
            self.dead_until = time.monotonic() + self._dead_seconds
            self._dead_seconds = min(MAX_DEAD_SECONDS, 2 * self._dead_seconds)

    def give_up(self, sentence: str) -> None:
        """Let all waiting requests fail with ``sentence``; later ones try the server again."""
        self.given_up_at, self.given_up_because = time.monotonic(), sentence
        self._unanswered_since, self._unanswered_times, self._failed_times = 0.0, 0, 0
        self.limit.resume()

    async def open(self, model: str) -> EngineInfo:
        """Find out what it serves and choose ``model``; empty or ``auto``: the only one it has.

        Raises:
            ModelUnavailable: Nobody answers, the key is refused, or the model is not served.
        """
        served = await self._models(needed=model in ("", "auto"))
        names = [each.name for each in served]
        if model in ("", "auto"):
            if len(names) != 1:
                raise ModelUnavailable(
                    f"{self.shown_url} serves {_listed(names)}. Say which one: --model NAME."
                )
            model = names[0]
        elif names and model not in names:
            raise ModelUnavailable(
                f"{self.shown_url} does not serve “{model}”. It serves {_listed(names)}."
            )
        self.model = model
        chosen = next((each for each in served if each.name == model), ServedModel(model))
        self.info = EngineInfo(
            model=model,
            name=model,
            device="server",
            path="server",
            exact=False,
            context_length=chosen.context_length,
            versions=await self._versions(chosen.owner),
            server=self.shown_url,
            left_out=self.capabilities.left_out,
        )
        return self.info

    async def _models(self, *, needed: bool) -> list[ServedModel]:
        """The models it lists; none where it cannot say and that is not ``needed``."""
        try:
            return await self._list(self.client)
        except APIConnectionError as error:
            raise ModelUnavailable(sentence(error, self.url, "", [self.key])) from None
        except APIStatusError as error:
            if error.status_code in (401, 403):
                raise ModelUnavailable(sentence(error, self.url, "", [self.key])) from None
            if error.status_code == 404 and not self.url.rstrip("/").endswith("/v1"):
                longer = self.url.rstrip("/") + "/v1"
                client = _client(longer, self.key)
                try:
                    served = await self._list(client)
                except APIError:
                    await client.close()
                else:
                    await self.client.close()
                    self.url, self.client = longer, client
                    return served
            if needed:
                raise ModelUnavailable(
                    f"{self.shown_url} does not say which models it serves "
                    f"({error.status_code}). Name one: --model NAME."
                ) from None
            return []

    async def _list(self, client: AsyncOpenAI) -> list[ServedModel]:
        answer = await client.with_options(timeout=LIST_SECONDS).get("/models", cast_to=object)
        try:
            return served_models(answer)
        except ValueError:  # another program, or a page for people
            return []

    async def _versions(self, owner: str) -> dict[str, str]:
        """The server's own version, where it tells one at the path that its kind has."""
        root = self.url.rstrip("/").removesuffix("/v1")
        for path, kind in (("/version", owner or "server"), ("/api/version", "ollama")):
            try:
                answer = await asyncio.wait_for(
                    self.client.get(root + path, cast_to=object), CONNECT_SECONDS
                )
            except (APIError, TimeoutError, ValueError):
                continue
            if isinstance(answer, dict) and isinstance(answer.get("version"), str):
                return {kind: answer["version"]}
        return {}

    async def close(self) -> None:
        """Close its connections."""
        await self.client.close()


def _client(url: str, key: str) -> AsyncOpenAI:
    """A client that retries nothing by itself: what to try again is decided, and said, here."""
    return AsyncOpenAI(
        base_url=url,
        api_key=key or "none",
        max_retries=0,
        timeout=Timeout(600.0, connect=CONNECT_SECONDS),
    )


def _listed(names: list[str]) -> str:
    if not names:
        return "no model"
    shown = ", ".join(f"“{name}”" for name in names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"
