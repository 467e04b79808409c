"""The port that the server wants is taken.

## What it means
Something else listens there already: another container of the pod (they share one network), another pod on the host's network, a second
engine started by the same command, or what an engine that died left behind. It may be the port for requests, or one that workers meet on.

## Why it hurts
The server loads its model, cannot listen, and ends; at the next start it is the same.

## What would rule it out
A line that says which port was taken instead: an engine that looks for a free one goes on.
"""

import re

from tools.check import Applies, Because, Check, Limits, Now, On, because
from tools.crashes import log_line, of_container, recent
from tools.failed_starts import DECISIVE, HELPS, LIMITS, failed_start, needs, told
from tools.families import FAILING, QUEUEING, named
from tools.finding import Change, Remedy
from tools.signals import LOG_SERVING, RESTARTS
from tools.vocabulary.container_rights import PORTS_SHARED
from tools.vocabulary.refused_starts import LOG_ADDRESS
from tools.vocabulary.security import HOST_ACCESS

_START = failed_start(LOG_ADDRESS, PORTS_SHARED.now, HOST_ACCESS.now, unless=DECISIVE)
_PORT = re.compile(
    r"address \('\S{0,60}', (\d{1,5})|[Pp]ort[=: ]{1,3}'?(\d{2,5})\b|://\S{0,80}?:(\d{2,5})\b"
    r"|(?:\d{1,3}(?:\.\d{1,3}){3}|\*|\]|tcp[46]? ):(\d{2,5})\b"
)
# Triton starts its services one after the other.
_BEFORE_IT_BINDS = re.compile(r"startup complete|Started (?:GRPCInference|HTTP)Service at")
_WORKERS = re.compile(r"EADDRINUSE|TCPStore|server socket has failed|DistNetworkError|tcp://")
_VERIFY = "The server listens on its port, and the pod turns ready."


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a start ended with such a line; a web server says that its start is complete before it binds its port."""
    found = _START(now, limits)
    if found is not None:
        return found
    for crash in recent(now, limits["recent"]):
        line, served = log_line(now, crash, LOG_ADDRESS), log_line(now, crash, LOG_SERVING)
        if line.text and crash.reason.text != "OOMKilled" and _BEFORE_IT_BINDS.search(served.text):
            said = "{code_of} ended with exit code {code} {ago} ago before it listened; its log says: {line}"
            also = (
                crash.reason,
                *(now.get(ask) for ask in (RESTARTS.now, PORTS_SHARED.now, HOST_ACCESS.now)),
            )
            return of_container(now, because(said, *also, code=crash.code, ago=crash.ago, line=line))
    return None


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """By who else may have the port."""
    line = told(now, LOG_ADDRESS)
    found = _PORT.search(line)
    port = next((group for group in found.groups() if group), "") if found else ""
    shared, host = now.get(PORTS_SHARED.now), now.get(HOST_ACCESS.now)
    cites = ("kubernetes/system-limits-and-ports",)
    twice = [one for one in shared.text.split(", ") if one] if shared is not None else []
    same = next((one for one in twice if port and one.startswith(f"{port} ")), twice[0] if twice and not port else "")
    if same:
        number, _, names = same.partition(" ")
        return (
            Remedy(
                f"Containers of one pod share its ports, and {names.strip('()')} both name {number}: give one of them another, in its arguments, its"
                " probes and the Service.",
                Change("port", number, str(int(number) + 1)),
                _VERIFY,
                cites,
            ),
        )
    if host is not None and "hostNetwork" in host.text:
        return (
            Remedy(
                f"The pod uses the host's network, where every pod and daemon of the node shares the ports{f' ({port} is taken)' if port else ''}:"
                " give it a network of its own, or each pod of the node another port.",
                Change("spec.hostNetwork", "true", "false"),
                _VERIFY,
                cites,
            ),
        )
    what = f"Port {port}" if port else "The port"
    if _WORKERS.search(line):
        first = (
            f"{what} is one that the engine's own processes meet on: see that no two engines of the container are given the same (--master-port,"
            " --dist-init-addr, --nccl-port, VLLM_PORT), nor the port for requests, and leave it unset where the engine finds a free one."
        )
    else:
        first = (
            f"{what} is wanted twice inside the pod: look for a command that starts the server twice (a loop in a shell, an entrypoint and args), a"
            " side port (metrics, transfer) of the same number, or processes that outlive an engine that died."
        )
    return (
        Remedy(first, None, _VERIFY, cites),
        Remedy(
            "Run the engine as the container's only main process (exec in a shell script), so that all its processes end with it.",
            None,
            "After a restart of the container nothing listens before the engine does.",
            ("kubernetes/graceful-shutdown",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.NEEDED,
    severity="critical",
    needs=needs(LOG_ADDRESS),
    helps=(*HELPS, *(signal.now for signal in DECISIVE), PORTS_SHARED.now, HOST_ACCESS.now),
    limits=LIMITS,
    fires=fires,
    explains=(*QUEUEING, *FAILING, *named("nccl_init_failure")),
    remedies=remedies,
    pages=("kubernetes/system-limits-and-ports",),
    owner="ml platform",
)
