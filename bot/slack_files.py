"""What is shared in the thread of an answer beside it, each once: the picture of its evidence, and its whole text where the message cut it.

In the thread of a digest: the picture of its trend.

A file's name carries the key by which it is found again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from urllib.request import Request, urlopen

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.advisor.question import Answer
from bot.slack_clients import Clients, Tokens
from bot.slack_thread import UNREACHABLE, trouble
from bot.store.answers import Answers
from bot.store.readiness import Readiness
from bot.store.records import Letter
from bot.whole_answer import whole

log = logging.getLogger("rackside.slack")

METHODS: dict[str, str] = {
    "files_getUploadURLExternal": "files:write",
    "files_completeUploadExternal": "files:write",
}
_TITLE, _ALT = 200, 900
WHOLE = "The whole answer"
# Title, words for who cannot see it, kind of snippet, content.
File = tuple[str, str | None, str | None, bytes]


class Attachments:
    """Makes and shares. What goes wrong is only logged: the answer is there without it."""

    def __init__(self, token: str | Tokens, api_url: str, answers: Answers) -> None:
        """Talk to the Web API under `api_url`, with one token or each workspace's own."""
        self._clients = Clients(token, api_url, 20)
        self._answers = answers

    def share(self, letter: Letter, *, cut: bool = False) -> None:
        """Share the picture of the first headline that has a history, and the whole text where its message was `cut`; of a digest its trend."""
        if letter.ask.kind == "digest":
            self._share(letter, letter.answer_ts, self._of_digest(letter))
            return
        kept = self._answers.of(letter.ask.key)
        answer = kept.answer if kept is not None else None
        root = letter.ask.thread_ts or letter.answer_ts
        if kept is None or answer is None or not root:
            return
        made_at = kept.made_at
        files: dict[str, Callable[[], File]] = {}
        if any(one.key in answer.traces for one in answer.headlines):
            files[f"evidence-{letter.effect}.png"] = lambda: _drawn(answer, made_at)
        if cut:
            files[f"answer-{letter.effect}.md"] = lambda: (WHOLE, None, "markdown", whole(answer).encode())
        self._share(letter, root, files)

    def _of_digest(self, letter: Letter) -> dict[str, Callable[[], File]]:
        from bot.digest.picture import digest_of, drawable, picture

        found = digest_of(Readiness(self._answers.engine), letter.ask)
        if found is None or not drawable(found):
            return {}

        def drawn() -> File:
            title, said, content = picture(found)
            return title[:_TITLE], said[:_ALT], None, content

        return {f"digest-{letter.effect}.png": drawn}

    def _share(self, letter: Letter, root: str, files: Mapping[str, Callable[[], File]]) -> None:
        for name, make in files.items():
            try:
                client = self._clients.of(letter.ask.team)
                if not _there(client, letter.ask.channel, root, name):
                    _upload(client, letter.ask.channel, root, name, make())
            except UNREACHABLE as error:
                reason = trouble(error).reason if isinstance(error, SlackApiError) else type(error).__name__
                log.info("%s was not shared for %s (%s)", name, letter.ask.key, reason)


def _upload(client: WebClient, channel: str, root: str, name: str, file: File) -> None:
    title, alt, snippet, content = file
    begun = client.files_getUploadURLExternal(filename=name, length=len(content), alt_txt=alt, snippet_type=snippet)
    with urlopen(Request(str(begun["upload_url"]), content), timeout=20) as response:  # noqa: S310 - Slack's own address
        response.read()
    client.files_completeUploadExternal(
        files=[{"id": str(begun["file_id"]), "title": title}], channel_id=channel, thread_ts=root
    )


def _there(client: WebClient, channel: str, root: str, name: str) -> bool:
    cursor = ""
    while True:
        page = client.conversations_replies(channel=channel, ts=root, limit=200, cursor=cursor)
        for message in page.get("messages") or ():
            if any(one.get("name") == name for one in message.get("files") or ()):
                return True
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return False


def _drawn(answer: Answer, now: float) -> File:
    from bot.chart import png, text_of

    finding = next(one for one in answer.headlines if one.key in answer.traces)
    title = " ".join(f"{finding.title} {finding.subject}".split())[:_TITLE]
    return title, text_of(finding)[:_ALT], None, png(finding, answer.traces[finding.key], now)
