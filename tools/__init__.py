"""Read-only diagnosis of GPU and LLM-inference infrastructure: signals, sources, checks, causes."""
