"""The fleet in motion: controllers, nodes, engines and GPUs, one small step after another."""

from __future__ import annotations

import functools

import numpy as np

from evals.fleet import addons, autoscaler, kubelet, logs
from evals.fleet.devices import Device
from evals.fleet.engine import Engine
from evals.fleet.happenings import Happenings
from evals.fleet.hardware import gpu_model
from evals.fleet.identity import digest, seed_of, stamp, uid
from evals.fleet.pods import Pod
from evals.fleet.recipe import Change, Recipe
from evals.fleet.scheduler import Machine, place
from evals.fleet.traffic import Arrivals, Floats
from evals.fleet.workloads import Deployed, template

WARM_UP = 600.0
STATS_EVERY = 10.0


class Simulation:
    """The whole fleet at one moment; ``advance`` moves it. Times are seconds since the epoch."""

    def __init__(self, recipe: Recipe, end: float) -> None:
        """Set the fleet up ten minutes before the recorded history begins.

        Relative times refer to ``end``.
        """
        self.recipe, self.end = recipe, end
        self.start = end - recipe.history
        self.now = self.start - WARM_UP
        self.events = Happenings()
        self.periodic = logs.Periodic()
        self.machines: dict[str, Machine] = {}
        self.workloads: dict[str, Deployed] = {}
        self.addons: list[Pod] = []
        self.daemons = addons.daemons(recipe)
        self.hpa_at = self.now
        self._random = np.random.default_rng(seed_of(recipe.seed, "routing"))
        self._stats_at = self.now
        self._changes = sorted(recipe.changes, key=lambda change: change.at)
        self._aged = False
        self._build()

    # ------------------------------------------------------------------ the fleet before anything changes

    def _build(self) -> None:
        for number, node in enumerate(self.recipe.nodes):
            machine = Machine(node, self.end - node.age, f"10.0.0.{number + 11}")
            if node.gpus:
                model = gpu_model(node.gpu)
                machine.devices = [Device(node.name, i, model, energy=2e9 + 1e7 * i) for i in range(node.gpus)]
            self.machines[node.name] = machine
        self._daemons(early=True)
        ksm = addons.state_metrics_pod(self.end - 9 * 86400)
        self.addons.append(ksm)
        kubelet.bind(ksm, next(iter(self.machines.values())), ksm.created, self.events)
        kubelet.start(ksm, None, self.machines[ksm.node], ksm.created + 4, self.events)
        for spec in self.recipe.workloads:
            rng = np.random.default_rng(seed_of(self.recipe.seed, spec.key))
            born = self.end + spec.created if spec.created is not None else self.end - spec.age
            workload = Deployed(spec, born, spec.replicas, Arrivals(rng), born)
            if spec.hpa:
                workload.scaling.desired = spec.replicas
            workload.set_revision()
            self.workloads[spec.key] = workload
            if born < self.now:
                self._control(workload, born)
        for workload in self.workloads.values():
            for pod in workload.pods:
                self._catch_up(pod, workload)

    def _catch_up(self, pod: Pod, workload: Deployed) -> None:
        # Pods that are older than the simulation have started long ago; whoever cannot start keeps failing
        # from now on.
        if not pod.node:
            return
        spec, machine = workload.spec, self.machines[pod.node]
        kubelet.start(pod, spec, machine, pod.created + 4, self.events)
        if spec.runtime == "none" or spec.pull:
            return
        assert pod.startup is not None
        crash = pod.startup.crash
        # A hair later than the moment itself: sums of large times are not exact.
        after = 4.001 + (min(pod.startup.ready, crash.after) if crash else pod.startup.ready)
        kubelet.watch(pod, spec, machine, pod.created + after, self.events)
        if pod.engine is not None:
            pod.container.ready, pod.ready_changed = True, pod.created + 4 + pod.startup.ready + kubelet.PROBE

    def _daemons(self, *, early: bool) -> None:
        for key, form in self.daemons.items():
            for machine in self.machines.values():
                there = [p for p in self.addons if p.owner.name == key[1] and p.node == machine.spec.name]
                if not addons.wanted_on(key[1], form, machine):
                    for pod in there:
                        self.addons.remove(pod)
                    continue
                if there:
                    continue
                pod = addons.daemon_pod(key, form, machine, machine.created + 60 if early else self.now)
                self.addons.append(pod)
                kubelet.bind(pod, machine, pod.created, self.events)
                kubelet.start(pod, None, machine, pod.created + 4, self.events)

    # ------------------------------------------------------------------ what is seen

    @property
    def pods(self) -> list[Pod]:
        """All pods, workloads' first."""
        return [pod for workload in self.workloads.values() for pod in workload.pods] + self.addons

    def workload_of(self, pod: Pod) -> Deployed | None:
        """The workload that a pod belongs to; None for an add-on."""
        return self.workloads.get(f"{pod.namespace}/{pod.owner.top_name}")

    # ------------------------------------------------------------------ time

    def advance(self, to: float) -> None:
        """Move to ``to`` in steps of the recipe's dt (the last one may be shorter)."""
        while self.now < to - 1e-9:
            dt = min(self.recipe.dt, to - self.now)
            self._step(dt)
            if not self._aged and self.now >= self.start - 1e-9:
                self._age()

    def _step(self, dt: float) -> None:
        at, then = self.now, self.now + dt
        while self._changes and self.end + self._changes[0].at < then:
            self._change(self._changes.pop(0), at)
        if at >= self.hpa_at:
            self.hpa_at += autoscaler.SYNC
            self._scale(at)
        for workload in self.workloads.values():
            if workload.created < then:
                self._tend(workload, at, then)
        for pod in self.addons:
            self._run_addon(pod, then)
        for workload in self.workloads.values():
            self._serve(workload, at, dt)
        for pod in self.pods:
            _account(pod, dt)
        self._devices(then, dt)
        if then >= self._stats_at:
            self._print(then)
        self.now = then

    def _scale(self, at: float) -> None:
        for workload in self.workloads.values():
            if workload.spec.hpa:
                autoscaler.sync(workload, workload.spec.hpa, at, self.events)

    def _tend(self, workload: Deployed, at: float, then: float) -> None:
        self._control(workload, at)
        for pod in workload.pods:
            before = pod.version
            if pod.node:
                self._run(pod, workload, then)
            if pod.version != before:
                workload.version += 1

    def _run(self, pod: Pod, workload: Deployed, then: float) -> None:
        machine = self.machines[pod.node]
        alive = pod.startup is not None
        kubelet.watch(pod, workload.spec, machine, then, self.events)
        if alive and pod.startup is None:
            kubelet.release(pod, machine, give_back=False)

    def _run_addon(self, pod: Pod, then: float) -> None:
        machine = self.machines[pod.node]
        broken = pod.template is addons.DCGM and machine.exporter == "crash"
        if broken and pod.container.state == "running":
            kubelet.addon_dies(pod, then, self.events)
        elif pod.container.state != "running" and then >= pod.container.until:
            kubelet.start(pod, None, machine, then, self.events)

    def _print(self, then: float) -> None:
        pods = [
            pod for w in self.workloads.values() if w.spec.runtime == "vllm" for pod in w.pods if pod.engine is not None
        ]
        self.periodic.forget(pods)
        if then >= self.start:
            for pod in pods:
                self.periodic.print(pod, then, STATS_EVERY)
        self._stats_at = then + STATS_EVERY

    def _age(self) -> None:
        # Pods that are days old have counted for days: what ten minutes gave is multiplied by their age.
        self._aged = True
        for pod in self.pods:
            factor = max(1.0, round((self.now - pod.container.started) / WARM_UP))
            pod.cpu_seconds *= factor
            pod.loading_seconds *= factor
            pod.received *= factor
            pod.sent *= factor
            if pod.engine is not None:
                pod.engine.stats.age(factor)
                pod.engine.host.age(factor)
        self.periodic.forget([])

    # ------------------------------------------------------------------ causes

    def _change(self, change: Change, at: float) -> None:
        if change.workload:
            workload = self.workloads[change.workload]
            workload.changed = at
            if workload.patched(change.patch):
                for pod in list(workload.pods):
                    self._delete(workload, pod, at)
            return
        machine = self.machines[change.node]
        if change.exporter:
            machine.exporter = {"back": "up"}.get(change.exporter, change.exporter)
            machine.version += 1
            self._daemons(early=False)
        if change.ailment is not None and change.gpu is not None:
            machine.devices[change.gpu].ailment = change.ailment
        if change.xid is not None and change.gpu is not None:
            self._xid(machine, machine.devices[change.gpu], change.xid, at)

    def _xid(self, machine: Machine, device: Device, xid: int, at: float) -> None:
        device.xid = xid
        device.lost = xid in {48, 62, 64, 74, 79, 95, 119, 120, 140, 143, 158}
        if xid not in {13, 31, 43, 45, 68, 109}:
            device.healthy = False
            machine.version += 1
            for pod in self.addons:
                if pod.template is addons.PLUGIN and pod.node == machine.spec.name:
                    text = f"health.go:145] XidCriticalError: Xid={xid} on Device={device.uuid}; "
                    text += "marking device as unhealthy."
                    pod.log.append((at, f"I{stamp(at)[5:7]}{stamp(at)[8:10]} {stamp(at)[11:19]}.402117       1 {text}"))
        if self.recipe.node_problem_detector:
            node = ("Node", "", machine.spec.name, uid("node", machine.spec.name))
            text = (
                f"NVRM: Xid (PCI:{device.bus[4:-2]}): {xid}, pid=24371, name=VLLM::EngineCor, GPU has "
                "fallen off the bus."
            )
            if xid == 79:
                self.events.add(at, node, "XidError", text, "kernel-monitor", warning=True, host=machine.spec.name)

    # ------------------------------------------------------------------ controllers

    def _control(self, workload: Deployed, at: float) -> None:
        while len(workload.pods) > workload.desired:
            victim = min(workload.pods, key=lambda p: (bool(p.node), p.container.ready, -p.created))
            self._delete(workload, victim, at)
        while len(workload.pods) < workload.desired:
            pod = Pod(
                workload.spec.namespace,
                workload.next_name(),
                workload.owner(),
                template(workload.spec),
                workload.revision,
                at,
            )
            workload.pods.append(pod)
            workload.version += 1
            owner = pod.owner
            key = (
                uid("rs", pod.namespace, owner.name)
                if owner.kind == "ReplicaSet"
                else uid(owner.kind, workload.spec.key)
            )
            component = "replicaset-controller" if owner.kind == "ReplicaSet" else "statefulset-controller"
            self.events.add(
                at,
                (owner.kind, pod.namespace, owner.name, key),
                "SuccessfulCreate",
                f"Created pod: {pod.name}",
                component,
            )
        for pod in workload.pods:
            if not pod.node:
                self._schedule(pod, workload, at)

    def _schedule(self, pod: Pod, workload: Deployed, at: float) -> None:
        machine, message = place(pod, self.machines.values(), self.pods)
        if machine is not None:
            kubelet.bind(pod, machine, at, self.events)
            workload.version += 1
            return
        if message != pod.scheduling or at % 300 < self.recipe.dt:
            self.events.add(at, kubelet.about(pod), "FailedScheduling", message, "default-scheduler", warning=True)
        if message != pod.scheduling:
            pod.scheduling = message
            pod.version += 1

    def _delete(self, workload: Deployed, pod: Pod, at: float) -> None:
        workload.pods.remove(pod)
        workload.version += 1
        if pod.node:
            kubelet.release(pod, self.machines[pod.node], give_back=True)
            self.events.add(
                at,
                kubelet.about(pod),
                "Killing",
                f"Stopping container {pod.template.container}",
                "kubelet",
                host=pod.node,
            )

    # ------------------------------------------------------------------ load

    def _serve(self, workload: Deployed, at: float, dt: float) -> None:
        spec = workload.spec
        if spec.runtime == "none" or workload.created > at:
            return
        rows = workload.arrivals.draw(spec.traffic, at, dt, self.end)
        pods = [pod for pod in workload.pods if pod.serving]
        if not pods:
            workload.lost += len(rows)
        shares = self._route(workload, rows, pods)
        place = {id(pod): number for number, pod in enumerate(pods)}
        for pod in workload.pods:
            if pod.engine is not None:
                mine = rows[:0]
                if id(pod) in place:
                    mine = rows if len(pods) == 1 else rows[shares == place[id(pod)]]
                there = self.machines[pod.node].devices
                # The ranks wait for the slowest of them.
                pod.engine.clocks = min((there[i].clock_share for i in pod.devices), default=1.0)
                pod.engine.step(at, dt, mine, spec.traffic.patience)
                pod.received += float(np.add.reduce(mine[:, 1])) * 5 + 400 * len(mine) + 200 * dt
                pod.sent += pod.engine.host.sent_bytes(dt)

    def _route(
        self, workload: Deployed, rows: Floats, pods: list[Pod]
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        routing = workload.spec.routing
        if not pods or not len(rows):
            return np.zeros(len(rows), dtype=np.int64)
        if routing.policy == "even":
            chosen = self._random.integers(0, len(pods), len(rows))
        else:
            loads = [float(pod.engine.load) if pod.engine else 0.0 for pod in pods]
            chosen = np.zeros(len(rows), dtype=np.int64)
            for number in range(len(rows)):
                best = min(range(len(pods)), key=loads.__getitem__)
                chosen[number] = best
                loads[best] += 1
        if routing.pinned:
            sticky = self._random.uniform(size=len(rows)) < routing.pinned
            chosen[sticky] = min(routing.pinned_to, len(pods) - 1)
        return chosen

    def _devices(self, then: float, dt: float) -> None:
        engines: dict[tuple[str, int], Engine] = {}
        for workload in self.workloads.values():
            for pod in workload.pods:
                if pod.engine is not None and pod.config is not None:
                    engines.update({(pod.node, index): pod.engine for index in pod.devices[: pod.config.tp]})
        for machine in self.machines.values():
            for device in machine.devices:
                engine = engines.get((machine.spec.name, device.index))
                device.step(then, dt, engine.activity if engine else None)


def _account(pod: Pod, dt: float) -> None:
    # Add-ons and idle containers use a little; an engine's host says what it used.
    if pod.container.state != "running":
        pod.cores = 0.0
        return
    if pod.engine is not None:
        pod.cores += (pod.engine.host.cores - pod.cores) * min(1.0, dt / 20)
        pod.cpu_seconds = pod.engine.host.used_seconds + pod.loading_seconds
        return
    loading = pod.startup is not None
    pod.cores = 1.6 if loading else _resting(pod.name)
    if loading:
        pod.loading_seconds += pod.cores * dt
    else:
        pod.memory = pod.memory or 35e6 + 1e5 * digest(pod.uid)[1]
    pod.cpu_seconds += pod.cores * dt


@functools.lru_cache(maxsize=4096)
def _resting(name: str) -> float:
    return 0.004 + 0.002 * (digest(name)[0] / 255)
