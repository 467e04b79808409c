"""Ray Serve's LLM applications: the `llm_configs` of a RayService's serveConfigV2, whose engine_kwargs are the engine's own names.

The pods of a RayService run Ray; what serves in them stands in the RayService. A config that is only named by its path is in the
image and is not read. Ray's image tells Ray's version, so no default of the engine is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tools.engines import sglang, vllm
from tools.engines.options import Engine, from_file, parse_file
from tools.engines.setting import Configuration, Key, Origin, Setting

WHERE = "serveConfigV2"
_ENGINES: Mapping[str, Engine] = {"vllm": vllm.ENGINE, "sglang": sglang.ENGINE}


def configurations(serve_config: object) -> dict[str, Configuration]:
    """The configuration of each model by its id; empty where the text holds none that can be read."""
    parsed = parse_file(serve_config) if isinstance(serve_config, str) else serve_config
    found: dict[str, Configuration] = {}
    for raw in _configs(parsed):
        loading, given = raw.get("model_loading_config"), raw.get("engine_kwargs")
        loading = loading if isinstance(loading, Mapping) else {}
        engine = _ENGINES.get(str(raw.get("llm_engine") or "vLLM").lower())
        name = str(loading.get("model_id") or "")[:200]
        if engine is None or not name:
            continue
        kwargs = {str(key): value for key, value in given.items()} if isinstance(given, Mapping) else {}
        source = loading.get("model_source")
        model = source if isinstance(source, str) and source else name
        settings: dict[Key, Setting] = {
            option.key: from_file(option, kwargs, WHERE)
            or Setting(None, Origin.UNKNOWN, option.depends or f"{engine.title}'s version is not known")
            for option in engine.options
            if option.key is not Key.PORT
        }
        settings[Key.MODEL] = Setting(model[:300], Origin.FILE, WHERE)
        found[name] = Configuration(f"ray_{engine.name}", f"Ray Serve with {engine.title}", "", settings, {})
    return found


def _configs(parsed: object) -> Iterator[Mapping[str, Any]]:
    applications = parsed.get("applications") if isinstance(parsed, Mapping) else None
    for application in applications if isinstance(applications, list) else ():
        args = application.get("args") if isinstance(application, Mapping) else None
        configs = args.get("llm_configs") if isinstance(args, Mapping) else None
        yield from (one for one in configs if isinstance(one, Mapping)) if isinstance(configs, list) else ()
