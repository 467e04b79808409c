"""The incidents written by hand are whole, are what promtool accepts, keep real systems' quirks, and give nothing away."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from evals.built import Built, build, kept_under
from evals.fleet.folder import Incident, read_incident, read_metrics
from evals.fleet.prometheus import CannotRunError, import_history
from knowledge.home import default_home
from tools.reading import Subject
from tools.topology import CLUSTER

FOLDERS = sorted(path.parent for path in (Path(__file__).parents[2] / "evals" / "incidents").glob("*/metrics.om.gz"))
CHECKS = {path.stem for path in (Path(__file__).parents[2] / "tools" / "checks").glob("[a-z]*.py")}
SAMPLES = 60_000
TELLING = re.compile(
    r"(?i)(?<!de)fault|broken|oom|throttl|saturat|skew|xid|crash|hot\b|idle|leak|starv|kv-|bug|fail|standby"
)
STAMPED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6,9}Z ")
QUIRKS = [
    r"DCGM_FI_DEV_FB_USED\{.*exported_pod=",
    r"DCGM_FI_DEV_FB_USED\{(?!.*exported_pod).*namespace=\"(?!gpu-operator)",
    r"DCGM_FI_DEV_FB_USED\{.*[{,]hostname=",
    r"DCGM_FI_DEV_FB_USED\{.*[{,]Hostname=",
    r"DCGM_FI_PROF_GR_ENGINE_ACTIVE\{.*GPU_I_ID=",
    r"vllm:gpu_cache_usage_perc\{.*engine=",
    r"vllm:kv_cache_usage_perc\{.*prometheus_replica=",
    r"te_queue_size\{",
    r"nvidia_smi_gpu_info\{(?!.*[{,](?:node|pod|Hostname)=)",
    r"kube_horizontalpodautoscaler_spec_target_metric\{.*metric_name=\"vllm_num_requests_waiting\"",
]

each = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


@functools.cache
def manifests(folder: Path) -> list[dict[str, Any]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    texts = [file.read_text(encoding="utf-8") for file in sorted((folder / "objects").glob("*.yaml"))]
    return [item for text in texts for item in yaml.load_all(text, Loader=loader)]


def told(folder: Path) -> Incident:
    return read_incident(folder)


def of_kind(folder: Path, kind: str) -> list[dict[str, Any]]:
    return [item for item in manifests(folder) if item["kind"] == kind]


def top_owner(folder: Path, item: dict[str, Any]) -> str:
    kind, namespace, name = item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]
    for above in item["metadata"].get("ownerReferences", ()):
        if not above["apiVersion"].startswith(("apps/", "batch/")):
            return f"{above['kind'].lower()}/{namespace}/{above['name']}"  # objects of operators are not listed
        (parent,) = [
            other
            for other in of_kind(folder, above["kind"])
            if (other["metadata"]["namespace"], other["metadata"]["name"]) == (namespace, above["name"])
        ]
        assert parent["metadata"]["uid"] == above["uid"]
        return top_owner(folder, parent)
    return f"{kind.lower()}/{namespace}/{name}"


def subjects(folder: Path) -> set[str]:
    found = {top_owner(folder, pod) for pod in of_kind(folder, "Pod")}
    found |= {top_owner(folder, item) for kind in ("Deployment", "StatefulSet") for item in of_kind(folder, kind)}
    for node in of_kind(folder, "Node"):
        name, gpus = node["metadata"]["name"], int(node["status"]["capacity"].get("nvidia.com/gpu", 0))
        found |= {f"node/{name}", *(f"gpu/{name}/{index}" for index in range(gpus))}
    return found


def test_there_are_five_and_two_of_them_hold_no_fault() -> None:
    assert len(FOLDERS) >= 5
    assert sum(not told(folder).expected for folder in FOLDERS) >= 2
    assert any(len(told(folder).expected) == 2 for folder in FOLDERS)
    assert not [folder.name for folder in FOLDERS if (folder / "fleet.yaml").exists()]


@dataclass(frozen=True)
class Metrics:
    """What the tests want to know of an incident's metrics: they are large, and read once."""

    times: int
    first: int
    last: int
    gpus: bool
    quirks: frozenset[str]


@functools.cache
def looked_at(folder: Path) -> Metrics:
    text = read_metrics(folder)
    rows = [line.rsplit(" ", 2) for line in text.splitlines() if line[:1] != "#"]
    times = [int(row[2]) for row in rows if len(row) == 3 and row[0].endswith('"}')]
    series = "\n".join({row[0] for row in rows})
    quirks = frozenset(quirk for quirk in QUIRKS if re.search(rf"(?m)^{quirk}", series))
    return Metrics(
        len(times),
        min(times),
        max(times),
        any(name in text for name in ("DCGM", "nvidia_smi_", "gpu_memory_total_MiB")),
        quirks,
    )


