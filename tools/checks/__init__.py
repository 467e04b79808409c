"""One module per failure mode. Its name is its id, its docstring its page."""
