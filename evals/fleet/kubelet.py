"""What a node does with a pod: starts its container, watches it start, serve and die, and starts it again."""

from __future__ import annotations

from evals.fleet import logs
from evals.fleet.engine import Engine
from evals.fleet.happenings import Happenings
from evals.fleet.identity import stamp
from evals.fleet.pods import Container, Pod, Termination
from evals.fleet.recipe import Workload, quantity
from evals.fleet.scheduler import Machine
from evals.fleet.startup import Crash, host_base, host_staged, plan, resolve

RESET_AFTER = 600.0  # seconds of running after which the back-off starts over
PROBE = 10.0


def about(pod: Pod) -> tuple[str, str, str, str]:
    """Whom the pod's events are about."""
    return "Pod", pod.namespace, pod.name, pod.uid


def bind(pod: Pod, machine: Machine, at: float, events: Happenings) -> None:
    """Bind a pod to a node and give it its GPUs."""
    free = [device for device in machine.devices if device.healthy and not device.holder[1]]
    pod.node, pod.scheduled = machine.spec.name, at
    machine.pods_made += 1
    pod.ip = f"10.244.{machine.address.rsplit('.', 1)[1]}.{machine.pods_made + 4}"
    chosen = free[: pod.template.gpus]
    for device in chosen:
        device.holder = (pod.namespace, pod.name, pod.template.container)
    pod.devices = tuple(device.index for device in chosen)
    pod.container.until = at + 3.0
    pod.ready_changed = at
    pod.scheduling = ""
    pod.version += 1
    text = f"Successfully assigned {pod.namespace}/{pod.name} to {pod.node}"
    events.add(at, about(pod), "Scheduled", text, "default-scheduler")


def _say(events: Happenings, at: float, pod: Pod, reason: str, message: str, *, warning: bool = False) -> None:
    field = f"spec.containers{{{pod.template.container}}}"
    events.add(at, about(pod), reason, message, "kubelet", warning=warning, host=pod.node, field=field)


def start(pod: Pod, spec: Workload | None, machine: Machine, at: float, events: Happenings) -> None:
    """Start the container's next run; with a GPU that is gone it cannot even start."""
    container = pod.container
    if spec is not None and spec.pull:
        _cannot_pull(pod, spec.pull, at, events)
        return
    lost = [machine.devices[i] for i in pod.devices if machine.devices[i].lost]
    if pod.log:
        pod.previous = pod.log
        pod.log = type(pod.log)(maxlen=pod.log.maxlen)
    _say(events, at, pod, "Pulled", f'Container image "{pod.template.image}" already present on machine')
    container.runs += 1
    container.restarts = container.runs - 1
    container.started = at
    pod.version += 1
    if lost:
        message = logs.start_failure(lost[0].uuid)
        _say(events, at, pod, "Failed", f"Error: {message}", warning=True)
        ended = Termination("StartError", 128, 0.0, at, pod.container_id, message)
        _wait_again(pod, ended, at, events)
        return
    container.state, container.reason, container.message, container.ready = "running", "", "", False
    container.until = 0.0
    _say(events, at, pod, "Created", f"Created container {pod.template.container}")
    _say(events, at, pod, "Started", f"Started container {pod.template.container}")
    pod.cpu_seconds, pod.loading_seconds, pod.dying, pod.startup = 0.0, 0.0, None, None
    if spec is None or spec.runtime == "none":
        container.ready, pod.ready_changed = True, at + 1
        return
    pod.config = resolve(spec, machine.spec.gpu or "l4")
    pod.startup = plan(spec, pod.config)
    logs.started(pod, spec, at)


def _cannot_pull(pod: Pod, why: str, at: float, events: Happenings) -> None:
    # The image never arrives: the kubelet tries again, ever more rarely.
    container, image = pod.container, pod.template.image
    name = image.rsplit(":", 1)[0]
    full = image if "." in image.split("/")[0] else f"docker.io/{image}"
    said = (
        f'failed to resolve reference "{full}": {full}: not found'
        if why == "not_found"
        else f'failed to resolve reference "{full}": pull access denied, repository does not exist or may require '
        f"authorization: server message: insufficient_scope: authorization failed ({name})"
    )
    code = "NotFound" if why == "not_found" else "Unknown"
    told = f'rpc error: code = {code} desc = failed to pull and unpack image "{full}": {said}'
    container.backoff = min(300.0, max(10.0, 2 * container.backoff))
    container.state, container.reason, container.until = "waiting", "ImagePullBackOff", at + container.backoff
    container.message = f'Back-off pulling image "{image}": ErrImagePull: {told}'
    pod.version += 1
    _say(events, at, pod, "Pulling", f'Pulling image "{image}"')
    _say(events, at + 1, pod, "Failed", f'Failed to pull image "{image}": {told}', warning=True)
    _say(events, at + 1, pod, "Failed", "Error: ErrImagePull", warning=True)
    _say(events, at + 2, pod, "BackOff", f'Back-off pulling image "{image}"', warning=True)


