"""Text generation. The only room that imports torch and transformers, and only when asked."""
