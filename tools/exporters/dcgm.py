"""NVIDIA dcgm-exporter: its default counter set, with the names of DCGM 4.6 beside the older ones.

`DCGM_FI_DEV_GPU_UTIL` is the time in which a kernel was resident, not how much of the GPU worked; it is not reported for MIG
instances, whose busy time is `GR_ENGINE_ACTIVE`. `XID_ERRORS` holds the last Xid seen and stays after the fault.
Framebuffer sizes are MiB. Values above 1e15 are DCGM's blanks and no readings.
"""

from __future__ import annotations

from tools.series import Series, Source
from tools.signals import (
    GPU_DRAM,
    GPU_MEM_FREE,
    GPU_MEM_USED,
    GPU_POWER,
    GPU_TENSOR,
    GPU_UTIL,
    XID_BEFORE,
    XID_LAST,
    XID_WINDOW,
    Per,
)

MIB = 1024.0 * 1024.0

SOURCES = (
    Source(
        name="dcgm_exporter",
        title="dcgm-exporter",
        per=Per.GPU,
        # Always exported, whatever the GPU does (the utilisation is missing under MIG). The Xid may outlive the rest.
        anchor=("DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_SM_CLOCK", "DCGM_FI_DEV_XID_ERRORS", "DCGM_FI_DEV_XID_ERROR"),
        keys=("UUID", "GPU_I_ID"),
        pods=("dcgm-exporter",),
        port=9400,
        signals={
            GPU_UTIL: (
                Series("DCGM_FI_DEV_GPU_UTIL", scale=0.01),
                Series("DCGM_FI_DEV_GPU_UTIL_RATIO", scale=0.01),
                Series("DCGM_FI_PROF_GR_ENGINE_ACTIVE"),
            ),
            GPU_TENSOR: (Series("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE"), Series("DCGM_FI_PROF_TENSOR_UTIL_RATIO")),
            GPU_DRAM: (Series("DCGM_FI_PROF_DRAM_ACTIVE"), Series("DCGM_FI_PROF_DRAM_UTIL_RATIO")),
            GPU_MEM_USED: (Series("DCGM_FI_DEV_FB_USED", scale=MIB),),
            GPU_MEM_FREE: (Series("DCGM_FI_DEV_FB_FREE", scale=MIB),),
            GPU_POWER: (Series("DCGM_FI_DEV_POWER_USAGE"), Series("DCGM_FI_DEV_BOARD_POWER_WATTS")),
            XID_LAST: (Series("DCGM_FI_DEV_XID_ERRORS"), Series("DCGM_FI_DEV_XID_ERROR")),
            XID_BEFORE: tuple(
                Series(metric, expr=f"max by ({{by}}) ({metric}{{{{{{sel}}}}}} offset 1h)")
                for metric in ("DCGM_FI_DEV_XID_ERRORS", "DCGM_FI_DEV_XID_ERROR")
            ),
            XID_WINDOW: (
                Series(
                    "DCGM_EXP_XID_ERRORS_COUNT",
                    label="xid",
                    expr="max by ({by}) (DCGM_EXP_XID_ERRORS_COUNT{{{sel}}}) > 0",
                    default=False,
                ),
            ),
        },
        order=20,
    ),
)
