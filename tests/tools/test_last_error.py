"""What a log ends with, in the forms that programs of every language print it."""

from __future__ import annotations

import pytest

from tools.last_error import last_error

WRAPPED = """INFO started
(EngineCore_0 pid=12) ERROR 11-01 10:00:00 [core.py:700] Traceback (most recent call last):
(EngineCore_0 pid=12) ERROR 11-01 10:00:00 [core.py:700]   File "a.py", line 3, in load
(EngineCore_0 pid=12) ERROR 11-01 10:00:00 [core.py:700] ValueError: There is no module named foo
Traceback (most recent call last):
  File "b.py", line 1, in <module>
RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}
"""


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (WRAPPED, "ValueError: There is no module named foo"),
        ("KeyError: 'layers.0'\nINFO closing", "KeyError: 'layers.0'"),
        ("ValueError: first\nTypeError: second", "TypeError: second"),
        ("AssertionError\n", "AssertionError"),
        ("ERROR: it is all wrong here\nValueError: x", "ValueError: x"),
        ("ValueError: x\nERROR: and now it is closed", "ValueError: x"),
        (
            "thread 'main' panicked at src/main.rs:12:5:\ncalled `unwrap()` on a `None` value\nnote: run with",
            "thread 'main' panicked at src/main.rs:12:5: called `unwrap()` on a `None` value",
        ),
        (
            "panic: runtime error: index out of range [3]\n\ngoroutine 1 [running]:",
            "panic: runtime error: index out of range [3]",
        ),
        (
            "terminate called after throwing an instance of 'c10::Error'\n  what():  Expected all tensors",
            "Expected all tensors",
        ),
        (
            "E1105 10:00:00.123456 1 model.cc:642] failed to load 'm': Internal",
            "model.cc:642] failed to load 'm': Internal",
        ),
        ("F1105 10:00:00.123456       1 main.go:10] no kubeconfig at all", "main.go:10] no kubeconfig at all"),
        ('{"level":"error","ts":1,"msg":"cannot bind","error":"in use"}', "cannot bind: in use"),
        ('{"level":"ERROR","fields":{"message":"no shard"}}', "no shard"),
        (
            "2025-11-01T10:00:00Z ERROR text_generation_launcher: the shard is gone",
            "text_generation_launcher: the shard is gone",
        ),
        ("error: unrecognized arguments: --x", "unrecognized arguments: --x"),
        (
            "RuntimeError: Engine core initialization failed. See root cause above.",
            "RuntimeError: Engine core initialization failed. See root cause above.",
        ),
        ('{"level":"fatal","msg":"x","msg2":', ""),
        ('{"level":"info","msg":"ERROR: none of this"}', ""),
        ("[1, 2]\nall well, 0 errors\nERROR 0\nERROR_COUNT=0\nterror: one two three four", ""),
        ("WARNING: this is survived, UserWarning: that too", ""),
        ("[ERROR] plugin/loop: Loop detected\n[INFO] bye", "plugin/loop: Loop detected"),
        ("2025-11-01T10:00:00Z\tERROR\tsetup\tunable to start manager", "setup unable to start manager"),
        (
            "pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig\n  Value error, the model type is new",
            "pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig Value error, the model type is new",
        ),
        ("", ""),
        ("{" * 100_000, ""),
        ("A" * 1_000_000 + "Error", ""),
    ],
)
def test_the_error_that_says_most_is_quoted(log: str, said: str) -> None:
    assert last_error(log) == said
