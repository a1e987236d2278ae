"""The engine on OpenAI-compatible servers: vLLM, SGLang, llama.cpp, Ollama, gateways, paid APIs.

The only package that imports ``openai``.
"""

from .engine import ServerEngine

__all__ = ["ServerEngine"]
