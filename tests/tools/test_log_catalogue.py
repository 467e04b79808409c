"""The catalogue of printed lines: every line is told by its own signal and by no other, whatever stands around it."""

from __future__ import annotations

import time

import pytest

from tools.catalogue import printed
from tools.log_lines import LINES, matches, read
from tools.signals import LOG_LAST_ERROR
from tools.vocabulary import log_signals

ALL = printed.lines()


PROJECTS = sorted({line.project for line in ALL})


def test_there_are_lines_of_every_project_that_has_a_file() -> None:
    assert len(list(printed.FOLDER.glob("*.toml"))) <= len(ALL)
    assert len({line.says for line in ALL}) == len(ALL), "a line stands in the catalogue twice"


@pytest.mark.parametrize("project", PROJECTS)
def test_each_line_is_told_by_its_signal_alone(project: str) -> None:
    """Within other text of its line, between lines that say nothing."""
    wrong = {}
    for line in ALL:
        if line.project == project:
            log = f"started\n(Worker pid=7) ERROR [a.py:1] {line.example}\nended"
            told = {signal.name for signal, text in matches(log).items() if text}
            if told != {line.means}:
                wrong[line.says] = told
    assert wrong == {}


@pytest.mark.parametrize("project", PROJECTS)
def test_each_line_says_enough_to_be_that_line(project: str) -> None:
    for line in ALL:
        if line.project == project:
            assert line.means in log_signals(), f"{line.says}: no such signal"
            assert len("".join(line.literals).strip()) >= 15, f"{line.says}: too little to tell it by"
            assert len(line.anchor.strip()) >= 6, line.says
            assert "\n" not in line.says
            assert line.where, line.says
            assert line.read_at, line.says


@pytest.mark.parametrize(
    "before", ["WARNING 02-09 10:17:08 [utils.py:266] ", "W0209 10:17:08.1 1 main.cc:4] ", "a.py:3: UserWarning: "]
)
def test_what_was_tried_and_went_on_without_is_no_refusal(before: str) -> None:
    """An engine warns of a limit and quotes the error that may come of it; the same words as an error end it."""
    refusals = [line for line in ALL if line.means in {"log.os_limits", "log.library_missing", "log.config_refused"}]
    assert len(refusals) > 10
    for line in refusals:
        signal = log_signals()[line.means]
        assert matches(before + line.example)[signal] == "", line.says
        assert matches(f"ERROR {line.example}\n{before}x")[signal], line.says


def test_what_is_looked_for_is_all_that_a_log_can_prove() -> None:
    assert set(log_signals().values()) == set(LINES) == set(read("")) == {*matches(""), LOG_LAST_ERROR}


@pytest.mark.parametrize(
    ("says", "told", "untold"),
    [
        (
            "cannot load `{}` from {w} here",
            "x cannot load `a b` from s3://m here y",
            "cannot load `a b` from s3 m here",
        ),
        ("needs {n} GPUs, has {n}", "it needs 1,024 GPUs, has 8", "it needs many GPUs, has 8"),
        ("failed with {'code': {n}}", "failed with {'code': 7}", "failed with {'code': x}"),
        ("a+b (c) [d]", "a+b (c) [d]", "aab c d"),
    ],
)
def test_holes_hold_what_they_say(says: str, told: str, untold: str) -> None:
    line = printed.Printed("p", "v", "log.x", says, "w")
    assert line.pattern.search(told)
    assert not line.pattern.search(untold)
    assert line.pattern.search(line.example)


def test_a_hostile_line_takes_no_time() -> None:
    line = printed.Printed("p", "v", "log.x", "aaa{}aaa{}aaa{w}aaa{n}b", "w")
    started = time.process_time()
    assert not line.pattern.search("a" * 20_000)
    assert time.process_time() - started < 5


def test_a_file_that_lacks_a_key_is_told() -> None:
    with pytest.raises(KeyError):
        printed.read('project = "p"\nread_at = "v"\n[[line]]\nsays = "x"\n')
    with pytest.raises(ValueError, match="line 1"):
        printed.read("project =\n")
