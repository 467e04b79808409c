"""Worlds of GPUs that are not seen through dcgm-exporter alone."""

from __future__ import annotations

from tests.tools.worlds import EXPORTER, World

SMI = {"namespace": "gpu-system", "pod": "smi-x1", "job": "smi"}
UUID = "5fd4f087-86f3-7a43-b711-4771313afc5{}"


def nvidia_smi(world: World) -> None:
    """Two GPUs as nvidia_gpu_exporter tells them: one hot and off the bus ten minutes ago, one well."""
    for i in range(2):
        who = {"uuid": UUID.format(i), **SMI}
        told = {"index": str(i), "name": "NVIDIA H100", "driver_version": "590.48.01"}
        world.gauge("nvidia_smi_gpu_info", 1, over=7200, **who, **told)
        world.gauge("nvidia_smi_utilization_gpu_ratio", 0.0 if i else 0.97, over=7200, **who)
        world.gauge("nvidia_smi_memory_used_bytes", 70e9 if i else lambda b: 70e9 - b, over=7200, **who)
        world.gauge("nvidia_smi_clocks_current_sm_clock_hz", 1.2e9, over=7200, **who)
        world.gauge("nvidia_smi_clocks_event_reasons_active", 1 if i else 64, over=7200, **who)
        world.gauge("nvidia_smi_ecc_errors_uncorrected_volatile_total", 0, over=7200, **who)
        world.gauge("nvidia_smi_remapped_rows_pending", i, over=7200, **who)
        world.counter("nvidia_smi_energy_joules_total", 400, over=7200, **who)
        world.gauge("nvidia_smi_power_draw_watts", 70.12 if i else 400.5, over=7200, **who)
        world.gauge("nvidia_smi_temperature_gpu", 31 if i else 64, over=7200, **who)
    world.gauge("nvidia_smi_last_collect_success_timestamp_seconds", world.at - 12, over=7200, **SMI)
    hurt = {"uuid": UUID.format(0), **SMI}
    world.gauge("nvidia_smi_xid_last_timestamp_seconds", world.at - 5000, over=5000, **hurt, xid="43")
    world.gauge("nvidia_smi_xid_last_timestamp_seconds", world.at - 600, over=600, **hurt, xid="79")
    world.counter("nvidia_smi_xid_errors_total", 0, over=600, **hurt, xid="79")


def plain_smi(world: World) -> None:
    """The same exporter scraped by the addresses of its hosts: neither pod nor node is told, and each reason for a low clock by itself."""
    held = ({"hw_power_brake_slowdown": 1.0, "sw_thermal_slowdown": 0.5}, {"sw_power_cap": 1.0})
    for i, reasons in enumerate(held):
        who = {"uuid": UUID.format(i), "job": "gpu-exporter", "instance": f"10.0.0.{i + 1}:9835"}
        kind = ("event", "throttle")[i]
        world.gauge("nvidia_smi_gpu_info", 1, over=1800, **who, index="0", name="NVIDIA L40S")
        world.gauge("nvidia_smi_utilization_gpu_ratio", 0.9, over=1800, **who)
        for reason in ("hw_thermal_slowdown", "sw_thermal_slowdown", "hw_power_brake_slowdown", "sw_power_cap"):
            share = reasons.get(reason, 0.0)
            value = (lambda b: float(b % 120 < 60)) if share == 0.5 else share
            world.gauge(f"nvidia_smi_clocks_{kind}_reasons_{reason}", value, over=1800, **who)
        world.gauge("nvidia_smi_power_draw_watts", 280.5, over=1800, **who)
        world.gauge("nvidia_smi_temperature_gpu", 61, over=1800, **who)
        where = {"job": "gpu-exporter", "instance": who["instance"]}
        world.gauge("nvidia_smi_last_collect_success_timestamp_seconds", world.at - (9, 900)[i], over=1800, **where)
        world.gauge("up", 1, over=1800, **where)
    scaled = {"namespace": "team", "horizontalpodautoscaler": "app-hpa", "job": "ksm"}
    world.gauge(
        "kube_horizontalpodautoscaler_status_desired_replicas", lambda b: 2 + 3 * (b % 240 < 120), over=1800, **scaled
    )
    for i in range(len(held)):
        world.gauge("kube_node_info", 1, over=1800, node=f"edge-{i + 1}", internal_ip=f"10.0.0.{i + 1}", job="ksm")
        world.gauge(
            "kube_node_status_capacity", 1, over=1800, node=f"edge-{i + 1}", resource="nvidia_com_gpu", job="ksm"
        )


