"""What containers may do and see. Values of environment variables and arguments are looked at here and told to nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tools.engines import Configuration, Key, resolve, written_flags
from tools.engines.manifest import container_of
from tools.facts import Object, at, many, name_of, serving_container, within
from tools.readers import Listed, Told, Value
from tools.rules import NONE
from tools.signals import Signal
from tools.vocabulary import security as told

KINDS = ("pods",)
_SECRET_NAME = re.compile(
    r"(?:^|[_.-])(?:token|secret|password|passwd|passphrase|api[_-]?key|apikey|access[_-]?key|secret[_-]?key|private[_-]?key|"
    r"credentials?)$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"^hf_[A-Za-z0-9]{30,}$|^sk-[\w-]{16,}|^(?:AKIA|ASIA)[A-Z0-9]{16}$|^gh[pousr]_\w{30,}$|^glpat-\S{16,}|"
    r"-----BEGIN [A-Z ]*PRIVATE KEY|^[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@"
)
_EMPTY = {"", "empty", "none", "null", "dummy", "true", "false", "not-needed"}
_CLOUD_KEYS = {"AWS_SECRET_ACCESS_KEY", "AZURE_CLIENT_SECRET", "AZURE_STORAGE_KEY", "GOOGLE_APPLICATION_CREDENTIALS"}
_KEY_ENV = {"VLLM_API_KEY", "API_KEY", "SGLANG_API_KEY"}
_PICKLE = {"pt", "pth", "bin", "pickle"}
_PICKLED_FILE = re.compile(r"\.(bin|pt|pth|pkl|ckpt)$", re.IGNORECASE)
_LOGGING = ("enable-log-requests", "enable-log-outputs", "log-requests")


def read(listed: Listed) -> Iterator[Told]:
    """Facts of pods."""
    for item in listed.of("pods"):
        if all(name_of(item)):
            yield Told("/".join(name_of(item)), _pod(item), "pods")


def _pod(pod: Object) -> dict[Signal, Value]:
    containers = many(pod, "spec", "containers")
    everyone = [*containers, *many(pod, "spec", "initContainers")]
    serving = serving_container(pod)
    configuration = resolve(container_of(serving))
    said = configuration.flags
    secrets = sorted({found for container in everyone for found in _literals(container)})
    keys = sorted(
        {str(env.get("name")) for one in everyone for env in many(one, "env") if str(env.get("name")) in _CLOUD_KEYS}
    )
    writable = [_called(one) for one in containers if at(one, "securityContext", "readOnlyRootFilesystem") is not True]
    return {
        told.SECRET_LITERALS: ", ".join(secrets)[:300],
        told.CLOUD_KEYS: ", ".join(keys),
        told.REMOTE_CODE: _remote_code(configuration),
        told.PRIVILEGED: ", ".join(_given_up(pod, everyone))[:300],
        told.ROOT: ", ".join(_root(pod, containers))[:300],
        told.HOST_ACCESS: ", ".join(_host(pod, everyone))[:300],
        told.ROOT_WRITABLE: ", ".join(writable)[:200],
        told.API_TOKEN: "mounted" if _api_token(pod) else "",
        told.API_KEY: _api_key(serving, said),
        told.PROMPTS_LOGGED: ", ".join(f"--{name}" for name in _LOGGING if _on(said.get(name))),
        told.WEIGHT_FORMAT: _format(configuration),
    }


def _literals(container: Object) -> Iterator[str]:
    """Where a secret is written out: the name of the variable or argument, and of the container."""
    whose = _called(container)
    for env in many(container, "env"):
        name, value = str(env.get("name") or ""), env.get("value")
        if isinstance(value, str) and _is_secret(name, value):
            yield f"{name[:60]} in {whose}"
    # As written: what a variable is filled with is looked at as that variable.
    for name, value in written_flags(container_of(container)).items():
        if _is_secret(name, value):
            yield f"--{name[:60]} in {whose}"


def _is_secret(name: str, value: str) -> bool:
    value = value.strip()
    # What names another variable, a file or a special token of a model is no secret.
    if value.lower() in _EMPTY or value.startswith(("$", "/", "<")):
        return False
    return bool(_SECRET_VALUE.search(value) or (_SECRET_NAME.search(name) and len(value) >= 6))


def _given_up(pod: Object, containers: list[Object]) -> Iterator[str]:
    for name in ("hostIPC", "hostPID"):
        if at(pod, "spec", name) is True:
            yield name
    for one in containers:
        context = within(one, "securityContext")
        if context.get("privileged") is True:
            yield f"{_called(one)} is privileged"
        added = at(context, "capabilities", "add")
        for capability in added if isinstance(added, list) else ():
            if str(capability) in {"SYS_ADMIN", "ALL", "SYS_PTRACE", "NET_ADMIN"}:
                yield f"{_called(one)} has {capability}"


def _root(pod: Object, containers: list[Object]) -> Iterator[str]:
    whole = within(pod, "spec", "securityContext")
    for one in containers:
        context = {**whole, **within(one, "securityContext")}
        user = context.get("runAsUser")
        if user == 0:
            yield f"{_called(one)} runs as user 0"
        elif context.get("runAsNonRoot") is not True and user is None:
            yield f"{_called(one)} may run as root"


def _host(pod: Object, containers: list[Object]) -> Iterator[str]:
    if at(pod, "spec", "hostNetwork") is True:
        yield "hostNetwork"
    for volume in many(pod, "spec", "volumes"):
        path = at(volume, "hostPath", "path")
        if path:
            yield f"hostPath {str(path)[:80]}"
    for one in containers:
        for port in many(one, "ports"):
            if port.get("hostPort") and at(pod, "spec", "hostNetwork") is not True:
                yield f"hostPort {port['hostPort']}"


def _api_token(pod: Object) -> bool:
    """Whether the token for the API itself is mounted; one for another audience (a cloud's identity) is another matter."""
    for volume in many(pod, "spec", "volumes"):
        for source in many(volume, "projected", "sources"):
            token = within(source, "serviceAccountToken")
            if token and not token.get("audience"):
                return True
    return False


def _api_key(container: Object, said: Mapping[str, str]) -> str:
    if "api-key" in said:
        return "--api-key"
    return next((str(env.get("name")) for env in many(container, "env") if str(env.get("name")) in _KEY_ENV), NONE)


def _remote_code(configuration: Configuration) -> str:
    setting = configuration[Key.TRUST_REMOTE_CODE]
    if setting.value is True and setting.stated:
        return setting.detail
    # A server of one's own may call it the same.
    return (
        "--trust-remote-code" if not configuration.engine and _on(configuration.flags.get("trust-remote-code")) else ""
    )


def _format(configuration: Configuration) -> str:
    setting, said = configuration[Key.LOAD_FORMAT], configuration.flags
    chosen = (configuration.text(Key.LOAD_FORMAT) if setting.stated else said.get("load-format", "")).lower()
    if chosen in _PICKLE:
        return f"pickle (--load-format {chosen})"
    named = (said[name] for name in ("model", "model-path", "model-id") if name in said)
    model = configuration.text(Key.MODEL) or next(named, "")
    if _PICKLED_FILE.search(model):
        return "pickle (by the file's name)"
    return chosen if chosen not in {"", "auto"} else NONE


def _on(value: str | None) -> bool:
    return value is not None and value.lower() not in {"false", "0", "no"}


def _called(container: Object) -> str:
    return str(container.get("name") or "a container")[:60]
