"""What saving a web page adds or destroys: chrome, teasers, flattened tables, lost headings and code blocks."""

from __future__ import annotations

import pytest

from knowledge.sources.cleaning import clean
from knowledge.sources.flattened import is_flattened
from knowledge.sources.plain_text import is_markdown, to_markdown

FLAT = [
    "EngineMemory NeedLicenceBest For",
    "AlphaServe24 GBApacheSmall teams, pilots",
    "BetaRun80 GBMITLarge models$2.10",
]


@pytest.mark.parametrize(
    "line",
    [
        "Skip to content",
        "[Skip to main content](#main)",
        "Accept all cookies",
        "We use cookies to make this site better.",
        "On this page",
        "- Edit this page on GitHub",
        "Was this page helpful? Yes No",
        "**Share this article**",
        "5 min read",
        "© 2024 Example Inc. All rights reserved.",
    ],
)
def test_site_chrome_is_left_out(line: str) -> None:
    assert clean(f"# Title\n\n{line}\n\nText.\n").text == "# Title\n\n\nText.\n"


@pytest.mark.parametrize(
    "line",
    [
        "Skip to content when the probe fails twice.",
        "We share this GPU.",
        "Previous versions of vLLM differ.",
        "Next"[:0] or "Cookies are set by the router.",
    ],
)
def test_sentences_are_no_chrome(line: str) -> None:
    assert line in clean(f"# Title\n\n{line}\n").text


def test_code_is_never_touched() -> None:
    text = "# T\n\n```\nSkip to content\n# comment\n\nEngineMemory NeedLicence\nAlphaServe24 GBApacheSmall\nBetaRun80 GBMITLarge Big\n```\n"
    assert clean(text, saved=True).text == text


def test_flattened_tables_are_left_out_and_said() -> None:
    cleaned = clean("# T\n\nBefore.\n\n" + "\n".join(FLAT) + "\n\nAfter.\n")
    assert cleaned.text == "# T\n\nBefore.\n\nAfter.\n"
    assert cleaned.tables == ("EngineMemory NeedLicenceBest For…",)


@pytest.mark.parametrize(
    "lines",
    [
        ["HorizontalPodAutoscaler", "VerticalPodAutoscaler", "PodDisruptionBudget"],
        ["PyTorch and TensorFlow run on it", "KServe and TorchServe too", "InfiniBand is not needed"],
        [
            "The HorizontalPodAutoscaler and the VerticalPodAutoscaler read",
            "a PodDisruptionBudget and a PriorityClass before",
            "the ReplicaSet is scaled.",
        ],
        ["| EngineMemory | NeedLicence |", "|---|---|", "| AlphaServe24 | GBApacheSmall |"],
        [
            "const fooBar = getElementById(barBaz);",
            "const bazQux = getComputedStyle(fooBar);",
            "return renderTo(bazQux, fooBar);",
        ],
        ["Set NCCL_DEBUG and look at dmesg", "Then restart", "Then wait"],
    ],
)
def test_other_lines_are_no_flattened_table(lines: list[str]) -> None:
    assert not is_flattened(lines)


def test_a_whole_table_in_one_line_is_flattened() -> None:
    assert is_flattened(
        ["EngineMemory NeedLicenceBest ForAlphaServe24 GBApacheSmallBetaRun80 GBMITLargeGammaBox8 GBNone"]
    )
    assert is_flattened(FLAT)


def test_teasers_at_the_end_go_and_a_section_of_that_name_stays() -> None:
    page = "# T\n\nText.\n\n## Steps\n\nDo it.\n\n## Related articles\n\n- One\n\n### Glasses that talk\n\nTeaser.\n"
    assert clean(page).text == "# T\n\nText.\n\n## Steps\n\nDo it.\n"
    early = "# T\n\n## Related articles\n\nThey matter.\n\n## Steps\n\nOne.\n\nTwo.\n\nThree.\n\nFour.\n\nFive.\n"
    assert clean(early, saved=True).text == early
    own = page.replace("### Glasses", "## Glasses")
    assert "Glasses" in clean(own).text
    assert "Glasses" not in clean(own, saved=True).text


