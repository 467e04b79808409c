"""utkuozdemir/nvidia_gpu_exporter: what nvidia-smi tells of each GPU, in base units (bytes, ratios, hertz).

A GPU is told by its UUID without `GPU-` before it; only `nvidia_smi_gpu_info` carries its index and model. Which pod holds a GPU is
not told. Older drivers call the reasons for a low clock `throttle_reasons`. Xids are seen by the NVML backend only, each
code as a series of its own that begins with its first event: `energy_joules_total`, which that backend always exports, is the zero before it.
MIG instances have families of their own and are not read here.
"""

from __future__ import annotations

from tools.series import Series, Source
from tools.signals import (
    GPU_MEM_FREE,
    GPU_MEM_USED,
    GPU_POWER,
    GPU_UTIL,
    XID_BEFORE,
    XID_LAST,
    Per,
)
from tools.vocabulary.gpu_health import (
    CLOCK_REASONS,
    ECC_DOUBLE,
    GPU_TEMPERATURE,
    REMAP_FAILED,
    REMAP_PENDING,
    REMAPPED,
    SM_CLOCK,
)

_NVML = "nvidia_smi_energy_joules_total"
_XID = "nvidia_smi_xid_last_timestamp_seconds"
_NONE = f'label_replace(max by ({{by}}) ({_NVML}{{{{{{sel}}}}}}{{before}}), "xid", "0", "", "") * 0'


def _newest(of: str, before: str = "") -> str:
    """The newest Xid of each GPU as label `xid`, `0` where the backend that would see one saw none."""
    none = _NONE.replace("{before}", before).replace("{by}", "{keys}")
    return f"topk by ({{keys}}) (1, max by ({{by}}) ({of})) or on ({{keys}}) {none}"


SOURCES = (
    Source(
        name="nvidia_gpu_exporter",
        title="nvidia_gpu_exporter",
        per=Per.GPU,
        anchor=("nvidia_smi_gpu_info",),
        keys=("uuid",),
        key_prefix="GPU-",
        identity=("index", "name"),
        tells_pod=False,
        pods=("nvidia-gpu-exporter", "nvidia_gpu_exporter"),
        port=9835,
        signals={
            GPU_UTIL: (Series("nvidia_smi_utilization_gpu_ratio"),),
            GPU_MEM_USED: (Series("nvidia_smi_memory_used_bytes"),),
            GPU_MEM_FREE: (Series("nvidia_smi_memory_free_bytes"),),
            GPU_POWER: (Series("nvidia_smi_power_draw_watts"), Series("nvidia_smi_power_draw_instant_watts")),
            GPU_TEMPERATURE: (Series("nvidia_smi_temperature_gpu"),),
            SM_CLOCK: (Series("nvidia_smi_clocks_current_sm_clock_hz", scale=1e-6),),
            CLOCK_REASONS: (
                Series("nvidia_smi_clocks_event_reasons_active"),
                Series("nvidia_smi_clocks_throttle_reasons_active"),
            ),
            REMAP_FAILED: (Series("nvidia_smi_remapped_rows_failure"),),
            REMAP_PENDING: (Series("nvidia_smi_remapped_rows_pending"),),
            REMAPPED: (Series("nvidia_smi_remapped_rows_uncorrectable"),),
            ECC_DOUBLE: (Series("nvidia_smi_ecc_errors_uncorrected_volatile_total"),),
            XID_LAST: (
                Series(
                    _NVML,
                    label="xid",
                    expr=_newest(f"last_over_time({_XID}{{{{{{sel}}}}}}[{{w}}])"),
                    tells=_XID,
                    default=False,
                    only=("now", "max"),
                ),
                Series(
                    _NVML,
                    # A first event begins its series, which `changes` would miss.
                    expr=(
                        f"count by ({{by}}) ({_XID}{{{{{{sel}}}}}} unless"
                        f" ({_XID}{{{{{{sel}}}}}} == {_XID}{{{{{{sel}}}}}} offset {{w}}))"
                        f" or on ({{by}}) max by ({{by}}) ({_NVML}{{{{{{sel}}}}}}) * 0"
                    ),
                    tells=_XID,
                    default=False,
                    only=("changes",),
                ),
            ),
            XID_BEFORE: (
                Series(
                    _NVML,
                    label="xid",
                    expr=_newest(f"{_XID}{{{{{{sel}}}}}} offset 1h", " offset 1h"),
                    tells=_XID,
                    default=False,
                ),
            ),
        },
        order=21,
    ),
)
