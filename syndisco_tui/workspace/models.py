"""The models that can be chosen: on this machine, and on the servers that answer."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..discussion import DiscussionSetup
from ..engine.local.loading.hub import cache_folder, cached_models
from ..engine.local.loading.starter import STARTER
from ..engine.machine import FreeMemory, free_memory_of
from ..session.last_model import LastModelFile
from ..text import without_credentials
from .folders import Folders
from .model_files import ModelFiles, Precision, read_model_files
from .settings import Settings, resolve_server

if TYPE_CHECKING:
    from ..engine.server.listing import ServerAnswer, ServerQuery

AUTO, STARTER_MODEL = "auto", "starter"
USUAL_PORTS = {8000: "vLLM", 30000: "SGLang", 11434: "Ollama", 8080: "llama.cpp", 1234: "LM Studio"}
"""Where programs listen that serve models on their user's own machine."""
BUILT_IN, CACHE, USED = "This machine", "Hugging Face cache", "Folders used before"
"""Headings of the models that run in this process."""
TELL_SECONDS = 0.05
"""While folders are read, models are told of so often."""


@dataclass(frozen=True)
class ModelChoice:
    """A model, as named by the fields of a setup; without a server it is local."""

    model: str
    server: tuple[str, ...] = ()

    @classmethod
    def of(cls, setup: DiscussionSetup) -> ModelChoice:
        """The model of ``setup``."""
        return cls(setup.model, setup.server)

    def applied_to(self, setup: DiscussionSetup) -> DiscussionSetup:
        """``setup`` with this model."""
        return setup.model_copy(update={"model": self.model, "server": self.server})


@dataclass(frozen=True)
class ListedModel:
    """A model that can be chosen. ``files`` is None until they have been read, and on servers."""

    choice: ModelChoice
    files: ModelFiles | None = None
    about: str = ""
    """What it is, in a few words, where its files do not say."""
    context_length: int = 0
    """Tokens that prompt and reply can have together; 0 if not known."""
    sentence: str = ""
    """What it is, at greater length."""


@dataclass(frozen=True)
class ModelGroup:
    """Models of one origin. ``note`` says in a sentence why some or all are missing."""

    heading: str
    models: tuple[ListedModel, ...] = ()
    note: str = ""
    is_complete: bool = True
    server: tuple[str, ...] = ()
    """The server that has them; none: they run in this process."""

    @property
    def origin(self) -> str:
        """The origin of the models, in a word or two."""
        if self.server:
            return self.server[0]
        return {BUILT_IN: "built in", CACHE: "cache", USED: "folder"}.get(self.heading, "")

    @property
    def is_empty(self) -> bool:
        """Whether it has neither models nor a note."""
        return self.is_complete and not (self.models or self.note)


@dataclass(frozen=True)
class NamedServer:
    """A server named in settings or a setup; ``key`` is empty if it has none."""

    name: str
    url: str
    key: str = field(default="", repr=False)


@dataclass(frozen=True)
class ModelSources:
    """The places to look for models, and the precision to load them in."""

    starter: Path
    hub_cache: Path
    folders: tuple[str, ...] = ()
    """Folders that models were loaded from before."""
    servers: tuple[NamedServer, ...] = ()
    ports: tuple[int, ...] = field(default_factory=lambda: tuple(USUAL_PORTS))
    """Ports of this machine that are asked."""
    precision: Precision = field(default_factory=Precision)
    device: str = "auto"


def model_sources(
    folders: Folders,
    settings: Settings,
    precision: Precision,
    servers: Iterable[str] = (),
    trusted: Collection[str] = (),
) -> ModelSources:
    """The sources on this machine, and servers.

    Args:
        folders: The folders of the starter and of the models used before.
        settings: Names servers and the device.
        precision: The precision to load models in.
        servers: Names and URLs of servers to ask beside those in settings.
        trusted: Those of them that the user gave on the command line.

    Raises:
        InputError: Settings have no server of that name.
    """
    named = [
        NamedServer(name, *resolve_server(settings, name, trusted))
        for name in dict.fromkeys([*settings.servers, *servers])
    ]
    by_url = {each.url: each for each in reversed(named)}  # the first name of a URL counts
    return ModelSources(
        starter=folders.cache / STARTER,
        hub_cache=cache_folder(),
        folders=LastModelFile(folders.last_model_file).folders(),
        servers=tuple(each for each in named if by_url[each.url] is each),
        precision=precision,
        device=settings.device,
    )


