"""How GPUs are reported: whether their values still move, whether profiling tells of them, and whom their series name.

dcgm-exporter repeats the last values when NVML no longer answers; the energy counter of a live GPU grows at any load, so one that
stands still is a reading of the past. nvidia_gpu_exporter tells when it last heard from the driver (`last_collect_success_timestamp_seconds`,
from 1.7.0): with `--collect.interval` it repeats what it heard then. A GPU that nobody holds bears the name of the exporter's own pod once Prometheus added it.
"""

from __future__ import annotations

from tools.series import Series
from tools.signals import Per, counter, gauge

ENERGY = counter("gpu.energy", "joules", Per.GPU, "Energy that the GPU used", optional=True)
HEARD_AGO = gauge(
    "gpu.heard_ago", "seconds", Per.GPU, "Time since the exporter last heard from the driver", optional=True
)
MOVES = gauge("gpu.moves", "changes", Per.GPU, "Changes of what is told of the GPU in an hour", optional=True)
PROFILED = gauge("gpu.profiled", "bool", Per.GPU, "Profiling tells of the GPU", "min", optional=True)
NAMES_HOLDER = gauge("gpu.names_holder", "bool", Per.GPU, "Series of the GPU name a pod that holds it", optional=True)
HOLDERS = gauge("gpu.holders", "pods", Per.GPU, "Pods that the series of the GPU name", optional=True)

_ANY = "DCGM_FI_DEV_FB_USED"
_SEEN_WITHIN = "6h"
_EXPORTER = ".*(dcgm|gpu-exporter|gpu_exporter).*"


def _profiled(metric: str) -> Series:
    """1 where it is there; 0 where the GPU reports without it although GPUs of its kind have it, or it had it lately itself."""
    return Series(
        metric,
        expr=(
            f"max by ({{by}}) ({metric}{{{{{{sel}}}}}}) * 0 + 1"
            f" or max by ({{by}}) ({_ANY}{{{{{{sel}}}}}} and on (modelName) {metric}{{{{{{sel}}}}}}) * 0"
            f" or max by ({{by}}) (last_over_time({metric}{{{{{{sel}}}}}}[{_SEEN_WITHIN}]) and on ({{by}}) {_ANY}{{{{{{sel}}}}}}) * 0"
        ),
        also=(_ANY,),
        default=False,
        only=("now",),
    )


def _moves(power: str, heat: str, *others: str) -> Series:
    """How often what is told changed in an hour, of a GPU that was told of an hour ago: of a younger one nothing is known.

    Who repeats old values repeats all of them: `others` count where they are there. It costs an hour of many series, and dcgm-exporter counts
    energy unless told otherwise, which says it better.
    """
    told = [
        f"max by ({{by}}) (changes({metric}{{{{{{sel}}}}}}[1h]) and {metric}{{{{{{sel}}}}}} offset 1h)"
        for metric in (power, heat)
    ]
    told += [
        f"(max by ({{by}}) (changes({metric}{{{{{{sel}}}}}}[1h])) or max by ({{by}}) ({power}{{{{{{sel}}}}}}) * 0)"
        for metric in others
    ]
    return Series(power, expr=" + ".join(told), also=(heat,), only=("now",))


_HEARD = "nvidia_smi_last_collect_success_timestamp_seconds"
_HEARD_AGO = Series(
    "nvidia_smi_gpu_info",
    # The exporter tells it once, for all GPUs of its node.
    expr=(
        "max by ({by}) (nvidia_smi_gpu_info{{{sel}}} * 0 + on (job, instance) group_left ()"
        f" (time() - max by (job, instance) ({_HEARD}{{{{{{sel}}}}}})))"
    ),
    also=(_HEARD,),
    tells=_HEARD,
    only=("now",),
)

SERIES = {
    "dcgm_exporter": {
        ENERGY: (Series("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", scale=1e-3),),
        PROFILED: (_profiled("DCGM_FI_PROF_GR_ENGINE_ACTIVE"), _profiled("DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO")),
        NAMES_HOLDER: (
            Series(
                _ANY,
                expr=(
                    f'max by ({{by}}) ({_ANY}{{{{exported_pod!="",{{sel}}}}}}) * 0 + 1'
                    f' or max by ({{by}}) ({_ANY}{{{{pod!="",pod!~"{_EXPORTER}",{{sel}}}}}}) * 0 + 1'
                    f" or max by ({{by}}) ({_ANY}{{{{{{sel}}}}}}) * 0"
                ),
                only=("now",),
            ),
        ),
        HOLDERS: (
            Series(
                _ANY,
                expr=(
                    f"count by ({{by}}) (count by ({{by}}, namespace, pod, exported_namespace, exported_pod)"
                    f" ({_ANY}{{{{{{sel}}}}}}))"
                ),
                only=("now",),
            ),
        ),
    },
    "nvidia_gpu_exporter": {
        ENERGY: (Series("nvidia_smi_energy_joules_total", default=False),),
        HEARD_AGO: (_HEARD_AGO,),
        MOVES: (
            _moves(
                "nvidia_smi_power_draw_watts",
                "nvidia_smi_temperature_gpu",
                "nvidia_smi_utilization_gpu_ratio",
                "nvidia_smi_clocks_current_sm_clock_hz",
                "nvidia_smi_memory_used_bytes",
            ),
        ),
    },
    "nvitop_exporter": {
        MOVES: (_moves("gpu_power_usage_W", "gpu_temperature_C", "gpu_utilization_Percentage", "gpu_memory_used_MiB"),),
    },
}
