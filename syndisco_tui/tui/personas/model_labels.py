"""Short labels for the models of participants, if they differ."""

from __future__ import annotations

from ...discussion import DiscussionSetup, name_key
from ...text import one_line

LONGEST_LABEL = 60


def model_labels(setup: DiscussionSetup) -> dict[str, str]:
    """The label of each participant's model, by ``name_key``; empty if all have the same.

    Servers are named if one model is on several.
    """
    own = {name: setup.with_model_of(name) for name in setup.names}
    models = {(each.model, each.server) for each in own.values()}
    if len(models) < 2:
        return {}
    names_servers = len({model for model, _ in models}) < len(models)
    return {
        name_key(name): one_line(
            model_label(each.model, each.server if names_servers else ()), LONGEST_LABEL
        )
        for name, each in own.items()
    }


def model_label(model: str, server: tuple[str, ...]) -> str:
    """A model in a few characters, such as ``qwen3:8b @127.0.0.1:11434``."""
    name = model.rstrip("/").rsplit("/", 1)[-1]
    hosts = ",".join(each.partition("://")[2].partition("/")[0] or each for each in server)
    return f"{name} @{hosts}" if hosts else name