def side_by_side(world: World) -> None:
    """The same GPU through three exporters, and one cut into instances that only dcgm-exporter tells."""
    uuid = UUID.format(0)
    world.gpu(f"GPU-{uuid}", gpu="0", util=50, exported_pod="app-0", exported_namespace="team", node="n1", **EXPORTER)
    cut = {"UUID": "GPU-cut", "gpu": "1", "node": "n1", **EXPORTER}
    for instance in ("1", "2"):
        world.gauge("DCGM_FI_DEV_FB_USED", 1000, GPU_I_ID=instance, **cut)
    for one, index in ((uuid, "0"), ("cut", "1")):
        world.gauge("nvidia_smi_gpu_info", 1, uuid=one, index=index, node="n1", **SMI)
        world.gauge("nvidia_smi_utilization_gpu_ratio", 0.2, uuid=one, node="n1", **SMI)
        world.gauge("nvidia_smi_temperature_gpu", 54, uuid=one, node="n1", **SMI)
    top = {"uuid": f"GPU-{uuid}", "index": "0", "devicename": "NVIDIA H100", "hostname": "n1", "pod": "top-x1"}
    world.gauge("gpu_memory_total_MiB", 81559, **top)


def nvitop(world: World) -> None:
    """One GPU as nvitop-exporter tells it, a clock that it cannot tell, and somebody else's metric of the same name."""
    who = {
        "uuid": "GPU-t",
        "index": "3",
        "devicename": "NVIDIA A10",
        "hostname": "n1",
        "pod": "top-x1",
        "namespace": "m",
    }
    world.gauge("gpu_memory_total_MiB", 23028, **who)
    world.gauge("gpu_utilization_Percentage", 42, **who)
    world.gauge("gpu_memory_used_MiB", 1024, **who)
    world.gauge("gpu_power_usage_W", 88, **who)
    world.gauge("gpu_clock_sm_MHz", float("nan"), **who)
    world.gauge("gpu_memory_total_MiB", 1, uuid="GPU-other", hostname="n1", pod="else-0", namespace="m")


H100, A100 = "NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB"
BLANK = 9223372036854775794.0


def clocks(world: World) -> None:
    """GPUs whose held clocks are told by the mask, by an old mask, by counters, and by violations; links and limits of some."""

    def gpu(uuid: str, model: str, **told: float) -> dict[str, str]:
        who = {"UUID": uuid, "gpu": "0", "node": f"n-{uuid}", "modelName": model, **EXPORTER}
        world.gauge("DCGM_FI_DEV_FB_USED", 70_000, over=1800, **who)
        for name, value in told.items():
            world.gauge(f"DCGM_FI_{name}", value, over=1800, **who)
        return who

    masked = gpu("GPU-mask", H100, DEV_NVLINK_BANDWIDTH_TOTAL=640_000, PROF_PCIE_RX_BYTES=21e9)
    world.gauge("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", lambda b: 68 if b < 300 else 4, over=1800, **masked)
    world.counter("DCGM_FI_DEV_THERMAL_VIOLATION", 1e9, over=1800, **masked)
    old = gpu("GPU-old", A100, PROF_NVLINK_TX_BYTES=100e9, PROF_NVLINK_RX_BYTES=120e9)
    world.gauge("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", lambda b: 136 if b == 300 else 2, over=1800, **old)
    counted = gpu("GPU-ns", "NVIDIA Unheard-of", DEV_BOARD_POWER_LIMIT_ENFORCED_WATTS=400)
    reasons = {"HW_THERM_SLOWDOWN": 0.0, "SW_THERM_SLOWDOWN": 6e8, "HW_POWER_BRAKE_SLOWDOWN": 3e8, "SW_POWER_CAP": 9e8}
    for reason, per_s in reasons.items():
        world.counter(f"DCGM_FI_DEV_CLOCKS_EVENT_REASON_{reason}_NS", per_s, over=1800, **counted)
    violated = gpu("GPU-violation", H100, DEV_ENFORCED_POWER_LIMIT=500, DEV_POWER_MGMT_LIMIT=700, DEV_SM_CLOCK=885)
    gpu("GPU-spared", H100, DEV_SM_CLOCK=1980)
    world.counter("DCGM_FI_DEV_POWER_VIOLATION", 0.0, over=1800, **gpu("GPU-still", H100))
    world.counter("DCGM_FI_DEV_THERMAL_VIOLATION", 2.5e8, over=1800, **violated)
    world.counter("DCGM_FI_DEV_POWER_VIOLATION", 2e9, over=1800, **violated)
    blank = gpu("GPU-blank", H100)
    world.gauge("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", BLANK, over=1800, **blank)


def reported(world: World) -> None:
    """GPUs whose values stand still, whose profiling is gone, and whose series name somebody else or two at once."""
    same = {"node": "n1", **EXPORTER}
    for uuid, holders in (("GPU-a", ("one", "two")), ("GPU-b", ("",)), ("GPU-c", ("",)), ("GPU-d", ("three",))):
        model = {"GPU-a": H100, "GPU-b": H100, "GPU-c": A100, "GPU-d": "NVIDIA L4"}[uuid]
        for holder in holders:
            who = {"UUID": uuid, "modelName": model, "exported_pod": holder, "pod": "x-dcgm-exporter-1", **same}
            world.gauge("DCGM_FI_DEV_FB_USED", 70_000, over=7200, **who)
            world.counter("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", 0 if uuid == "GPU-b" else 400_000, over=7200, **who)
            if uuid in {"GPU-a", "GPU-d"}:
                gone = 3600.0 if uuid == "GPU-d" else 0.0
                world.gauge("DCGM_FI_PROF_GR_ENGINE_ACTIVE", 0.4, ago=gone, over=7200, **who)
