"""The models of single participants."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

Quantization = Literal["auto", "none", "4bit", "8bit"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]
Reasoning = Literal["auto", "off", "on"]
ReasoningTokens = Annotated[int, Field(ge=0, le=1_000_000)]

AUTO = "auto"
PYTHON = "python:"
"""What the name of a model begins with that is a class of the user's own."""
SERVER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
"""What a server in settings may be called."""


def _one_or_several(server: object) -> object:
    return ([server] if server else ()) if isinstance(server, str) else server


def _are_urls_or_names(server: tuple[str, ...]) -> tuple[str, ...]:
    for each in server:
        is_url = each.startswith(("http://", "https://")) and "@" not in each
        if not is_url and not SERVER_NAME.fullmatch(each):
            raise ValueError(
                "must be a URL such as http://127.0.0.1:8000/v1, without a password in it, "
                "or the name of a server in settings"
            )
    return server


Server = Annotated[
    tuple[str, ...], BeforeValidator(_one_or_several), AfterValidator(_are_urls_or_names)
]
"""URLs of servers with a model, or names of servers in settings; one may be given as text."""


class ParticipantModel(BaseModel):
    """One participant's model. Fields that are None are the setup's.

    A server without a model means the model that it serves; an empty ``server`` means a local
    model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Annotated[str, Field(min_length=1)] | None = None
    server: Server | None = None
    quantization: Quantization | None = None
    dtype: Dtype | None = None
    reasoning: Reasoning | None = None
    reasoning_effort: str | None = None
    max_reasoning_tokens: ReasoningTokens | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: object) -> object:
        return {"model": value} if isinstance(value, str) else value

    @property
    def values(self) -> dict[str, Any]:
        """The fields of the setup that this entry replaces, with its values."""
        given = {field: value for field, value in self if value is not None}
        if self.server and self.model is None:
            given["model"] = AUTO
        return given

    @property
    def stated(self) -> dict[str, Any]:
        """The entry as a file has it: only the given fields, a single server as a string."""
        given = self.model_dump(mode="json", exclude_none=True)
        if self.server is not None and len(self.server) < 2:
            given["server"] = "".join(self.server)
        return given
