"""What a check advises, read from its source: every form in which one is written, its holes, and every check that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.casebook import cases
from tools.handbook import CHECKS
from tools.remedies_told import remedies_told


def told(tmp_path: Path, source: str) -> tuple[tuple[str, str], ...]:
    file = tmp_path / "check.py"
    file.write_text(source, encoding="utf-8")
    return remedies_told(file)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('Remedy("Do it.", None, "It is done.", ("a/b",))', ("Do it.", "It is done.")),
        ('Remedy(text="Do it.", verify="It is done.")', ("Do it.", "It is done.")),
        ('Remedy("Do it.")', ("Do it.", "")),
        ('advise("Do it.", "It is done.", "a/b")', ("Do it.", "It is done.")),
        ('paste("Do it.", \'spec: {a: 1}\', "It is done.", "a/b")', ("Do it. Copy: `spec: {a: 1}`.", "It is done.")),
        ('Remedy(f"kubectl cordon {node}.", None, "")', ("kubectl cordon NODE.", "")),
        ('Remedy(f"In {now.subject.namespace} of `{mount[0]}`.")', ("In NAMESPACE of `MOUNT`.", "")),
        (
            'Remedy(f"Lower {changes.option(now, Key.MAX_MODEL_LEN)} (now {longest}).")',
            ("Lower --max-model-len (now N).", ""),
        ),
        (
            'Remedy(f"Where {runs[0].upper()}{runs[1:]} is old, wait{moved}. {said}")',
            ("Where ENGINE is old, wait.", ""),
        ),
        ('Remedy("Host." if many else "Device.")', ("Host.", "")),
        ('Remedy(advice or "Read the events.")', ("Read the events.", "")),
        ("Remedy(f'to \"{quota[0]}\"')", ('to "QUOTA"', "")),
        ('Remedy(f"{1 + 1} of them")', ("of them", "")),
    ],
)
def test_each_form(tmp_path: Path, written: str, said: tuple[str, str]) -> None:
    assert told(tmp_path, f"CHECK = {written}") == (said,)


def test_a_name_says_what_it_was_given_in_its_own_function(tmp_path: Path) -> None:
    source = 'VERIFY = "Gone."\ndef one():\n    text = "First."\n    return Remedy(text, None, VERIFY)\n'
    source += (
        'def two(said):\n    text = "Second."\n    return (Remedy(text), Remedy(said), Remedy(text), other("Third."))\n'
    )
    assert told(tmp_path, source) == (("First.", "Gone."), ("Second.", "")), (
        "each once, nothing for what is computed whole"
    )


def test_a_name_that_stands_for_itself_ends(tmp_path: Path) -> None:
    assert told(tmp_path, "def one():\n    text = text\n    return Remedy(text)\n") == ()


@pytest.mark.parametrize("check", list(cases()))
def test_every_check_says_what_to_do(check: str) -> None:
    steps = remedies_told(CHECKS / f"{check}.py")
    assert steps
    for text, _ in steps:
        assert len(text) > 15
        assert not re.search(r'""|\(\)|``|  | [,:]| \.(?!\.)', text), "a hole that was not filled"
