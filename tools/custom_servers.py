"""Serving software of one's own: settings say which of its series carry which signal, and it is read like any known engine.

A mapping names, for each server, a series that every healthy replica always exports (`anchor`), the images that it is told by, and
under `series` a signal (`llm.requests_waiting`) with its metric, the scale that makes it the signal's unit, and label matchers.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tools.inventory import built_in
from tools.series import Series, Source
from tools.signals import Kind, Per, Signal

ORDER = 5  # before the known engines: whoever maps a fork of one knows better than its image
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,199}")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,99}")
_MATCHER = r'[a-zA-Z_][a-zA-Z0-9_]*\s*(?:=~|!~|!=|=)\s*"(?:[^"\\\n]|\\.)*"'
_MATCH = re.compile(rf"{_MATCHER}(?:\s*,\s*{_MATCHER})*")
_SERVER_KEYS = ("title", "images", "anchor", "labels", "match", "port", "series")
_SERIES_KEYS = ("metric", "scale", "match")
_PARTS = ("_bucket", "_sum", "_count")


class CustomServerError(ValueError):
    """A mapping cannot be used; the message says all that is wrong with it at once."""


def mappable() -> dict[str, Signal]:
    """The signals that a server of one's own may carry: what a known engine tells of a replica by a series as it is."""
    plain = {
        signal.name: signal
        for source in built_in()
        if source.serving
        for signal, series in source.signals.items()
        if signal.per is Per.REPLICA and signal.kind is not Kind.FACT and any(not one.expr for one in series)
    }
    return dict(sorted(plain.items()))


def read(told: object) -> tuple[Source, ...]:
    """The sources of a mapping from settings; raises CustomServerError naming everything that is wrong."""
    wrong: list[str] = []
    made: list[Source] = []
    if not isinstance(told, Mapping):
        raise CustomServerError("servers: write a mapping of names to servers")
    taken = {source.name for source in built_in()}
    for name, server in told.items():
        where = f"servers.{str(name)[:80]}"
        if not (isinstance(name, str) and _NAME.fullmatch(name)):
            wrong.append(f"{where}: a name is lower-case letters, digits, - and _, and begins with a letter")
        elif name in taken:
            wrong.append(f"{where}: Rackside knows a {name} itself; give yours another name")
        elif not isinstance(server, Mapping):
            wrong.append(f"{where}: write a mapping with {', '.join(_SERVER_KEYS)}")
        else:
            made.append(_server(name, server, where, wrong))
    if wrong:
        raise CustomServerError("; ".join(wrong))
    return tuple(made)


def _server(name: str, server: Mapping[Any, Any], where: str, wrong: list[str]) -> Source:
    wrong += _unknown(server, _SERVER_KEYS, where)
    labels = server.get("labels") or {}
    if not isinstance(labels, Mapping) or set(labels) - {"namespace", "pod"}:
        wrong.append(f"{where}.labels: may say `namespace` and `pod`, the labels that hold them")
        labels = {}
    keys = tuple(str(labels.get(key, key)) for key in ("namespace", "pod"))
    wrong += [f"{where}.labels: {key[:80]!r} is no label's name" for key in keys if not _LABEL.fullmatch(key)]
    images = server.get("images") or ()
    if not isinstance(images, list | tuple) or not all(isinstance(one, str) and len(one) > 2 for one in images):
        wrong.append(f"{where}.images: write a list of parts of image names, three characters or more each")
        images = ()
    port = server.get("port", 0)
    if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port < 65536:
        wrong.append(f"{where}.port: {str(port)[:80]!r} is no port")
        port = 0
    return Source(
        name=name,
        title=_text(server.get("title"), name),
        per=Per.REPLICA,
        anchor=(_metric(server.get("anchor"), f"{where}.anchor", wrong),),
        keys=keys,
        signals=dict(_signals(server.get("series"), f"{where}.series", wrong)),
        images=tuple(one.lower() for one in images),
        match=_match(server.get("match"), f"{where}.match", wrong),
        serving=True,
        order=ORDER,
        port=port,
    )


def _signals(told: object, where: str, wrong: list[str]) -> Iterator[tuple[Signal, tuple[Series, ...]]]:
    if not isinstance(told, Mapping) or not told:
        wrong.append(f"{where}: name at least one signal with its metric")
        return
    known = mappable()
    for name, one in told.items():
        here = f"{where}.{str(name)[:80]}"
        signal = known.get(str(name))
        if signal is None:
            near = difflib.get_close_matches(str(name), known, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"
            wrong.append(f"{here}: no such signal of a serving engine{hint}")
        elif not isinstance(one, Mapping):
            wrong.append(f"{here}: write a mapping with {', '.join(_SERIES_KEYS)}")
        else:
            wrong += _unknown(one, _SERIES_KEYS, here)
            metric = _metric(one.get("metric"), f"{here}.metric", wrong)
            if signal.kind is Kind.HISTOGRAM and metric.endswith(_PARTS):
                wrong.append(f"{here}.metric: {metric} is a part of a histogram; name it without {' or '.join(_PARTS)}")
            scale = _scale(one.get("scale", 1.0), f"{here}.scale", wrong)
            yield signal, (Series(metric, scale=scale, match=_match(one.get("match"), f"{here}.match", wrong)),)


def _unknown(told: Mapping[Any, Any], known: tuple[str, ...], where: str) -> list[str]:
    return [f"{where}: {str(key)[:80]!r} is not among {', '.join(known)}" for key in told if key not in known]


def _metric(told: object, where: str, wrong: list[str]) -> str:
    if isinstance(told, str) and _METRIC.fullmatch(told):
        return told
    wrong.append(
        f"{where}: {'missing; name a metric' if told is None else f'{str(told)[:80]!r} is no name of a metric'}"
    )
    return "none"


def _scale(told: object, where: str, wrong: list[str]) -> float:
    if isinstance(told, int | float) and not isinstance(told, bool) and math.isfinite(told) and told > 0:
        return float(told)
    wrong.append(
        f"{where}: {str(told)[:80]!r} is no factor; write a number above 0, such as 0.01 from percent to a ratio"
    )
    return 1.0


def _match(told: object, where: str, wrong: list[str]) -> str:
    if told in (None, ""):
        return ""
    if isinstance(told, str) and _MATCH.fullmatch(told.strip()):
        return told.strip()
    wrong.append(f'{where}: {str(told)[:80]!r} is no label matcher; write them as in PromQL: tier="gpu", shard!="0"')
    return ""


def _text(told: object, otherwise: str) -> str:
    text = " ".join("".join(c if c.isprintable() else " " for c in str(told or "")).split())[:60]
    return text or otherwise
