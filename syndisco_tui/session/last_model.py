"""The model that was loaded last, remembered from one start of the app to the next."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ..engine.model import EngineInfo, ModelSpec
from ..store.atomic import write_atomic
from ..store.inputs import InputError, read_json, validated

MOST_BYTES = 100_000
MOST_FOLDERS = 12
_AUTO, _STARTER = "auto", "starter"

_log = logging.getLogger(__name__)


class _Saved(BaseModel):
    """The content of the file. Fields that a later version adds are ignored."""

    model_config = ConfigDict(frozen=True)

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
    folders: tuple[str, ...] = ()


@dataclass(frozen=True)
class LastModel:
    """``info`` was loaded for ``spec``. Folders are full paths.

    ``auto_model`` is the model that ``auto`` last stood for.
    """

    spec: ModelSpec
    info: EngineInfo
    auto_model: str = ""
    folders: tuple[str, ...] = ()
    """Folders that models were loaded from, the last one first."""

    def is_named_by(self, spec: ModelSpec) -> bool:
        """Whether ``spec`` means this model, by any of its names."""
        model = self.auto_model if spec.model == _AUTO and self.auto_model else spec.model
        has_name = _absolute(model) in (self.spec.model, self.info.model)
        return has_name and replace(spec, model="") == replace(self.spec, model="")


@dataclass
class LastModelFile:
    """Remembers the last model in ``file``. Errors go to the log: this is a convenience only."""

    file: Path
    _remembered: LastModel | None = field(default=None, init=False)

    def read(self) -> LastModel | None:
        """The model that was loaded last; None if that is unknown or cannot be read."""
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
            saved.folders,
        )

    def folders(self) -> tuple[str, ...]:
        """The folders that models were loaded from, the last one first."""
        last = self.read()
        return last.folders if last else ()

    def remember(self, spec: ModelSpec, info: EngineInfo) -> None:
        """Note that ``info`` was loaded for ``spec``."""
        spec = replace(spec, model=_absolute(spec.model))
        info = replace(info, model=_absolute(info.model))
        before = self._remembered
        if before and (before.spec, before.info) == (spec, info):
            return  # many discussions of a batch load one model
        before = before or self.read()
        if spec.model == _AUTO and not spec.server:
            auto_model = info.model
        else:
            auto_model = before.auto_model if before else ""
        folders = before.folders if before else ()
        used = (_absolute(each.model) for each in (spec, *spec.others) if not each.server)
        used_folders = (each for each in used if each.startswith("/"))
        folders = tuple(dict.fromkeys((*used_folders, *folders)))[:MOST_FOLDERS]
        self._remembered = LastModel(spec, info, auto_model, folders)
        saved = _Saved(
            version=1,
            model=spec.model,
            quantization=spec.quantization,
            dtype=spec.dtype,
            device=spec.device,
            loaded_model=info.model,
            loaded_name=info.name,
            path=info.path,
            path_reason=info.path_reason,
            auto_model=auto_model,
            folders=folders,
        )
        try:
            write_atomic(self.file, f"{saved.model_dump_json(indent=2)}\n".encode())
        except OSError as error:
            _log.info("The last model is not remembered: %s", error)


def _absolute(model: str) -> str:
    """The full path of a folder, since the next start may be in another one; or ``model``."""
    if model in (_AUTO, _STARTER):
        return model
    try:
        folder = Path(model).expanduser()
        return str(folder.resolve()) if folder.is_dir() else model
    except (OSError, RuntimeError, ValueError):  # no name that a folder could have
        return model
