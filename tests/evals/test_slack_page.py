"""The thread as a page: all of our blocks, nothing that loads from elsewhere, nothing that acts."""

from __future__ import annotations

import re

from bot.blocks import blocks
from bot.mrkdwn import escape
from evals.slack_page import ThreadMessage, mrkdwn, page
from tests.bot.saturated import SATURATED


def test_every_block_that_we_emit_is_rendered() -> None:
    sent = blocks(SATURATED).blocks
    shown = page([ThreadMessage("Rackside", "03:12", sent, app=True)])
    assert 'class="unknown"' not in shown
    assert shown.count("<section>") == sum(block["type"] == "section" for block in sent)
    assert shown.count("<aside>") == sum(len(block["elements"]) for block in sent if block["type"] == "context")
    assert SATURATED.headlines[0].title.split("'")[0] in shown


def test_an_unknown_block_is_shown_as_such() -> None:
    assert "a block of type carousel&lt;" in page([ThreadMessage("x", "1", [{"type": "carousel<"}])])


def test_nothing_is_loaded_and_nothing_acts() -> None:
    hostile = '<script>alert(1)</script> <img src=x onerror=1> "quoted" `<b>` *<i>x</i>*'
    shown = page(
        [ThreadMessage(hostile, hostile, [{"type": "section", "text": {"type": "mrkdwn", "text": hostile}}], hostile)],
        hostile,
    )
    body = shown.split("</style>", 1)[1]
    assert "<script" not in body
    assert "<img" not in body
    assert "<i>x" not in body.replace("<b><i>x", "")
    assert not re.search(r'(?:src|href)="(?!https?://)', body)
    assert "<link" not in shown


def test_markup_of_slack() -> None:
    assert mrkdwn("*bold* `code` _soft_") == "<b>bold</b> <code>code</code> <i>soft</i>"
    assert mrkdwn("&gt; a\n&gt; b") == "<blockquote>a</blockquote><blockquote>b</blockquote>"
    assert mrkdwn("<https://x.example/a?b=1&amp;c=2|page>") == '<a href="https://x.example/a?b=1&amp;c=2">page</a>'
    assert mrkdwn("```\n*x*\n```") == "<pre>*x*</pre>"
    assert mrkdwn("kv_cache_usage a * b") == "kv_cache_usage a * b"


def test_what_slack_would_show_as_words_is_no_link() -> None:
    told = escape("<https://evil.example|your bank>")
    assert mrkdwn(told) == "&lt;https://evil.example|your bank&gt;"
    assert "<a " not in page([ThreadMessage("on-call", "1", text="<https://evil.example|your bank>")])
    assert mrkdwn('<https://x.example/"onclick="x|a>') == '<a href="https://x.example/&quot;onclick=&quot;x">a</a>'
    assert mrkdwn("<javascript:alert(1)|a>") == "&lt;javascript:alert(1)|a&gt;"
