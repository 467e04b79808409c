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
        world.gauge("nvidia_smi_memory_used_bytes", 70e9, over=7200, **who)
        world.gauge("nvidia_smi_clocks_current_sm_clock_hz", 1.2e9, over=7200, **who)
        world.gauge("nvidia_smi_clocks_event_reasons_active", 1 if i else 64, over=7200, **who)
        world.gauge("nvidia_smi_ecc_errors_uncorrected_volatile_total", 0, over=7200, **who)
        world.gauge("nvidia_smi_remapped_rows_pending", i, over=7200, **who)
        world.counter("nvidia_smi_energy_joules_total", 400, over=7200, **who)
    hurt = {"uuid": UUID.format(0), **SMI}
    world.gauge("nvidia_smi_xid_last_timestamp_seconds", world.at - 5000, over=5000, **hurt, xid="43")
    world.gauge("nvidia_smi_xid_last_timestamp_seconds", world.at - 600, over=600, **hurt, xid="79")
    world.counter("nvidia_smi_xid_errors_total", 0, over=600, **hurt, xid="79")


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
