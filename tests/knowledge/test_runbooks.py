"""An alert's runbook address finds the page that it means, or nothing."""

from __future__ import annotations

import pytest

from knowledge.pages import Pack, Page
from knowledge.runbooks import resolve_runbook, runbook_passage

PACK = Pack("user", "runbooks", "you", "yours", "medium")


def page(slug: str, path: str, title: str = "A title", text: str = "Text.\n", aliases: tuple[str, ...] = ()) -> Page:
    return Page(f"user/{slug}", PACK, title, text, path, aliases=aliases)


PAGES = [
    page(
        "rb-gpu-xid",
        "https://github.com/acme/rb/blob/0123456789abcdef0123456789abcdef01234567/gpu/xid.md",
        "Xid errors",
    ),
    page("rb-node", "https://github.com/acme/rb/blob/main/gpu/node.md", "Node of acme"),
    page("other-node", "https://github.com/other/rb/blob/main/gpu/node.md", "Node of others"),
    page("rb-vllm-restart", "runbooks/vllm/Restart.md", "Restarting vLLM", aliases=("VLLMDown",)),
    page("rb-k8s-restart", "runbooks/k8s/restart.md", "Restarting Kubernetes"),
    page("wiki-gpuout", "https://wiki.example.org/display/SRE/GPU+out", "GPU out"),
    page(
        "rb-alerts",
        "runbooks/alerts.md",
        "All alerts",
        'Opening.\n\n## KubePodCrashLooping\n\nLook.\n\n## Alert Name: "KVCacheFull"\n\nShed.\n\n## Empty\n',
    ),
    Page(
        "gpu/xid-errors",
        Pack("gpu", "GPU", "us", "Apache-2.0", "high"),
        "Xid errors of ours",
        "T.\n",
        "knowledge/packs/gpu/xid-errors.md",
    ),
]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        # By its link, whatever the branch.
        ("https://github.com/acme/rb/blob/main/gpu/xid.md", "user/rb-gpu-xid"),
        (
            "https://github.com/acme/rb/blob/0123456789abcdef0123456789abcdef01234567/gpu/xid.md#steps",
            "user/rb-gpu-xid",
        ),
        ("https://www.github.com/acme/rb/blob/v2/gpu/XID.md/", "user/rb-gpu-xid"),
        ("https://wiki.example.org/display/SRE/GPU+out", "user/wiki-gpuout"),
        ("https://wiki.example.org/display/SRE/GPU%20out?", "user/wiki-gpuout"),
        ("https://github.com/other/rb/blob/v3/gpu/node.md", "user/other-node"),
        ("https://kb.example.org/gpu/node.md", None),
        # By the path's tail, published elsewhere.
        ("https://runbooks.example.org/vllm/restart", "user/rb-vllm-restart"),
        ("https://runbooks.example.org/k8s/restart.html", "user/rb-k8s-restart"),
        ("https://git.example.org/x/-/blob/main/docs/runbooks/k8s/restart.md", "user/rb-k8s-restart"),
        # By one word: a slug, a title, another name.
        ("https://runbooks.example.org/VLLMDown", "user/rb-vllm-restart"),
        ("https://example.org/runbooks#vllmdown", "user/rb-vllm-restart"),
        ("https://example.org/xid-errors-of-ours", "gpu/xid-errors"),
        # The user's own before ours.
        ("https://example.org/kb/xid-errors", "user/rb-gpu-xid"),
        # Two pages could be meant, or none.
        ("https://runbooks.example.org/restart", None),
        ("https://runbooks.example.org/nothing-of-ours", None),
        ("https://other.example.org/acme/README.md", None),
        ("", None),
        ("not an address", None),
        ("http://[::1", None),
        ("https://example.org/" + "a" * 5000, None),
        ("https://example.org/\x00xid", None),
        ("https://example.org/blob/main/", None),
    ],
)
def test_a_runbook_address_finds_its_page(url: str, expected: str | None) -> None:
    assert resolve_runbook(url, PAGES) == expected


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ("#kubepodcrashlooping", "user/rb-alerts#kubepodcrashlooping"),
        ("#KubePodCrashLooping", "user/rb-alerts#kubepodcrashlooping"),
        ("#alert-name-kvcachefull", "user/rb-alerts#alert-name-kvcachefull"),
        ("#empty", "user/rb-alerts"),
        ("#nothing-there", "user/rb-alerts"),
        ("", "user/rb-alerts"),
    ],
)
def test_an_anchor_finds_its_passage(fragment: str, expected: str) -> None:
    assert runbook_passage(f"https://example.org/runbooks/alerts.md{fragment}", PAGES) == expected


def test_nothing_is_found_among_no_pages() -> None:
    assert resolve_runbook("https://example.org/a/b", []) is None
    assert runbook_passage("https://example.org/a/b#c", []) is None