def test_empty_headings_go_and_parents_stay() -> None:
    page = "# T\n\n## Empty\n\n## Parent\n\n### Child\n\nText.\n\n## Last\n\n---\n"
    assert clean(page).text == "# T\n\n\n## Parent\n\n### Child\n\nText.\n\n\n---\n"


def test_a_page_of_headings_alone_is_empty() -> None:
    assert clean("# A\n\n## B\n\n# C\n").text.strip() == ""


SPACED = """Skip to content

Serving On Metal

Metal is what runs the models, and this paragraph says so in a whole sentence.


Why Metal Differs

It is bound by memory. This is a sentence as well.

Sizing Rule

Two bytes for each parameter:

  • W = weights
  • K = cache

python
# sizing.py
import math

def size(n):

    return 2 * n

Batch Size And Speed

Larger is faster.
"""
DENSE = """Running Engines: A Field Guide
A guide to engines for people who have to run them every day in production.
Engine Options
Main Kinds
| Engine | Use |
|---|---|
| Alpha | Text |
Simple Start
# Start it
from alpha import Engine
engine = Engine("m")
if engine.ready():
engine.run()
Operating It
Health Checks
- liveness: restart
- readiness: no traffic
The difference between them is what happens to the pod when one of them fails for long.
Conclusion
Watch both of them, and write down what you have changed since the last week.
Related Articles
Glasses That Talk: A New Age
Some company makes glasses that talk to people in the street and at home.
"""


def test_a_spaced_save_gets_its_headings_back() -> None:
    text = to_markdown(SPACED.split("\n", 2)[2])
    headings = [line for line in text.split("\n") if line.startswith("#") and not line.startswith("# sizing")]
    assert headings == ["# Serving On Metal", "## Why Metal Differs", "### Sizing Rule", "### Batch Size And Speed"]
    assert "```python\n# sizing.py\nimport math\n\ndef size(n):\n\n    return 2 * n\n```\n" in text
    assert "- W = weights\n- K = cache" in text
    assert "Two bytes for each parameter:" in text


def test_a_dense_save_gets_its_headings_back() -> None:
    text = clean(to_markdown(DENSE), saved=True).text
    headings = [line for line in text.split("\n") if line.startswith("#") and line != "# Start it"]
    assert headings == [
        "# Running Engines: A Field Guide",
        "## Engine Options",
        "### Main Kinds",
        "### Simple Start",
        "## Operating It",
        "### Health Checks",
        "## Conclusion",
    ]
    assert (
        '```\n# Start it\nfrom alpha import Engine\nengine = Engine("m")\nif engine.ready():\nengine.run()\n```' in text
    )
    assert "Glasses" not in text
    assert "Some company" not in text
    assert "| Alpha | Text |" in text


@pytest.mark.parametrize(
    "text", ["# Title\n\nText.\n", "Intro\n\n## Part\n\nText.\n", "Text\n```\ncode\n```\n", "---\n\n## A\nText\n"]
)
def test_markdown_is_not_guessed_at(text: str) -> None:
    assert is_markdown(text)
    assert to_markdown(text) == text


def test_prose_without_any_heading_stays_prose() -> None:
    text = "We drained the node first.\nThen we cordoned it.\n\nAfter that it was quiet, and nobody called.\n"
    assert to_markdown(text).split() == text.split()


def test_large_text_is_quick() -> None:
    text = "Title Case Line\nA sentence that follows it and is somewhat longer than the line.\n" * 20_000
    assert to_markdown(text)
    assert clean("# h\n\nx\n" * 50_000).text
    assert clean("#" * 6 + " Related articles\n", saved=True).text
