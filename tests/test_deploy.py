"""The manifests as kubectl renders them (1.22 or newer: Kustomize 4)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.observe import KINDS
from tools.sources.kube import plural

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def rendered() -> list[dict[str, Any]]:
    assert shutil.which("kubectl"), "kubectl 1.22 or newer must be on PATH; deploy/test-peers.sh says how to get it"
    told = subprocess.run(
        ["kubectl", "kustomize", str(ROOT / "deploy" / "base")], capture_output=True, text=True, check=True
    )
    return [one for one in yaml.safe_load_all(told.stdout) if one]


def one(rendered: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    found = [item for item in rendered if item["kind"] == kind]
    assert len(found) == 1
    return found[0]


def test_it_runs_without_rights_of_its_own(rendered: list[dict[str, Any]]) -> None:
    pod = one(rendered, "Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
        assert container["image"] == "rackside:0.1.0"


def test_the_role_is_bound_and_only_reads(rendered: list[dict[str, Any]]) -> None:
    role, binding = one(rendered, "ClusterRole"), one(rendered, "ClusterRoleBinding")
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    pod = one(rendered, "Deployment")["spec"]["template"]["spec"]
    assert binding["subjects"][0]["name"] == pod["serviceAccountName"]
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}


def test_everything_that_is_listed_is_granted(rendered: list[dict[str, Any]]) -> None:
    granted = {name for rule in one(rendered, "ClusterRole")["rules"] for name in rule["resources"]}
    assert {plural(kind) for kind in KINDS} <= granted
    assert "pods/log" in granted


def test_secrets_come_by_reference_only(rendered: list[dict[str, Any]]) -> None:
    container = one(rendered, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    for variable in container["env"]:
        if "TOKEN" in variable["name"] or "SECRET" in variable["name"]:
            assert "secretKeyRef" in variable["valueFrom"]


def test_the_image_is_built_from_the_wheel_and_runs_as_a_user() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    assert "build --wheel" in text
    assert "\nUSER 10001\n" in text
    assert text.index("USER 10001") < text.index("ENTRYPOINT")
