"""Text generation: the protocol (``base``) and the engine that runs models in this process."""