@pytest.fixture(scope="session")
def kept() -> Iterator[Path]:
    """Where builds are kept: the history that promtool made of an incident is the one that its question is asked of."""
    with kept_under(default_home()) as there:
        yield there


@each
def test_promtool_accepts_the_metrics(folder: Path, kept: Path) -> None:
    # Kept is only what promtool took, under a key over the evidence.
    assert list(Built(build(folder, kept)).blocks.glob("*/meta.json"))


def test_promtool_refuses_metrics_that_end_early(tmp_path: Path) -> None:
    text = read_metrics(FOLDERS[0])
    (tmp_path / "cut.om").write_text(text[: len(text) // 3], encoding="utf-8")
    with pytest.raises(CannotRunError, match=r"cut\.om"):
        import_history([tmp_path / "cut.om"], tmp_path / "data")


@each
def test_the_metrics_cover_the_hour_before_the_question_and_nothing_after_it(folder: Path) -> None:
    metrics = looked_at(folder)
    at = told(folder).at
    assert 2_500 < metrics.times < SAMPLES
    assert at - 2 * 3600 <= metrics.first <= at - 3600
    assert at - 60 <= metrics.last <= at


@each
def test_manifests_are_whole_and_unique(folder: Path) -> None:
    seen = set()
    for item in manifests(folder):
        meta = item["metadata"]
        assert item["apiVersion"]
        assert meta["uid"]
        assert meta["creationTimestamp"]
        key = (item["kind"], meta.get("namespace"), meta["name"])
        assert key not in seen
        seen.add(key)
    namespaces = {item["metadata"]["name"] for item in of_kind(folder, "Namespace")}
    assert {
        item["metadata"]["namespace"] for item in manifests(folder) if "namespace" in item["metadata"]
    } <= namespaces
    nodes = {item["metadata"]["name"] for item in of_kind(folder, "Node")}
    assert {pod["spec"]["nodeName"] for pod in of_kind(folder, "Pod") if "nodeName" in pod["spec"]} <= nodes


@each
def test_logs_belong_to_containers_that_ran(folder: Path) -> None:
    pods = {(pod["metadata"]["namespace"], pod["metadata"]["name"]): pod for pod in of_kind(folder, "Pod")}
    files = sorted(folder.glob("logs/*/*/*.log"))
    # What happened to the node took the logs with it.
    assert files or folder.name in {"tree-house", "wash-basin"}
    for file in files:
        pod = pods[file.parent.parent.name, file.parent.name]
        name = file.name.removesuffix(".log")
        statuses = [*pod["status"]["containerStatuses"], *pod["status"].get("initContainerStatuses", ())]
        (status,) = [s for s in statuses if s["name"] == name.removesuffix(".previous")]
        assert "terminated" in status["lastState"] if name.endswith(".previous") else "running" in status["state"]
        lines = file.read_text(encoding="utf-8").splitlines()
        assert lines
        assert all(STAMPED.match(line) for line in lines)
        stamps = [line.split(" ", 1)[0] for line in lines]
        assert stamps == sorted(stamps)


@each
def test_what_is_expected_exists_and_is_not_forbidden(folder: Path) -> None:
    incident = told(folder)
    ids = {expected.id for expected in incident.expected}
    assert set(incident.forbidden) <= CHECKS
    # What is expected may be a failure mode that is not there yet; its id is written like one.
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", one) for one in ids)
    assert not ids & set(incident.forbidden)
    for expected in incident.expected:
        assert str(Subject.parse(expected.subject)) == expected.subject
        assert expected.subject == str(CLUSTER) or expected.subject in subjects(folder)


@each
def test_nothing_is_given_away_by_a_name(folder: Path) -> None:
    names = [folder.name]
    for item in manifests(folder):
        if item["kind"] not in {"Event", "Node", "DaemonSet"}:
            names += [item["metadata"]["name"], *map(str, item["metadata"].get("labels", {}).values())]
    assert not [name for name in names if TELLING.search(name)]


@pytest.mark.parametrize("quirk", QUIRKS)
def test_a_quirk_of_real_systems_is_in_one_of_them(quirk: str) -> None:
    assert any(quirk in looked_at(folder).quirks for folder in FOLDERS)


def test_one_has_no_gpu_metrics_at_all_and_says_that_this_must_be_named() -> None:
    blind = [
        f
        for f in FOLDERS
        if not looked_at(f).gpus
        and any(int(node["status"]["capacity"].get("nvidia.com/gpu", 0)) for node in of_kind(f, "Node"))
    ]
    assert [told(folder).blind for folder in blind] == [("GPU",)]


def test_one_has_pods_of_more_than_one_container() -> None:
    assert any(len(pod["spec"]["containers"]) > 1 for folder in FOLDERS for pod in of_kind(folder, "Pod"))
