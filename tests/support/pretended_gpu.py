"""A pretended GPU in ordinary memory, on which code for CUDA runs and breaking its rules raises.

Its tensors say that they are on ``cuda:0``. It refuses what a GPU refuses: operands on two
devices, and waiting for the device or reading host memory while a graph is captured. It delays
what a GPU delays: a capture changes nothing, non-blocking copies to the host arrive when their
event is waited for, and intermediate results of a graph are overwritten after it. Numbers are
those of the CPU, so it shows nothing of speed, of kernels or of rounding on a GPU.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.weak import WeakIdKeyDictionary
from transformers import PreTrainedModel

from syndisco_tui.engine.local import LocalEngine

GPU, HOST = torch.device("cuda:0"), torch.device("cpu")
NAME = "Pretended GPU"
# The host knows these without waiting for the device.
KNOWN = {
    "shape", "dtype", "layout", "ndim", "dim", "size", "stride", "numel", "nelement", "__len__",
    "element_size", "itemsize", "nbytes", "data_ptr", "storage_offset", "is_contiguous",
    "is_floating_point", "is_complex", "requires_grad", "__hash__",
}  # fmt: skip
# The host waits for the result.
WAITED_FOR = {
    "item", "tolist", "__bool__", "__int__", "__float__", "__index__", "nonzero", "numpy", "equal",
    "allclose", "masked_select", "unique",
}  # fmt: skip
FROM_HOST = {"tensor", "as_tensor"}  # they read the host's memory
INDEXING = {"__getitem__", "__setitem__"}


class CudaError(RuntimeError):
    """What a GPU would refuse."""


class OnGpu(Tensor):
    """A tensor on the pretended device; its numbers are in ``on_host``."""

    on_host: Tensor

    @staticmethod
    def __new__(cls, on_host: Tensor) -> OnGpu:
        result: OnGpu = torch.Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, on_host.shape, strides=on_host.stride(), dtype=on_host.dtype, device=GPU
        )
        result.on_host = on_host
        return result

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _machines[-1].run(func, args, kwargs or {})

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise CudaError(f"{func} went past the pretended device")


@dataclass(eq=False)
class Graph:
    """Captured operations, replayed in the same memory."""

    replays: int = 0
    _operations: list[tuple[Any, Any, Any, list[Tensor]]] = field(default_factory=list)
    _own: list[Tensor] = field(default_factory=list)

    def note(self, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        """Record an operation. Memory of its results that it was not given is the graph's own."""
        given, results = {_address(t) for t in _tensors((args, kwargs))}, _tensors(result)
        self._operations.append((func, args, kwargs, results))
        self._own += [t for t in results if _address(t) not in given]

    def replay(self) -> None:
        self.replays += 1
        for func, args, kwargs, results in self._operations:
            for old, new in zip(results, _tensors(func(*args, **kwargs)), strict=True):
                if old.data_ptr() != new.data_ptr():
                    old.copy_(new)
        self.spoil()

    def spoil(self) -> None:
        """Overwrite intermediate results, whose memory other graphs use as well."""
        for tensor in self._own:
            _spoil(tensor)


