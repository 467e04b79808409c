"""The conversations of evals/slack_conversations.py, over Socket Mode and over signed HTTP; each transport is told apart in the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from evals.slack_conversations import CONVERSATIONS, TRANSPORTS, Talk, held, hold


@pytest.fixture(scope="module", params=TRANSPORTS)
def talk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talk]:
    with held(request.param, tmp_path_factory.mktemp("home")) as one:
        yield one


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda one: one.__name__)
def test_conversation(talk: Talk, conversation: Callable[[Talk], None]) -> None:
    hold(talk, conversation)
    assert talk.asked, "nothing reached the advisor"
