"""Which model to load, and what is known of a loaded one."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

ReasoningField = Literal["on", "off", "effort"]


@dataclass(frozen=True)
class ModelSpec:
    """Which model to load, and how."""

    model: str = "auto"
    """``auto``, ``starter``, an id of the Hugging Face hub, or a folder."""
    quantization: str = "auto"
    """``auto``, ``none``, ``4bit`` or ``8bit``."""
    dtype: str = "auto"
    """``auto``, ``float32``, ``bfloat16`` or ``float16``."""
    device: str = "auto"
    """``auto``, ``cpu``, ``cuda`` or ``cuda:N``."""
    server: tuple[str, ...] = ()
    """URLs of OpenAI-compatible servers with the model; none: it runs in this process."""
    others: tuple[ModelSpec, ...] = ()
    """Further models to load beside it."""

    @property
    def short_name(self) -> str:
        """The model's name without folders, organisation or server."""
        if self.server and self.model == "auto":
            return self.server[0].partition("://")[2] or self.server[0]
        return self.model.rstrip("/").rsplit("/", 1)[-1]


@dataclass(frozen=True)
class EngineInfo:
    """The loaded model, for the status line and the record."""

    model: str
    """The ``model`` of a ModelSpec that loads it again."""
    name: str = ""
    """What to call it in a publication."""
    revision: str = ""
    device: str = ""
    processor: str = ""
    """If the device is the CPU; other processors round float32 products differently."""
    dtype: str = ""
    quantization: str = "none"
    path: str = ""
    """How tokens are generated, fastest first: ``slots``, ``batch`` or ``generate``.

    ``slots``: many discussions at once, with cached prefixes. ``batch``: many at once in one
    left-padded batch, without cached prefixes. ``generate``: one discussion at a time. Elsewhere:
    ``server``, or ``class`` for one of the user's own.
    """
    path_reason: str = ""
    """Why the model is on no faster path, in a few words; empty on the fastest."""
    exact: bool = False
    """Whether a request gives the same tokens alone, in any batch and after a resume."""
    context_length: int = 0
    """How many tokens prompt and reply can have together."""
    reasoning: tuple[ReasoningField, ...] | None = None
    """What can be said of its reasoning: to reason (``on``), not to, and how much. None where
    only trying shows it."""
    memory_bytes: int = 0
    """Of the weights."""
    versions: dict[str, str] = field(default_factory=dict)
    server: str = ""
    """The URL of the model's server, without credentials."""
    fingerprint: str = ""
    """The server's name for its configuration."""
    left_out: tuple[str, ...] = ()
    """Parameters that the server refused and that are not sent any more."""
    server_facts: tuple[str, ...] = ()
    """What was found out about the server, in a few words each."""
    unusable: tuple[str, ...] = ()
    """Why some of several servers are left out, a sentence each."""

    @property
    def without_news(self) -> EngineInfo:
        """The info without what is learned about a server while it replies."""
        return replace(self, fingerprint="", left_out=(), server_facts=())

    @property
    def where(self) -> str:
        """Where the model runs, in a few words: its server, or the device."""
        return self.server or self.device

    def as_dict(self) -> dict[str, Any]:
        """What a discussion's file records of the model."""
        facts = asdict(self)
        del facts["context_length"], facts["memory_bytes"], facts["unusable"]
        if self.reasoning is None:
            del facts["reasoning"]
        else:
            facts["reasoning"] = list(self.reasoning)
        if self.server:
            facts["left_out"] = list(self.left_out)
            facts["server_facts"] = list(self.server_facts)
        else:
            del facts["server"], facts["fingerprint"], facts["left_out"], facts["server_facts"]
        return facts