@dataclass
class _OnDisk:
    """A model in a folder, whose files may not have been read yet."""

    name: str
    folder: Path
    repository: Path | None = None
    files: ModelFiles | None = None


@dataclass(frozen=True)
class _Shelf:
    """Models in folders, of one origin."""

    heading: str
    models: list[_OnDisk] = field(default_factory=list)
    note: str = ""

    def group(self, *, is_complete: bool = True) -> ModelGroup:
        """The models as currently known."""
        models = (
            ListedModel(
                ModelChoice(each.name),
                each.files,
                context_length=each.files.context_length if each.files else 0,
            )
            for each in self.models
        )
        return ModelGroup(self.heading, tuple(models), self.note, is_complete)


def _built_in(files: ModelFiles | None = None) -> ModelGroup:
    """The models available on every machine; ``files`` are the starter's."""
    if files is not None and files.problem:
        files = replace(files, problem="", explanation="It is downloaded when it is first used.")
    models = (
        ListedModel(
            ModelChoice(AUTO),
            about="Llama 3B, or the starter",
            sentence="Llama 3.2 3B with CUDA, otherwise the starter",
        ),
        ListedModel(ModelChoice(STARTER_MODEL), files, about=STARTER),
    )
    return ModelGroup(BUILT_IN, models, is_complete=files is not None)


def _server_group(
    name: str,
    url: str,
    models: tuple[ListedModel, ...] = (),
    note: str = "",
    program: str = "",
    *,
    is_complete: bool = True,
) -> ModelGroup:
    shown = without_credentials(url)
    about = program or (shown if shown != name else "")
    heading = f"{name} · {about}" if about else name
    return ModelGroup(heading, models, note, is_complete, server=(name,))


