"""The picture of an answer's evidence, shared in its thread once: its file name carries the key by which it is found again."""

from __future__ import annotations

import logging
from urllib.request import Request, urlopen

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.advisor.question import Answer
from bot.slack_thread import UNREACHABLE, trouble
from bot.store.answers import Answers
from bot.store.records import Letter

log = logging.getLogger("rackside.slack")

METHODS: dict[str, str] = {
    "files_getUploadURLExternal": "files:write",
    "files_completeUploadExternal": "files:write",
}
_TITLE, _ALT = 200, 900


class Pictures:
    """Draws and shares. What goes wrong is only logged: the answer is there without it."""

    def __init__(self, token: str, api_url: str, answers: Answers) -> None:
        """Talk to the Web API under `api_url`."""
        self._client = WebClient(token=token, base_url=api_url, timeout=20, retry_handlers=[])
        self._answers = answers

    def share(self, letter: Letter) -> None:
        """Share the picture of the first headline that has a history, where the answer to an ask has one."""
        kept = self._answers.of(letter.ask.key)
        answer = kept.answer if kept is not None else None
        root = letter.ask.thread_ts or letter.answer_ts
        if kept is None or answer is None or not root:
            return
        name = f"evidence-{letter.effect}.png"
        try:
            if not any(one.key in answer.traces for one in answer.headlines) or self._there(
                letter.ask.channel, root, name
            ):
                return
            title, alt, content = _drawn(answer, kept.made_at)
            begun = self._client.files_getUploadURLExternal(filename=name, length=len(content), alt_txt=alt)
            with urlopen(Request(str(begun["upload_url"]), content), timeout=20) as response:  # noqa: S310 - Slack's own address
                response.read()
            self._client.files_completeUploadExternal(
                files=[{"id": str(begun["file_id"]), "title": title}], channel_id=letter.ask.channel, thread_ts=root
            )
        except UNREACHABLE as error:
            reason = trouble(error).reason if isinstance(error, SlackApiError) else type(error).__name__
            log.info("no picture was shared for %s (%s)", letter.ask.key, reason)

    def _there(self, channel: str, root: str, name: str) -> bool:
        cursor = ""
        while True:
            page = self._client.conversations_replies(channel=channel, ts=root, limit=200, cursor=cursor)
            for message in page.get("messages") or ():
                if any(one.get("name") == name for one in message.get("files") or ()):
                    return True
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return False


def _drawn(answer: Answer, now: float) -> tuple[str, str, bytes]:
    from bot.chart import png, text_of

    finding = next(one for one in answer.headlines if one.key in answer.traces)
    title = " ".join(f"{finding.title} {finding.subject}".split())[:_TITLE]
    return title, text_of(finding)[:_ALT], png(finding, answer.traces[finding.key], now)
