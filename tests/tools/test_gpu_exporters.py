"""GPUs seen through nvidia_gpu_exporter and nvitop-exporter: the same signals, in the same units, and whose they are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.gpu_worlds import UUID
from tests.tools.worlds import START, World, hpa, listings, node, pod
from tools.casebook import asks
from tools.diagnose import diagnose
from tools.gpu_owners import gpus_from
from tools.inventory import sources
from tools.measure import Identity, key_of
from tools.reading import Blind, Reason, Subject
from tools.series import Labels
from tools.signals import (
    GPU_MEM_USED,
    GPU_POWER,
    GPU_UTIL,
    NODE_EXPORTER_UP,
    NODE_GPUS_REPORTING,
    XID_BEFORE,
    XID_LAST,
)
from tools.snapshot import Snapshot
from tools.sources.kube_fake import FakeKube
from tools.sources.prom import PromSource
from tools.survey import survey
from tools.topology import Gpu, Pod, Topology
from tools.vocabulary.autoscaling import HPA_WANTED
from tools.vocabulary.gpu_clocks import BRAKE, CAPPED, HEAT, SET_LOW
from tools.vocabulary.gpu_health import CLOCK_REASONS, ECC_DOUBLE, GPU_TEMPERATURE, REMAP_PENDING, SM_CLOCK
from tools.vocabulary.gpu_reporting import HEARD_AGO, MOVES

Worlds = dict[str, World]
FIRST, SECOND = f"GPU-{UUID.format(0)}", f"GPU-{UUID.format(1)}"
APP = "app-6c8d9f7b5-aaaaa"


@pytest.fixture
def smi(prom: PromSource, worlds_by_name: Worlds) -> Snapshot:
    now = worlds_by_name["nvidia_smi"].at
    exporter = pod("smi-x1", namespace="gpu-system", owner=("DaemonSet", "smi"), gpus=0, image="smi", now=now)
    app = pod(APP, gpus=2, now=now)
    # One of its GPUs had an Xid within the hour.
    logs = {("team", APP, "engine", False): ""}
    return survey(prom, FakeKube(listings(pods=[exporter, app], nodes=[node("n1", 2)]), logs), asks(), now)


@pytest.mark.parametrize(
    ("ask", "first", "second"),
    [
        (GPU_UTIL.avg("10m"), 0.97, 0.0),
        (GPU_UTIL.max("1h"), 0.97, 0.0),
        (GPU_MEM_USED.now, 70e9, 70e9),
        (SM_CLOCK.avg("10m"), 1200.0, 1200.0),
        (CLOCK_REASONS.now, 64.0, 1.0),
        (ECC_DOUBLE.max("1h"), 0.0, 0.0),
        (REMAP_PENDING.now, 0.0, 1.0),
        (XID_LAST.max("1h"), 79.0, 0.0),
        (XID_LAST.changes("1h"), 1.0, 0.0),
        (XID_BEFORE.now, 43.0, 0.0),
    ],
)
def test_what_nvidia_gpu_exporter_tells_is_in_our_units(smi: Snapshot, ask: Any, first: float, second: float) -> None:
    assert (smi.read(ask, FIRST).value, smi.read(ask, SECOND).value) == (pytest.approx(first), pytest.approx(second))


def test_when_each_exporter_last_heard_from_the_driver_is_told_of_the_gpus_of_its_host(
    smi: Snapshot, prom: PromSource, worlds_by_name: Worlds
) -> None:
    assert [smi.read(HEARD_AGO.now, one).value for one in (FIRST, SECOND)] == [12, 12]
    plain = survey(prom, Blind(Reason.NOT_SET, "no cluster"), asks(), worlds_by_name["plain_smi"].at)
    assert [plain.read(HEARD_AGO.now, one).value for one in (FIRST, SECOND)] == [9, 900]
    stale = [one for one in diagnose(plain).findings if one.id == "stale_metrics"]
    assert [one.subject for one in stale] == ["node/edge-2"]
    assert any("nvidia_smi_last_collect_success_timestamp_seconds > 300" in one.text for one in stale[0].remedies)


def test_a_gpu_that_was_seen_for_an_hour_moves_where_anything_that_is_told_of_it_does(
    smi: Snapshot, prom: PromSource, worlds_by_name: Worlds
) -> None:
    moves = [smi.read(MOVES.now, one).value for one in (FIRST, SECOND)]
    assert isinstance(moves[0], float)
    assert moves[0] > 50
    assert moves[1] == 0
    plain = survey(prom, Blind(Reason.NOT_SET, "no cluster"), asks(), worlds_by_name["plain_smi"].at)
    assert plain.read(MOVES.now, FIRST).value is None


def test_its_gpus_lie_where_it_runs_and_belong_to_the_pod_that_takes_them_all(smi: Snapshot) -> None:
    told = {key: (gpu.node, gpu.index, gpu.model, gpu.pod) for key, gpu in smi.topology.gpus.items()}
    assert told == {
        FIRST: ("n1", "0", "NVIDIA H100", f"team/{APP}"),
        SECOND: ("n1", "1", "NVIDIA H100", f"team/{APP}"),
    }
    assert smi.read(NODE_GPUS_REPORTING.now, "n1").value == 2


def test_checks_of_gpus_are_decided_with_it(smi: Snapshot) -> None:
    found = {(one.id, one.subject) for one in diagnose(smi).findings}
    assert {("xid_critical", "gpu/n1/0"), ("thermal_throttle", "gpu/n1/0"), ("row_remap_pending", "gpu/n1/1")} <= found
    assert not {pair for pair in found if pair[0] == "xid_critical" and pair[1] != "gpu/n1/0"}


def test_three_exporters_of_one_gpu_are_one_gpu(prom: PromSource, worlds_by_name: Worlds) -> None:
    now = worlds_by_name["side_by_side"].at
    taken = survey(prom, Blind(Reason.NOT_SET, "no cluster"), asks(), now)
    assert set(taken.topology.gpus) == {FIRST, "GPU-cut/1", "GPU-cut/2"}
    assert taken.topology.gpus[FIRST].pod == "team/app-0"
    assert taken.read(NODE_GPUS_REPORTING.now, "n1").value == 3
    # dcgm-exporter is preferred, the others tell what it does not.
    assert taken.read(GPU_UTIL.avg("10m"), FIRST).value == pytest.approx(0.5)
    assert taken.read(GPU_TEMPERATURE.now, FIRST).value == 54


def test_what_nvitop_tells_is_in_our_units_and_what_it_cannot_tell_is_blind(
    prom: PromSource, worlds_by_name: Worlds
) -> None:
    taken = survey(prom, Blind(Reason.NOT_SET, "no cluster"), asks(), worlds_by_name["nvitop"].at)
    (gpu,) = taken.topology.gpus.values()
    assert (gpu.key, gpu.node, gpu.index, gpu.model, gpu.pod) == ("GPU-t", "n1", "3", "NVIDIA A10", None)
    assert taken.read(GPU_UTIL.avg("10m"), "GPU-t").value == pytest.approx(0.42)
    assert taken.read(GPU_MEM_USED.now, "GPU-t").value == 2**30
    assert taken.read(GPU_POWER.avg("10m"), "GPU-t").value == 88
    clock = taken.read(SM_CLOCK.avg("10m"), "GPU-t").blind
    assert clock is not None
    assert clock.detail == "the value is not a number"
    reasons = taken.read(CLOCK_REASONS.now, "GPU-t").blind
    assert reasons is not None
    assert reasons.reason is Reason.NO_SERIES


@pytest.mark.parametrize("kubernetes", [True, False], ids=["by its objects", "by kube-state-metrics"])
def test_an_exporter_scraped_by_an_address_reports_of_the_node_that_has_it(
    prom: PromSource, worlds_by_name: Worlds, kubernetes: bool
) -> None:
    now = worlds_by_name["plain_smi"].at
    nodes = [node(f"edge-{i}", 1) for i in (1, 2)]
    for i, one in enumerate(nodes, 1):
        one["status"]["addresses"] = [{"type": "InternalIP", "address": f"10.0.0.{i}"}]
    cluster = FakeKube(listings(nodes=nodes)) if kubernetes else Blind(Reason.NOT_SET, "no cluster")
    taken = survey(prom, cluster, asks(), now)
    assert sorted(str(gpu.subject) for gpu in taken.topology.gpus.values()) == ["gpu/edge-1/0", "gpu/edge-2/0"]
    assert taken.topology.nodes == ("edge-1", "edge-2")
    assert [taken.read(NODE_GPUS_REPORTING.now, f"edge-{i}").value for i in (1, 2)] == [1, 1]
    assert [taken.read(NODE_EXPORTER_UP.now, f"edge-{i}").value for i in (1, 2)] == [1, 1]
    assert not [one for one in diagnose(taken).findings if one.id == "exporter_down"]


def test_an_autoscaler_is_read_where_the_metric_that_introduces_it_was_dropped(
    prom: PromSource, worlds_by_name: Worlds
) -> None:
    cluster = FakeKube(listings(horizontalpodautoscalers=[hpa("app")]))
    taken = survey(prom, cluster, asks(), worlds_by_name["plain_smi"].at)
    assert taken.read(HPA_WANTED.max("1h"), "deployment/team/app").value == 5
    assert taken.read(HPA_WANTED.min("1h"), "deployment/team/app").value == 2


def test_each_reason_for_a_low_clock_is_read_by_itself_where_the_mask_is_not_told(
    prom: PromSource, worlds_by_name: Worlds
) -> None:
    taken = survey(prom, Blind(Reason.NOT_SET, "no cluster"), asks(), worlds_by_name["plain_smi"].at)
    shares = {
        signal: [taken.read(signal.avg("10m"), f"GPU-{UUID.format(i)}").value for i in (0, 1)]
        for signal in (HEAT, BRAKE, CAPPED)
    }
    assert shares == {HEAT: [pytest.approx(0.5, abs=0.06), 0], BRAKE: [1, 0], CAPPED: [0, 1]}
    assert taken.read(SET_LOW.avg("10m"), f"GPU-{UUID.format(0)}").blind is not None


# ------------------------------------------------------------------ who holds a GPU that nobody's labels tell


def known(pods: list[Pod], gpus: int = 2) -> dict[str, Gpu]:
    source = next(one for one in sources() if one.name == "nvidia_gpu_exporter")
    rows = {f"GPU-{i}": {"uuid": str(i), "index": str(i), "node": "n1"} for i in range(gpus)}
    identity = Identity(source, Labels(("uuid",)), rows, dict.fromkeys(rows, START), exported=False)
    return gpus_from([identity], {one.key: one for one in pods})


def held(pods: list[Pod]) -> set[str | None]:
    return {gpu.pod for gpu in known(pods).values()}


def whose(pods: list[Pod], gpus: int = 2) -> set[str | None]:
    return {gpu.workload and str(gpu.workload) for gpu in known(pods, gpus).values()}


def holder(name: str, gpus: float, phase: str = "Running", at: str = "n1", of: str = "") -> Pod:
    return Pod("team", name, at, Subject("deployment", "team", of or name), phase, True, gpus)


def test_a_pod_that_requests_every_gpu_of_its_node_holds_them() -> None:
    assert held([holder("a", 2), holder("web", 0), holder("b", 2, at="n2"), holder("done", 2, "Succeeded")]) == {
        "team/a"
    }


@pytest.mark.parametrize(
    "pods",
    [
        [],
        [holder("a", 1)],
        [holder("a", 1), holder("b", 1)],
        [holder("a", 2), holder("b", 2)],
        [holder("a", 3)],
        [holder("a", 2, at="")],
    ],
    ids=["nobody", "half", "two pods", "two that want all", "more than there are", "not placed"],
)
def test_else_nobody_is_said_to_hold_them(pods: list[Pod]) -> None:
    assert held(pods) == {None}


def test_the_gpus_of_a_node_that_one_workload_takes_up_are_that_workloads() -> None:
    pods = [holder("a-1", 1, of="a"), holder("a-2", 1, of="a"), holder("web", 0), holder("done", 1, "Failed")]
    assert held(pods) == {None}
    assert whose(pods) == {"deployment/team/a"}


@pytest.mark.parametrize(
    ("pods", "gpus"),
    [
        ([holder("a-1", 1, of="a"), holder("b-1", 1, of="b")], 2),
        ([holder("a-1", 1, of="a"), holder("a-2", 1, of="a")], 3),
        ([holder("a-1", 2, of="a"), holder("a-2", 1, of="a")], 2),
        ([holder("a-1", 1, of="a"), holder("a-2", 1, of="a", at="n2")], 2),
        ([holder("a-1", 1, of="a", at=""), holder("a-2", 1, of="a", at="")], 2),
        ([holder("a-1", 2, of="a")], 2),
    ],
    ids=["two workloads", "one is free", "more than there are", "on two nodes", "not placed", "its pod is known"],
)
def test_else_no_workload_is_said_to_have_them(pods: list[Pod], gpus: int) -> None:
    assert whose(pods, gpus) == {None}


def test_gpus_of_a_workload_are_found_from_it_and_lead_to_it() -> None:
    app = Subject("deployment", "team", "a")
    pods = [holder("a-1", 1, of="a"), holder("a-2", 1, of="a"), holder("a-3", 1, of="a", at="n2")]
    gpus = known(pods) | {"GPU-9": Gpu("GPU-9", "n2", "0", "", None)}
    found = Topology({one.key: one for one in pods}, gpus, ("n1", "n2"))
    assert found.gpus_of(app) == ("GPU-0", "GPU-1")
    assert found.workloads_of(Subject("gpu", "", "n1/0")) == {app}
    # Which pod has which is not told, and the third pod's GPU may be the one that nobody is known to hold.
    assert found.gpus_of(pods[0].subject) == ()
    assert found.missing_gpus(pods[0].subject) == (1, ("GPU-0", "GPU-1"))
    assert found.missing_gpus(app) == (1, ("GPU-9",))


def test_a_workload_whose_gpus_cannot_be_told_apart_is_told_why(prom: PromSource, worlds_by_name: Worlds) -> None:
    now = worlds_by_name["nvidia_smi"].at
    pods = [pod(f"{name}-6c8d9f7b5-aaaaa", owner=("ReplicaSet", f"{name}-6c8d9f7b5"), now=now) for name in ("a", "b")]
    exporter = pod("smi-x1", namespace="gpu-system", owner=("DaemonSet", "smi"), gpus=0, image="smi", now=now)
    taken = survey(prom, FakeKube(listings(pods=[*pods, exporter], nodes=[node("n1", 2)])), asks(), now)
    assert {gpu.pod for gpu in taken.topology.gpus.values()} == {None}
    blind = [spot.why for spot in diagnose(taken).blind if "nobody tells who holds 2 GPUs of its nodes" in spot.why]
    assert blind


def test_a_key_is_completed_once() -> None:
    assert key_of({"uuid": "a"}, ("uuid",), "GPU-") == "GPU-a"
    assert key_of({"uuid": "GPU-a"}, ("uuid",), "GPU-") == "GPU-a"
    assert key_of({"uuid": ""}, ("uuid",), "GPU-") is None