def _host_and_port(url: str) -> tuple[str, int]:
    """Host and port of ``url``; this machine is 127.0.0.1."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return "", 0
    return "127.0.0.1" if host in ("localhost", "::1", "0.0.0.0") else host, port


class ModelListing:
    """Lists the models of ``sources``: first those known at once, then all others.

    ``listener`` gets a whole group each time that more of it is known. It is called on the
    listing's thread, except for the first groups, which ``start`` reports.
    """

    def __init__(self, sources: ModelSources, listener: Callable[[ModelGroup], object]) -> None:
        self._sources = sources
        self._listener = listener
        self._is_cancelled = threading.Event()
        self._query: ServerQuery | None = None
        self._folders_read = threading.Event()
        self._servers_asked = threading.Event()

    def start(self) -> None:
        """Report the models that are known at once, and start looking for the others."""
        self._tell(_built_in())
        threading.Thread(target=self._read_folders, name="model-folders", daemon=True).start()
        threading.Thread(target=self._ask_servers, name="model-servers", daemon=True).start()

    def cancel(self) -> None:
        """Stop looking; the listener gets nothing more. Returns at once."""
        self._is_cancelled.set()
        if self._query is not None:
            self._query.cancel()

    @property
    def is_complete(self) -> bool:
        """Whether all models have been reported."""
        return self._folders_read.is_set() and self._servers_asked.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait at most ``seconds`` for all models to be reported; returns whether they were."""
        deadline = time.monotonic() + seconds
        return self._servers_asked.wait(seconds) and self._folders_read.wait(
            max(0.0, deadline - time.monotonic())
        )

    def _tell(self, group: ModelGroup) -> None:
        if not self._is_cancelled.is_set():
            self._listener(group)

    # Folders -----------------------------------------------------------------------------------

    def _read_folders(self) -> None:
        """Report all models by name, then again with the facts from their files."""
        try:
            shelves = [self._cached(), self._used_before()]
            for shelf in shelves:
                self._tell(shelf.group(is_complete=False))
            free = free_memory_of(self._sources.device)
            files = read_model_files(self._sources.starter, self._sources.precision, free)
            self._tell(_built_in(files))
            for shelf in shelves:
                self._read_each(shelf, free)
        finally:
            self._folders_read.set()

    def _cached(self) -> _Shelf:
        folder = self._sources.hub_cache
        try:
            models = cached_models(folder)
        except OSError as error:
            return _Shelf(CACHE, note=f"{folder} cannot be read: {error.strerror}")
        return _Shelf(CACHE, [_OnDisk(each.name, each.files, each.repository) for each in models])

    def _used_before(self) -> _Shelf:
        folders = [(name, Path(name).expanduser()) for name in self._sources.folders]
        return _Shelf(USED, [_OnDisk(*each) for each in folders if os.path.isdir(each[1])])

    def _read_each(self, shelf: _Shelf, free: FreeMemory) -> None:
        reported_at = time.monotonic()
        for model in shelf.models:
            if self._is_cancelled.is_set():
                return
            model.files = read_model_files(
                model.folder, self._sources.precision, free, model.repository
            )
            if time.monotonic() - reported_at > TELL_SECONDS:
                self._tell(shelf.group(is_complete=False))
                reported_at = time.monotonic()
        self._tell(shelf.group())

    # Servers -----------------------------------------------------------------------------------

    def _ask_servers(self) -> None:
        try:
            for server in self._sources.servers:
                self._tell(_server_group(server.name, server.url, is_complete=False))
            if not self._is_cancelled.is_set():
                self._query = self._new_query()
                self._query.start()
                if self._is_cancelled.is_set():
                    self._query.cancel()
                self._query.done.wait()
        finally:
            self._servers_asked.set()

    def _new_query(self) -> ServerQuery:
        from ..engine.server.listing import ServerAddress, ServerQuery  # imports openai

        servers = self._sources.servers
        named = {_host_and_port(each.url) for each in servers}
        addresses = [ServerAddress(each.url, each.key, name=each.name) for each in servers]
        addresses += [
            ServerAddress(f"http://127.0.0.1:{port}/v1", is_named=False)
            for port in self._sources.ports
            if ("127.0.0.1", port) not in named
        ]
        return ServerQuery(addresses, self._tell_of_server)

    def _tell_of_server(self, answer: ServerAnswer) -> None:
        address = answer.address
        if not (address.is_named or answer.models or answer.wants_key):
            return  # nothing, or something else, is on a port that nobody named
        name = address.name or address.url
        models = tuple(
            ListedModel(ModelChoice(each.name, (name,)), context_length=each.context_length)
            for each in answer.models
        )
        note = answer.error or ("" if models else "it serves no model")
        if note and name != address.url:
            note = f"{name}: {note}"
        port = _host_and_port(address.url)[1]
        program = "" if address.is_named else USUAL_PORTS.get(port, "")
        self._tell(_server_group(name, address.url, models, note, program))


def listed_models(sources: ModelSources, seconds: float = 60.0) -> list[ModelGroup]:
    """List all models of ``sources``, in groups, and wait until everything is known."""
    groups: dict[str, ModelGroup] = {}

    def take(group: ModelGroup) -> None:
        groups[group.heading] = group

    listing = ModelListing(sources, take)
    listing.start()
    listing.wait(seconds)
    listing.cancel()
    return in_order(groups.values())


def in_order(groups: Iterable[ModelGroup]) -> list[ModelGroup]:
    """``groups`` in display order: local ones, named servers, other servers."""
    first = [BUILT_IN, CACHE, USED]

    def rank(group: ModelGroup) -> tuple[int, str]:
        if group.heading in first:
            return first.index(group.heading), ""
        return len(first) + ("://" in group.server[0]), group.heading.lower()

    return sorted((each for each in groups if not each.is_empty), key=rank)
