"""Five weekly digests on a real Prometheus: each number recomputed by a query of its own, from the store, the metrics or the objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from bot.audit_output import as_json as audit_json
from bot.digest.html import as_html
from bot.digest.output import as_json
from bot.digest.slack import messages
from bot.digest.text import as_markdown
from bot.store.readiness import DAY_S, Readiness
from evals.fleet.prometheus import Prometheus
from evals.slack_web.blocks import valid
from evals.weeks import ATTESTED, PREFIX, SAMPLES, WINDOW, Told, lived, told
from tools.prices import list_prices

IN_SQL = "case severity when 'critical' then 8 when 'high' then 4 when 'medium' then 2 else 1 end"


@dataclass(frozen=True)
class Weeks:
    found: list[Told]
    prometheus: Prometheus
    readiness: Readiness

    def sql(self, query: str, number: int) -> list[Any]:
        with self.readiness.engine.connect() as connection:
            return list(connection.execute(sa.text(query), {"run": f"{PREFIX}{number}"}))

    def value(self, query: str, number: int) -> float:
        rows = self.prometheus.query(query, self.found[number - 1].lived.monday)
        return sum(float(row["value"][1]) for row in rows)


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weeks]:
    home = tmp_path_factory.mktemp("weeks")
    with told(lived(home), home) as (found, prometheus, readiness):
        yield Weeks(found, prometheus, readiness)


def changed(one: Told, *kinds: str) -> set[str]:
    return {change.id for change in one.digest.changes if change.kind in kinds}


def test_it_is_a_fleet_within_the_budget_and_all_of_it_is_in_prometheus(weeks: Weeks) -> None:
    written = [one.lived.samples for one in weeks.found]
    assert 1_000_000 < sum(written) <= SAMPLES
    for one in weeks.found:
        rows = weeks.prometheus.query('{__name__=~".+"}[2h]', one.lived.monday)
        assert sum(len(row["values"]) for row in rows) == one.lived.samples


def test_a_baseline_an_empty_week_and_three_that_are_not(weeks: Weeks) -> None:
    digests = [one.digest for one in weeks.found]
    assert [digest.baseline for digest in digests] == [True, False, False, False, False]
    assert [digest.uneventful for digest in digests] == [False, True, False, False, False]
    assert "\n" not in as_markdown(digests[1])
    assert len(messages(digests[1])) == 1


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_the_scores_are_those_of_the_store(weeks: Weeks, number: int) -> None:
    query = (
        f"select sum({IN_SQL} * (state in ('pass', 'attested'))) * 1.0, sum({IN_SQL} * (state in ('pass', 'fail'))) * 1.0, sum({IN_SQL}), "
        "sum(state = 'fail'), sum(state = 'fail' and severity = 'critical') "
        "from audit_run_item where run = :run and state not in ('waived', 'not_applicable')"
    )
    ((held, verified, whole, failing, grave),) = weeks.sql(query, number)
    digest = weeks.found[number - 1].digest
    assert digest.now.score == pytest.approx(held / whole)
    assert digest.now.verified == pytest.approx(verified / whole)
    said = re.search(r"(\d+) items fail.*?, (\d+) critical", as_json(digest)["verdict"])
    assert said is not None
    assert (int(said[1]), int(said[2])) == (failing, grave)
    assert f"{round(100 * held / whole)} % ready" in as_json(digest)["verdict"]
    assert [point.score for point in digest.trend] == [one.digest.now.score for one in weeks.found[:number]]


@pytest.mark.parametrize("number", [2, 3, 4, 5])
def test_what_changed_is_what_differs_between_two_audits_in_the_store(weeks: Weeks, number: int) -> None:
    query = "select item, subject from audit_run_cell where run = :run and state = 'fail'"
    now, before = set(weeks.sql(query, number)), set(weeks.sql(query, number - 1))
    state = "select item, state from audit_run_item where run = :run"
    states, earlier = dict(map(tuple, weeks.sql(state, number))), dict(map(tuple, weeks.sql(state, number - 1)))  # type: ignore[arg-type]
    fails = {item for item, told_of in states.items() if told_of == "fail"}
    failed = {item for item, told_of in earlier.items() if told_of == "fail"}
    one = weeks.found[number - 1]
    assert changed(one, "new") == fails - failed
    assert changed(one, "worse") == {item for item, _ in now - before} & fails & failed
    assert changed(one, "fixed", "gone", "blind", "waived") >= failed - fails
    dark = {
        item
        for item, told_of in states.items()
        if told_of == "unknown" and earlier[item] in {"pass", "fail", "attested"}
    }
    # Of what failed, whom nobody sees any more, or on whom the check that found it has nothing to look at.
    cells = "select item, subject, state, found_by from audit_run_cell where run = :run"
    there = {(item, subject): (state, found_by) for item, subject, state, found_by in weeks.sql(cells, number)}
    for item, subject, state, found_by in weeks.sql(cells, number - 1):
        now_state, silent = there.get((item, subject), ("", ""))
        unseen = now_state == "unknown" or (now_state == "silent" and found_by in silent.split(","))
        if state == "fail" and earlier[item] == "fail" and states[item] not in {"unknown", "waived"} and unseen:
            dark.add(item)
    assert changed(one, "blind") == dark


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_the_cost_is_that_of_the_gpus_that_nodes_have(weeks: Weeks, number: int) -> None:
    lowest = {
        product: min(row.usd_per_hour / row.count for row in list_prices() if row.gpu == gpu)
        for product, gpu in (("NVIDIA-H100-80GB-HBM3", "h100-sxm"), ("NVIDIA-A100-SXM4-80GB", "a100-80gb"))
    }
    nodes = [one for one in weeks.found[number - 1].lived.objects if one["kind"] == "Node"]
    held = {
        one["metadata"]["labels"]["nvidia.com/gpu.product"]: float(one["status"]["allocatable"]["nvidia.com/gpu"])
        for one in nodes
        if "nvidia.com/gpu" in one["status"]["allocatable"]
    }
    gpus, usd = sum(held.values()), sum(count * lowest[product] for product, count in held.items())
    told_of = as_json(weeks.found[number - 1].digest)["spending"]
    assert told_of["gpus"] == gpus
    assert weeks.value('kube_node_status_allocatable{resource="nvidia_com_gpu"}', number) == gpus
    assert told_of["usd_per_hour"] == pytest.approx(usd)
    assert sum(told_of["gpu_hours"].values()) == pytest.approx(gpus, rel=0.02), (
        f"every GPU-hour of {WINDOW} is somewhere"
    )


@pytest.mark.parametrize(("number", "hours"), [(1, 0.0), (2, 0.0), (3, 1.0), (4, 1.0), (5, 0.0)])
def test_the_trial_idles_in_the_weeks_in_which_nobody_asks_it(weeks: Weeks, number: int, hours: float) -> None:
    idle = {one.workload: one.gpu_hours for one in weeks.found[number - 1].digest.spending.idle}
    assert idle.get("deployment/research/qwen-trial", 0.0) == pytest.approx(hours, abs=0.1)
    asked = weeks.value('sum(increase(vllm:request_success_total{namespace="research"}[1h]))', number)
    assert (asked == 0) == (number >= 3)


def test_the_release_of_the_third_week_is_seen_for_what_it_is(weeks: Weeks) -> None:
    third = weeks.found[2]
    deployment = next(
        one
        for one in third.lived.objects
        if one["kind"] == "Deployment" and one["metadata"]["name"] == "search-assistant"
    )
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"].endswith(":latest")
    assert "readinessProbe" not in container
    found = {
        broken["check"]
        for item in audit_json(third.report)["items"]
        for broken in item["broken"]
        if broken["subject"] == "deployment/search/search-assistant"
    }
    before = {
        broken["check"]
        for item in audit_json(weeks.found[1].report)["items"]
        for broken in item["broken"]
        if broken["subject"] == "deployment/search/search-assistant"
    }
    assert "latest_tag" in found - before
    assert any("prob" in check for check in found - before)
    subjects = {
        subject for change in third.digest.changes if change.kind in {"new", "worse"} for subject in change.subjects
    }
    assert "deployment/search/search-assistant" in subjects
    assert "deployment/chat/llama-70b-chat" not in subjects


def test_an_exporter_that_is_gone_makes_things_unseen_and_nothing_well(weeks: Weeks) -> None:
    dcgm = 'count by (Hostname) (DCGM_FI_DEV_GPU_UTIL{Hostname="node-a1"})'
    assert [weeks.value(dcgm, number) > 0 for number in (3, 4, 5)] == [True, False, True]
    fourth = weeks.found[3]
    assert changed(fourth, "blind") or any("node/node-a1" in change.subjects for change in fourth.digest.changes)
    assert fourth.digest.now.verified is not None
    unseen = fourth.digest.spending.hours.get("unseen", 0.0) - weeks.found[2].digest.spending.hours.get("unseen", 0.0)
    assert unseen > 0.5, "its free GPUs are not known to be free"


def test_what_is_gone_is_not_called_fixed(weeks: Weeks) -> None:
    fifth = weeks.found[4]
    there = {one["metadata"]["name"] for one in fifth.lived.objects if one["kind"] == "Deployment"}
    assert "qwen-trial" not in there
    for change in fifth.digest.changes:
        if change.kind in {"fixed", "better"}:
            assert set(change.subjects) != {"deployment/research/qwen-trial"}, change.id


def test_evidence_is_attested_told_before_it_ends_and_lapses(weeks: Weeks) -> None:
    states = [{item.id: item.state for item in one.kept.items}[ATTESTED] for one in weeks.found]
    assert states == ["attest", "attest", "attested", "attested", "expired"]
    assert [ATTESTED in changed(one, "attested", "lapsed") for one in weeks.found] == [False, False, True, False, True]
    assert [[ends.over for ends in one.digest.ends] for one in weeks.found] == [[], [], [False], [False], [True]]
    (mark,) = weeks.readiness.marks()
    assert mark.until == weeks.found[2].lived.monday + 12 * DAY_S


def test_three_things_each_with_an_owner_and_what_it_stands_on_costs(weeks: Weeks) -> None:
    for one in weeks.found:
        costs = {name: run.usd_per_hour for name, run in one.digest.spending.workloads.items()}
        assert len(one.digest.attention) == 3
        assert len({(each.subjects[:1], each.said) for each in one.digest.attention}) == 3, (
            "three things, not one thrice"
        )
        for each in one.digest.attention:
            assert each.owners
            wanted = [costs.get(subject) for subject in each.subjects]
            known = [usd for usd in wanted if usd is not None]
            assert each.usd_per_hour == (pytest.approx(sum(known)) if len(known) == len(wanted) else None)


def test_every_form_is_whole(weeks: Weeks) -> None:
    for one in weeks.found:
        assert json.loads(json.dumps(as_json(one.digest)))["score"] == one.digest.now.score
        page = as_html(one.digest)
        assert ("data:image/png;base64," in page) == (len(one.digest.trend) > 1)
        assert 'src="http' not in page
        for message in messages(one.digest, "s1"):
            assert all(map(valid, message.blocks))


def test_since_when_an_item_fails(weeks: Weeks) -> None:
    from bot.audit_history import streak

    (new, *_) = sorted(changed(weeks.found[2], "new"))
    past = [
        one for one in weeks.readiness.past(weeks.found[0].kept.place, new) if one.at <= weeks.found[2].lived.monday
    ]
    found = streak(past)
    assert found is not None
    assert (found.first.at, found.before and found.before.at) == (
        weeks.found[2].lived.monday,
        weeks.found[1].lived.monday,
    )