class Machine(TorchFunctionMode):
    """The pretended device. ``refuses``: whether capture number n fails (the first is 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.graphs: list[Graph] = []
        self.recordings = 0
        self.refuses: Callable[[int], bool] = lambda number: False
        self.late: list[tuple[Tensor, Tensor]] = []
        """Copies to the host in flight: target and content."""
        self._recording: Graph | None = None
        self._before: dict[int, tuple[Tensor, Tensor]] = {}
        self._pinned = WeakIdKeyDictionary()

    @property
    def replays(self) -> int:
        return sum(graph.replays for graph in self.graphs)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.run(func, args, kwargs or {})

    def run(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        name, inputs = _name(func), _inputs((args, kwargs))
        is_ours = any(isinstance(x, OnGpu) for x in inputs)
        asked = next(filter(None, map(_device, inputs)), HOST)
        if not is_ours and asked.type != GPU.type:
            return self._run_on_host(func, name, args, kwargs)
        if name in ("device", "is_cuda", "is_cpu", "is_meta", "is_quantized", "is_pinned"):
            return {"device": GPU, "is_cuda": True}.get(name, False)
        if name in KNOWN:
            return func(*tree_map(_on_host, args), **kwargs)
        if name == "copy_":
            return self._copy(*args, **kwargs)
        if name in ("to", "cuda", "cpu"):
            return self._move(name, args, kwargs)
        if name in WAITED_FOR or name in FROM_HOST:
            self._refuse_while_recording(name)
        if is_ours:
            self._refuse_strangers(name, inputs)
        return self._compute(func, name, args, kwargs)

    def record(self, graph: Graph) -> None:
        assert self._recording is None
        self.recordings += 1
        self._recording, self._before = graph, {}

    def recorded(self, *, failed: bool) -> None:
        """End a capture, and undo what its operations changed."""
        assert self._recording is not None
        graph, self._recording = self._recording, None
        for whole, content in self._before.values():
            whole.copy_(content)
        graph.spoil()
        if not failed:
            self.graphs.append(graph)

    def arrive(self, count: int) -> None:
        """The first ``count`` copies to the host arrive."""
        for target, content in self.late[:count]:
            target.copy_(content)
        del self.late[:count]

    def _run_on_host(self, func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
        if name == "is_pinned":
            return args[0] in self._pinned
        pinned = name == "pin_memory" or kwargs.pop("pin_memory", False)
        result = args[0].clone() if name == "pin_memory" else func(*args, **kwargs)
        if pinned:
            self._pinned[result] = True
        return result

    def _compute(self, func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
        known = {id(x.on_host): x for x in _inputs((args, kwargs)) if isinstance(x, OnGpu)}
        args, kwargs = tree_map(_on_host, (args, kwargs))
        if self._recording is not None:
            self._keep_what_changes(name, args)
        result = func(*args, **kwargs)
        if self._recording is not None:
            self._recording.note(func, args, kwargs, result)

        def on_gpu(x: Any) -> Any:
            if not isinstance(x, Tensor):
                return x
            return known[id(x)] if id(x) in known else OnGpu(x)

        return tree_map(on_gpu, result)

    def _refuse_while_recording(self, name: str) -> None:
        if self._recording is not None:
            raise CudaError(f"operation not permitted when stream is capturing: {name}")

    def _refuse_strangers(self, name: str, inputs: list[Any]) -> None:
        tensors = [x for x in inputs if isinstance(x, Tensor)]
        if name in INDEXING and any(x.dtype == torch.bool for x in tensors[1:]):
            self._refuse_while_recording(name)  # how many are true is not known yet
        if all(isinstance(x, OnGpu) for x in tensors):
            return
        if name not in INDEXING:
            raise CudaError(f"Expected all tensors to be on the same device: {name}")
        self._refuse_while_recording(name)  # indices on the host are sent first

    def _move(self, name: str, args: Any, kwargs: dict[str, Any]) -> Tensor:
        tensor: Tensor = args[0]
        rest = [*args[1:], *kwargs.values()]
        asked = [_device(x) or (x.device if isinstance(x, Tensor) else None) for x in rest]
        named = {"cuda": GPU, "cpu": HOST}.get(name)
        target = named or next(filter(None, asked), tensor.device)
        dtype = next((x for x in rest if isinstance(x, torch.dtype)), tensor.dtype)
        if target.type == tensor.device.type:
            if dtype == tensor.dtype:
                return tensor
            converted: Tensor = self._compute(Tensor.to, "to", (tensor, dtype), {})
            return converted
        self._refuse_while_recording(name)
        if target.type == HOST.type and kwargs.get("non_blocking"):
            raise CudaError("the host would read a copy that has not arrived")
        moved: Tensor = _on_host(tensor).to(dtype, copy=True)
        return moved if target.type == HOST.type else OnGpu(moved)

    def _copy(self, target: Tensor, source: Tensor, non_blocking: bool = False) -> Tensor:
        if isinstance(target, OnGpu) and isinstance(source, OnGpu):
            result: Tensor = self._compute(Tensor.copy_, "copy_", (target, source), {})
            return result
        self._refuse_while_recording("copy_")
        if non_blocking and target in self._pinned:
            self.late.append((target, _on_host(source).clone()))
            _spoil(target)
        else:
            _on_host(target).copy_(_on_host(source))
        return target

    def _keep_what_changes(self, name: str, args: Any) -> None:
        if name != "__setitem__" and (not name.endswith("_") or name.endswith("__")):
            return
        key = _address(args[0])
        if key not in self._before:
            whole = torch.empty(0, dtype=args[0].dtype).set_(args[0].untyped_storage())
            self._before[key] = whole, whole.clone()


_machines: list[Machine] = []


class _Stream:
    def wait_stream(self, other: _Stream) -> None: ...


class _Event:
    """After ``synchronize``, copies that began before ``record`` have arrived."""

    def record(self) -> None:
        late = _machines[-1].late
        self._last = late[-1][0] if late else None

    def synchronize(self) -> None:
        machine = _machines[-1]
        ends = [n for n, (target, _) in enumerate(machine.late, 1) if target is self._last]
        machine.arrive(max(ends, default=0))


@contextlib.contextmanager
def _graph(graph: Graph, **options: Any) -> Iterator[None]:
    machine, failed = _machines[-1], True
    machine.record(graph)
    try:
        yield
        if machine.refuses(machine.recordings):
            raise CudaError("operation not permitted when stream is capturing")
        failed = False
    finally:
        machine.recorded(failed=failed)


@contextlib.contextmanager
def pretended_gpu(monkeypatch: pytest.MonkeyPatch, free: int = 1 << 30) -> Iterator[Machine]:
    """A GPU with ``free`` bytes, for what runs within, on this thread and on engines' threads."""
    machine, stream = Machine(), _Stream()
    cuda: dict[str, Any] = {
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "get_device_name": lambda device: NAME,
        "mem_get_info": lambda device: (free, free),
        "set_device": lambda device: None,
        "synchronize": lambda: machine.arrive(len(machine.late)),
        "empty_cache": lambda: None,
        "Event": _Event,
        "Stream": _Stream,
        "current_stream": lambda: stream,
        "set_stream": lambda stream: None,
        "stream": lambda stream: contextlib.nullcontext(),
        "CUDAGraph": Graph,
        "graph": _graph,
        "graph_pool_handle": lambda: (0, 1),
    }
    serve, read = LocalEngine._serve, PreTrainedModel.from_pretrained.__func__

    def serve_with_gpu(engine: LocalEngine) -> None:
        with machine:
            serve(engine)

    def read_to_gpu(kind: Any, *args: Any, device_map: Any = None, **options: Any) -> Any:
        result = read(kind, *args, **options)
        if device_map:
            sent(result[0])
        return result

    with monkeypatch.context() as patched:
        for name, replacement in cuda.items():
            patched.setattr(torch.cuda, name, replacement)
        patched.setattr(LocalEngine, "_serve", serve_with_gpu)
        patched.setattr(PreTrainedModel, "from_pretrained", classmethod(read_to_gpu))
        _machines.append(machine)
        try:
            with machine:
                yield machine
        finally:
            _machines.pop()


