"""nvitop-exporter: names that end in their unit and begin with no vendor, so `devicename` tells them from others' of that name.

Sizes are MiB, ratios percent, clocks MHz. It knows no pods, no Xids, no reasons for a low clock and no memory errors. What a device
cannot tell is NaN.
"""

from __future__ import annotations

from tools.series import Series, Source
from tools.signals import GPU_MEM_FREE, GPU_MEM_USED, GPU_POWER, GPU_UTIL, Per
from tools.vocabulary.gpu_health import GPU_TEMPERATURE, SM_CLOCK

MIB = 1024.0 * 1024.0

SOURCES = (
    Source(
        name="nvitop_exporter",
        title="nvitop-exporter",
        per=Per.GPU,
        anchor=("gpu_memory_total_MiB",),
        keys=("uuid",),
        identity=("index", "devicename"),
        match='devicename!=""',
        tells_pod=False,
        pods=("nvitop",),
        port=8000,
        signals={
            GPU_UTIL: (Series("gpu_utilization_Percentage", scale=0.01),),
            GPU_MEM_USED: (Series("gpu_memory_used_MiB", scale=MIB),),
            GPU_MEM_FREE: (Series("gpu_memory_free_MiB", scale=MIB),),
            GPU_POWER: (Series("gpu_power_usage_W"),),
            GPU_TEMPERATURE: (Series("gpu_temperature_C"),),
            SM_CLOCK: (Series("gpu_clock_sm_MHz"),),
        },
        order=22,
    ),
)
