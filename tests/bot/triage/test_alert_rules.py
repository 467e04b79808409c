"""The alert rules that we ship: valid, each tried, each with a runbook that Rackside finds, each with labels that it can place."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from knowledge.home import PACKS
from knowledge.pages import load_shelf
from knowledge.runbooks import resolve_runbook

FOLDER = Path(__file__).parents[3] / "deploy" / "alerts"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "rules.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]


@pytest.mark.parametrize("command", [["check", "rules", "rules.yaml"], ["test", "rules", "tests.yaml"]])
def test_promtool_is_content(command: list[str]) -> None:
    promtool = shutil.which("promtool")
    assert promtool, "promtool is missing: run make setup"
    done = subprocess.run([promtool, *command], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_is_tried_both_ways() -> None:
    tests = yaml.safe_load((FOLDER / "tests.yaml").read_text(encoding="utf-8"))["tests"]
    quiet = {one["alertname"] for test in tests for one in test.get("alert_rule_test", ()) if not one["exp_alerts"]}
    fires = set(re.findall(r'alertname="(\w+)"', repr([test.get("promql_expr_test") for test in tests])))
    assert {rule["alert"] for rule in RULES} == quiet == fires
    assert len(RULES) >= 15


def test_every_runbook_is_a_page_of_ours() -> None:
    pages = load_shelf(PACKS).pages
    for rule in RULES:
        url = rule["annotations"]["runbook_url"]
        assert resolve_runbook(url, pages) == f"failure-modes/{url.rsplit('/', 1)[-1].removesuffix('.md')}", rule[
            "alert"
        ]
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert "$labels." in rule["annotations"]["summary"], rule["alert"]