def watch(pod: Pod, spec: Workload | None, machine: Machine, at: float, events: Happenings) -> None:
    """Bring one container up to date."""
    container = pod.container
    if not pod.node:
        return
    if container.state != "running":
        if at >= container.until:
            start(pod, spec, machine, at, events)
        return
    if spec is None or pod.startup is None or pod.config is None:
        return
    age = at - container.started
    _hold_memory(pod, spec, machine, age)
    crash = pod.startup.crash
    if any(machine.devices[i].lost for i in pod.devices):
        pod.dying = "gpu_lost"
    elif pod.engine is not None and pod.engine.overflowed:
        pod.dying = "cuda_runtime"
    if pod.dying:
        die(pod, Crash(pod.dying, age, 1, "Error"), at, events)
    elif crash is not None and age >= crash.after and spec.runtime == "vllm":
        die(pod, crash, at, events)
    elif pod.engine is None and age >= pod.startup.ready:
        limit = quantity(spec.cpu_limit) if spec.cpu_limit else None
        pod.engine = Engine(pod.config, limit, spec.traffic.shared_prefix)
        logs.serving(pod, spec, at)
    elif pod.engine is not None and not container.ready and age >= pod.startup.ready + PROBE:
        container.ready = True
        pod.ready_changed = at
        pod.version += 1
    elif pod.engine is None and pod.template.probes and age > 5 and age % 60 < 2:
        text = (
            f'Startup probe failed: Get "http://{pod.ip}:{_port(pod)}/health": dial tcp '
            f"{pod.ip}:{_port(pod)}: connect: connection refused"
        )
        _say(events, at, pod, "Unhealthy", text, warning=True)


def _port(pod: Pod) -> int:
    return pod.template.port[1] if pod.template.port else 0


def _hold_memory(pod: Pod, spec: Workload, machine: Machine, age: float) -> None:
    config, startup = pod.config, pod.startup
    assert config is not None
    assert startup is not None
    base, staged = host_base(config), host_staged(config)
    if spec.runtime == "other":
        base, staged = base * 0.3, staged * 0.3
    share = min(1.0, max(0.0, (age - startup.imported - 6) / max(1.0, startup.weights - startup.imported - 6)))
    loaded = age >= startup.weights
    pod.memory = base * min(1.0, age / startup.imported) + (0.25 * staged if loaded else staged * share)
    pod.cache = 0.35 * config.weight_bytes * share
    on_gpu = config.resident if spec.runtime == "vllm" else config.weight_bytes + 1.1 * 2**30
    for index in pod.devices:
        device = machine.devices[index]
        if index in pod.devices[: config.tp]:
            device.context = age >= startup.imported and not device.lost
            device.used = config.not_torch + share * config.weights_per_gpu if age < startup.compiled else on_gpu


def release(pod: Pod, machine: Machine, *, give_back: bool) -> None:
    """No process is on the pod's GPUs any more; ``give_back`` also ends the allocation."""
    for index in pod.devices:
        device = machine.devices[index]
        device.context, device.used = False, 0.0
        if give_back:
            device.holder = ("", "", "")


def die(pod: Pod, crash: Crash, at: float, events: Happenings) -> None:
    """End the container's run."""
    container = pod.container
    logs.crashed(pod, crash.kind, at)
    if crash.kind == "probe":
        refused = f"dial tcp {pod.ip}:{_port(pod)}: connect: connection refused"
        text = f'Liveness probe failed: Get "http://{pod.ip}:{_port(pod)}/health": {refused}'
        _say(events, at - 30, pod, "Unhealthy", text, warning=True)
        killing = f"Container {pod.template.container} failed liveness probe, will be restarted"
        _say(events, at - 30, pod, "Killing", killing)
    if crash.kind == "host":
        pod.oom_events += 1
    ended = Termination(crash.reason, crash.exit_code, container.started, at, pod.container_id)
    if at - container.started > RESET_AFTER:
        container.backoff = 0.0
    pod.engine, pod.startup, pod.dying, pod.memory = None, None, None, 0.0
    _wait_again(pod, ended, at, events)


def addon_dies(pod: Pod, at: float, events: Happenings) -> None:
    """The GPU exporter's process cannot reach its driver library and ends."""
    text = 'msg="Failed to initialize NVML" error="could not retrieve GPU list from NVML: Driver Not Loaded"'
    pod.log.append((at, f'time="{stamp(at)}" level=fatal {text}'))
    ended = Termination("Error", 1, pod.container.started, at, pod.container_id)
    _wait_again(pod, ended, at, events)


def _wait_again(pod: Pod, ended: Termination, at: float, events: Happenings) -> None:
    container: Container = pod.container
    container.ready = False
    pod.ready_changed = at
    pod.version += 1
    container.last, container.ended = ended, ended
    if container.backoff == 0.0:
        container.state, container.reason, container.until = "terminated", ended.reason, at + 1.0
        container.backoff = 10.0
        return
    delay = container.backoff
    container.backoff = min(300.0, 2 * delay)
    container.state, container.reason, container.until = "waiting", "CrashLoopBackOff", at + delay
    name = f"{pod.template.container} pod={pod.name}_{pod.namespace}({pod.uid})"
    container.message = f"back-off {_short(delay)} restarting failed container={name}"
    text = f"Back-off restarting failed container {pod.template.container} in pod "
    f"{pod.name}_{pod.namespace}({pod.uid})"
    _say(events, at + 2, pod, "BackOff", text, warning=True)


def _short(delay: float) -> str:
    whole = int(delay)
    return f"{whole // 60}m{whole % 60}s" if whole >= 60 else f"{whole}s"
