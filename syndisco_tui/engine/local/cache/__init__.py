"""The KV cache: its tensors, and which sequence has which slot of them."""
