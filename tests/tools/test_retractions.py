"""What SGLang's log tells of requests that it takes back: by the log's own clock, each once although every rank prints it."""

from __future__ import annotations

import pytest

from tools.log_lines import read
from tools.vocabulary.retractions import LOG_RETRACTED, counted, told

OLD = "[2026-11-03 17:{:02d}:{:02d}{}] Decode out of memory happened. #retracted_reqs: {}, #new_token_ratio: 0.1460 -> 0.2397"
NEW = "[2026-11-03 17:{:02d}:{:02d}{}] KV cache pool is full. Retract requests. #retracted_reqs: {}, #new_tokens_gained: 646"
BATCH = "[2026-11-03 17:{:02d}:00{}] Decode batch. #running-req: 88, #token: 388146, token usage: 0.99"


@pytest.mark.parametrize("form", [OLD, NEW])
def test_each_is_counted_once_though_every_rank_prints_it(form: str) -> None:
    log = [BATCH.format(0, " TP0")]
    log += [form.format(minute, 30, f" TP{rank}", 2) for minute in (1, 2, 3) for rank in (0, 1)]
    said = counted("\n".join([*log, BATCH.format(5, " TP0")]))
    assert told(said) == (6, 3, 300.0)
    assert said.endswith(form.format(3, 30, " TP1", 2)[:160])


def test_data_parallel_ranks_take_back_each_their_own() -> None:
    log = [OLD.format(1, 30, f" DP{rank} TP{rank}", 1 + rank) for rank in (0, 1)]
    assert told(counted("\n".join([*log, BATCH.format(3, " DP0 TP0")]))) == (3, 2, 90.0)


def test_only_the_last_ten_minutes_of_the_log_count() -> None:
    log = "\n".join([OLD.format(1, 0, "", 9), OLD.format(30, 0, "", 1), BATCH.format(35, "")])
    assert told(counted(log)) == (1, 1, 600.0)
    assert counted("\n".join([OLD.format(1, 0, "", 9), BATCH.format(35, "")])) == ""


def test_what_is_no_such_line() -> None:
    assert counted("") == ""
    assert counted("Decode out of memory happened. #retracted_reqs: 2, without a clock") == ""
    assert counted("[2026-13-41 17:00:00] Decode out of memory happened. #retracted_reqs: 2") == ""
    assert counted("[2026-11-03 17:00:00] torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB") == ""
    assert told("9 requests finished") is None
    assert counted("[" * 100_000 + "\n" + "2026" * 50_000) == ""


def test_the_log_as_a_whole_tells_how_many_there_were() -> None:
    log = "\n".join([OLD.format(1, 0, " TP0", 2), BATCH.format(4, " TP0")])
    assert told(read(log)[LOG_RETRACTED]) == (2, 1, 180.0)
    assert read(BATCH.format(4, " TP0"))[LOG_RETRACTED] == ""
