"""How many requests a server gets at once: fewer when it refuses, more while it takes them."""

from __future__ import annotations

import asyncio
import time
from collections import deque


class AdaptiveLimit:
    """A limit of requests in flight that halves on a refusal and grows back with successes.

    For use on one event loop. Requests are let in first come, first served.

    Args:
        maximum: The most requests in flight.
    """

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._limit = float(maximum)
        self._in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._paused_until = 0.0
        self._halved_at = 0.0

    @property
    def current(self) -> int:
        """How many requests may be in flight now."""
        return max(1, int(self._limit))

    async def acquire(self) -> float:
        """Wait for a place. Returns when it was had, in seconds of the monotonic clock."""
        if self._in_flight >= self.current or self._waiting or self._paused_seconds():
            place = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            self._let_in()
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self.release()
                raise
        else:
            self._in_flight += 1
        return time.monotonic()

    def release(self) -> None:
        """Give a place back."""
        self._in_flight -= 1
        self._let_in()

    def succeeded(self) -> None:
        """A request was served: after as many as the limit allows, allow one more."""
        self._limit = min(float(self._maximum), self._limit + 1 / self._limit)

    def refused(self, started: float, seconds: float) -> None:
        """The server has refused a request for being too busy.

        Args:
            started: When the request got its place. Requests that were in flight together halve
                the limit once.
            seconds: How long the server wants to be left alone.
        """
        refused_at = time.monotonic()
        if started >= self._halved_at:
            self._limit = max(1.0, self._limit / 2)
            self._halved_at = refused_at
        if refused_at + seconds > self._paused_until:
            self._paused_until = refused_at + seconds
            asyncio.get_running_loop().call_later(seconds + 0.001, self._let_in)

    def resume(self) -> None:
        """Admit requests at once again."""
        self._paused_until = 0.0
        self._let_in()

    def _paused_seconds(self) -> float:
        return max(0.0, self._paused_until - time.monotonic())

    def _let_in(self) -> None:
        while self._waiting and self._in_flight < self.current and not self._paused_seconds():
            place = self._waiting.popleft()
            if not place.done():
                self._in_flight += 1
                place.set_result(None)
