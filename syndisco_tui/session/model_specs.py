"""The models that a setup needs, as specs for the engine."""

from __future__ import annotations

from dataclasses import replace

from ..discussion import DiscussionSetup
from ..engine.model import ModelSpec


def model_spec(setup: DiscussionSetup, device: str) -> ModelSpec:
    """The models to load for ``setup``, with the setup's own as the main one.

    If nobody uses the setup's own, it is not loaded, and the first participant's is the main one.
    ``device`` does not matter to a model on a server.
    """
    own = _spec(setup, device)
    needed = dict.fromkeys(participant_spec(setup, name, device) for name in setup.names)
    main = own if own in needed or not needed else next(iter(needed))
    return replace(main, others=tuple(each for each in needed if each != main))


def participant_spec(setup: DiscussionSetup, name: str, device: str) -> ModelSpec:
    """The model of the participant called ``name``."""
    return _spec(setup.with_model_of(name), device)


def all_specs(setup: DiscussionSetup) -> frozenset[ModelSpec]:
    """The models of ``setup``, regardless of the device of local ones."""
    spec = model_spec(setup, "")
    return frozenset((replace(spec, others=()), *spec.others))


def local_specs(setup: DiscussionSetup) -> frozenset[ModelSpec]:
    """The local models of ``setup``."""
    return frozenset(each for each in all_specs(setup) if not each.server)


def _spec(setup: DiscussionSetup, device: str) -> ModelSpec:
    if setup.server:
        return ModelSpec(setup.model, server=setup.server)
    return ModelSpec(setup.model, setup.quantization, setup.dtype, device)