def sent(model: Any) -> Any:
    """Move the weights of ``model`` to the pretended device; tied ones stay tied."""
    on_gpu: dict[int, OnGpu] = {}
    for module in model.modules():
        for tensors in (module._parameters, module._buffers):
            for name, tensor in tensors.items():
                if tensor is not None:
                    on_gpu.setdefault(id(tensor), OnGpu(tensor.detach().clone()))
                    tensors[name] = on_gpu[id(tensor)]
    return model


def _name(func: Any) -> str:
    name: str = getattr(func, "__name__", str(func))
    return func.__self__.__name__ if name in ("__get__", "__set__") else name


def _inputs(tree: Any) -> list[Any]:
    leaves = tree_leaves(tree)
    slices = [leaf for leaf in leaves if isinstance(leaf, slice)]
    return leaves + [end for cut in slices for end in (cut.start, cut.stop, cut.step)]


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _on_host(x: Any) -> Any:
    if isinstance(x, OnGpu):
        return x.on_host
    return x if _device(x) is None else HOST


def _device(x: Any) -> torch.device | None:
    if isinstance(x, torch.device):
        return x
    is_name = isinstance(x, str) and x.partition(":")[0] in ("cuda", "cpu")
    return torch.device(x) if is_name else None


def _address(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _spoil(tensor: Tensor) -> None:
    if tensor.is_floating_point():
        tensor.fill_(torch.nan)
    elif tensor.dtype != torch.bool:
        tensor.fill_(torch.iinfo(tensor.dtype).max)
