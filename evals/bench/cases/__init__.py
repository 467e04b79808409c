"""One module per measurement, found by name: `measure(size)` yields its rows."""
