"""Forward passes of models, and how a model's fastest one is found."""
