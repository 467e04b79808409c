"""How GPUs are: why clocks are held down, memory repairs, errors of links, and how many GPUs a node can still give.

The reasons for a low clock are a bit mask (DCGM field 112): 4 power cap by software, 8 slowdown by hardware, 32 heat seen by
software, 64 heat seen by hardware, 128 power brake. dcgm-exporter does not export them by default, nor ECC counts, pending remaps and
errors of NVLink; failed remaps and PCIe replays it does.
"""

from __future__ import annotations

from tools.series import Series
from tools.signals import Per, counter, fact, gauge

CLOCK_REASONS = gauge("gpu.clock_reasons", "", Per.GPU, "Reasons for a lowered clock (bit mask)")
GPU_TEMPERATURE = gauge("gpu.temperature", "°C", Per.GPU, "GPU temperature")
SM_CLOCK = gauge("gpu.sm_clock", "MHz", Per.GPU, "SM clock", "min")
REMAP_FAILED = gauge("gpu.remap_failed", "bool", Per.GPU, "Row remap failed", lasting=True)
REMAP_PENDING = gauge("gpu.remap_pending", "bool", Per.GPU, "Row remap pending", lasting=True)
REMAPPED = gauge("gpu.remapped_rows", "rows", Per.GPU, "Rows remapped for uncorrectable errors", lasting=True)
ECC_DOUBLE = gauge(
    "gpu.ecc_double", "errors", Per.GPU, "Uncorrectable ECC errors since the driver was loaded", lasting=True
)
PCIE_REPLAYS = counter("gpu.pcie_replays", "replays", Per.GPU, "PCIe replays")
NVLINK_ERRORS = counter("gpu.nvlink_errors", "errors", Per.GPU, "NVLink CRC errors")
# Whether it reported an hour ago and has not for as long as Prometheus looks back.
GPU_VANISHED = gauge("gpu.vanished", "bool", Per.GPU, "GPU no longer reporting", lasting=True)
# NVML's states: 0 not supported, 1 not started, 2 in progress, 3 completed. Of several GPUs the one that is least far.
FABRIC_STATE = gauge("gpu.fabric_state", "", Per.GPU, "NVLink fabric state (3 is completed)", "min", optional=True)
NODE_GPUS_ALLOCATABLE = fact("node.gpus_allocatable", "GPUs", Per.NODE, "GPUs that the node can give")


def _vanished(metric: str) -> Series:
    now = f"max by ({{by}}) ({metric}{{{{{{sel}}}}}})"
    return Series(
        metric, expr=f"((max by ({{by}}) ({metric}{{{{{{sel}}}}}} offset 1h) >= bool 0) unless {now}) or {now} * 0"
    )


SERIES = {
    "dcgm_exporter": {
        GPU_VANISHED: (_vanished("DCGM_FI_DEV_FB_USED"),),
        CLOCK_REASONS: (
            Series("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", default=False),
            Series("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", default=False),
        ),
        GPU_TEMPERATURE: (Series("DCGM_FI_DEV_GPU_TEMP"), Series("DCGM_FI_DEV_GPU_TEMP_CELSIUS")),
        SM_CLOCK: (Series("DCGM_FI_DEV_SM_CLOCK"),),
        REMAP_FAILED: (Series("DCGM_FI_DEV_ROW_REMAP_FAILURE"), Series("DCGM_FI_DEV_ROW_REMAP_FAILED")),
        REMAP_PENDING: (Series("DCGM_FI_DEV_ROW_REMAP_PENDING", default=False),),
        REMAPPED: (
            Series("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS"),
            Series("DCGM_FI_DEV_ROW_REMAP_UNCORRECTABLE_TOTAL"),
        ),
        ECC_DOUBLE: (Series("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", default=False),),
        PCIE_REPLAYS: (Series("DCGM_FI_DEV_PCIE_REPLAY_COUNTER"), Series("DCGM_FI_DEV_PCIE_REPLAY_TOTAL")),
        NVLINK_ERRORS: (
            Series("DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL", default=False),
            Series("DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_TOTAL", default=False),
        ),
    },
    "nvidia_gpu_exporter": {
        GPU_VANISHED: (_vanished("nvidia_smi_memory_used_bytes"),),
        FABRIC_STATE: (Series("nvidia_smi_fabric_state"),),
    },
}
