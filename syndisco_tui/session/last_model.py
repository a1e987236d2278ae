"""The model that was loaded last, remembered from one start of the app to the next."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ..engine.base import EngineInfo, ModelSpec
from ..store.atomic import write_atomic
from ..store.inputs import InputError, read_json, validated

MOST_BYTES = 100_000
_AUTO, _STARTER = "auto", "starter"

_log = logging.getLogger(__name__)


class _Saved(BaseModel):
    """The file's content: what was asked for, and what was loaded."""

    model_config = ConfigDict(frozen=True)  # what a later version adds is passed over

    version: Literal[1]
    model: str
    quantization: str
    dtype: str
    device: str
    loaded_model: str
    loaded_name: str
    path: str
    path_reason: str
    auto_model: str


@dataclass(frozen=True)
class LastModel:
    """``spec`` is what was asked for, ``info`` what was loaded. Folders are full paths.

    ``auto_model`` is what the model ``auto`` turned out to be when it was asked for last.
    """

    spec: ModelSpec
    info: EngineInfo
    auto_model: str = ""

    def is_asked_for_by(self, spec: ModelSpec) -> bool:
        """Whether ``spec`` asks for this very model, by whatever name."""
        asked = self.auto_model if spec.model == _AUTO and self.auto_model else spec.model
        return _absolute(asked) in (self.spec.model, self.info.model) and (
            replace(spec, model="") == replace(self.spec, model="")
        )


@dataclass
class LastModelFile:
    """Keeps the last model in ``file``.

    It is no more than a convenience: that it cannot be read or written goes to the log alone.
    """

    file: Path
    _remembered: LastModel | None = field(default=None, init=False)

    def read(self) -> LastModel | None:
        """The model that was loaded last; None where nothing (readable) is remembered."""
        try:
            if not self.file.exists():
                return None
            saved = validated(_Saved, read_json(self.file, max_bytes=MOST_BYTES), self.file)
        except (InputError, OSError) as error:
            _log.info("The last model is not known: %s", error)
            return None
        return LastModel(
            ModelSpec(saved.model, saved.quantization, saved.dtype, saved.device),
            EngineInfo(
                saved.loaded_model,
                saved.loaded_name,
                path=saved.path,
                path_reason=saved.path_reason,
            ),
            saved.auto_model,
        )

    def remember(self, spec: ModelSpec, info: EngineInfo) -> None:
        """``info`` was loaded because ``spec`` was asked for."""
        spec = replace(spec, model=_absolute(spec.model))
        info = replace(info, model=_absolute(info.model))
        before = self._remembered
        if before and (before.spec, before.info) == (spec, info):
            return  # many discussions of one batch ask for the same
        if spec.model == _AUTO:
            auto_model = info.model
        else:
            before = before or self.read()
            auto_model = before.auto_model if before else ""
        self._remembered = LastModel(spec, info, auto_model)
        try:
            write_atomic(self.file, _content(self._remembered))
        except OSError as error:
            _log.info("The last model is not remembered: %s", error)


def _content(last: LastModel) -> bytes:
    spec, info = last.spec, last.info
    saved = {
        "version": 1,
        "model": spec.model,
        "quantization": spec.quantization,
        "dtype": spec.dtype,
        "device": spec.device,
        "loaded_model": info.model,
        "loaded_name": info.name,
        "path": info.path,
        "path_reason": info.path_reason,
        "auto_model": last.auto_model,
    }
    return f"{json.dumps(saved, indent=2)}\n".encode()


def _absolute(model: str) -> str:
    """The full path where ``model`` is a folder: next time it is asked for from elsewhere."""
    if model in (_AUTO, _STARTER):
        return model
    try:
        folder = Path(model).expanduser()
        return str(folder.resolve()) if folder.is_dir() else model
    except (OSError, RuntimeError, ValueError):  # no name that a folder could have
        return model
