"""What holds a GPU's clock down, as shares of a window, and what it may draw and run at.

One scrape of the reasons (DCGM field 112, a bit mask) says little: a bit comes and goes within a second. Its share over a window is
read off the samples of the mask, bit by bit; where the mask is not exported, off single reasons as 0 or 1, or off counters of nanoseconds (fields 1420 to 1424, or 240
and 241 of older lists). The violation counter of power does not tell the brake of a power supply from the cap of the driver, so it
stands for the cap alone; where it stands still there was neither.
"""

from __future__ import annotations

from tools.series import Series
from tools.signals import Per, gauge

HEAT = gauge("gpu.heat_share", "ratio", Per.GPU, "Share of time that heat held the clock down")
BRAKE = gauge("gpu.brake_share", "ratio", Per.GPU, "Share of time that a power brake held the clock down")
CAPPED = gauge("gpu.capped_share", "ratio", Per.GPU, "Share of time at the power limit")
SET_LOW = gauge("gpu.setting_share", "ratio", Per.GPU, "Share of time that a clock setting held the clock down")
SM_CLOCK_MAX = gauge("gpu.sm_clock_max", "MHz", Per.GPU, "Highest SM clock of the GPU", "min")
SM_CLOCK_PEERS = gauge(
    "gpu.sm_clock_peers", "MHz", Per.GPU, "Highest SM clock in 10 min of GPUs of its kind", "min", optional=True
)
POWER_LIMIT = gauge("gpu.power_limit", "watts", Per.GPU, "Power limit in force", "min")
POWER_LIMIT_DEFAULT = gauge("gpu.power_limit_default", "watts", Per.GPU, "Power limit by default")

# DCGM_CLOCKS_EVENT_REASON_*, which are NVML's nvmlClocksEventReason*: the lowest bit, and how many values a reason's bits have.
SETTING_BIT, CAP_BIT, BRAKE_BIT = (0x2, 2), (0x4, 2), (0x80, 2)
HEAT_BITS = (0x20, 4)  # seen by software, and by hardware in the next bit
_STEP = "30s"
_CLOCK = "DCGM_FI_DEV_SM_CLOCK"
_MASKS = {
    "dcgm_exporter": ("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"),
    "nvidia_gpu_exporter": ("nvidia_smi_clocks_event_reasons_active", "nvidia_smi_clocks_throttle_reasons_active"),
}
_NS = "DCGM_FI_DEV_CLOCKS_EVENT_REASON_{}_NS"
_SECONDS = "nvidia_smi_clocks_event_reasons_counters_{}_seconds"


def _bits(source: str, bits: tuple[int, int]) -> tuple[Series, ...]:
    """The share of samples of the mask that have one of some adjacent bits, by every name of the mask."""
    lowest, values = bits
    found = []
    for name in _MASKS[source]:
        # DCGM's blanks are huge and no mask.
        has = f"floor(({name}{{{{{{sel}}}}}} < 1e9) / {lowest}) % {values} > bool 0"
        expr = f"max by ({{by}}) (avg_over_time(({has})[{{w}}:{_STEP}]))"
        found.append(Series(name, expr=expr, default=source != "dcgm_exporter", only=("avg",)))
    return tuple(found)


def _counted(*names: str, per_second: float = 1e-9, default: bool = False) -> tuple[Series, ...]:
    """The share of time that counters of slowed time grew, the greatest of them, wherever one of them is exported."""
    # Without its name a series of one counter is that of the other, and `or` would drop it.
    each = (f'label_replace(rate({name}{{{{{{sel}}}}}}[{{w}}]), "counter", "{name}", "", "")' for name in names)
    expr = f"clamp_max(max by ({{by}}) ({' or '.join(each)}) * {per_second:.10g}, 1)"
    return tuple(Series(name, expr=expr, default=default, only=("avg",)) for name in names)


def _flags(*names: str) -> tuple[Series, ...]:
    """The share of samples in which one of some reasons held, the greatest of them, where nvidia-smi was asked for each and not for the mask."""
    reasons = [f"nvidia_smi_clocks_{kind}_reasons_{name}" for kind in ("event", "throttle") for name in names]
    each = (f'label_replace(avg_over_time({one}{{{{{{sel}}}}}}[{{w}}]), "flag", "{one}", "", "")' for one in reasons)
    expr = f"max by ({{by}}) ({' or '.join(each)})"
    return tuple(Series(one, expr=expr, only=("avg",)) for one in reasons)


def _none(name: str) -> Series:
    """0 where a counter of two reasons stood still: then neither of them held the clock down."""
    return Series(name, expr=f"max by ({{by}}) (rate({name}{{{{{{sel}}}}}}[{{w}}])) == 0", default=False, only=("avg",))


def _old(name: str) -> Series:
    return Series(name, default=False)


SERIES = {
    "dcgm_exporter": {
        HEAT: (
            *_bits("dcgm_exporter", HEAT_BITS),
            *_counted(_NS.format("HW_THERM_SLOWDOWN"), _NS.format("SW_THERM_SLOWDOWN")),
            *_counted("DCGM_FI_DEV_THERMAL_VIOLATION"),
        ),
        BRAKE: (
            *_bits("dcgm_exporter", BRAKE_BIT),
            *_counted(_NS.format("HW_POWER_BRAKE_SLOWDOWN")),
            _none("DCGM_FI_DEV_POWER_VIOLATION"),
        ),
        CAPPED: (
            *_bits("dcgm_exporter", CAP_BIT),
            *_counted(_NS.format("SW_POWER_CAP")),
            *_counted("DCGM_FI_DEV_POWER_VIOLATION"),
        ),
        SET_LOW: _bits("dcgm_exporter", SETTING_BIT),
        SM_CLOCK_MAX: (_old("DCGM_FI_DEV_MAX_SM_CLOCK"),),
        SM_CLOCK_PEERS: (
            Series(
                _CLOCK,
                expr=(
                    f'max by ({{by}}) ({_CLOCK}{{{{modelName!="",{{sel}}}}}} * 0 + on (modelName) group_left ()'
                    f" max by (modelName) (max_over_time({_CLOCK}{{{{{{sel}}}}}}[10m])))"
                ),
                only=("now",),
            ),
        ),
        POWER_LIMIT: (
            _old("DCGM_FI_DEV_ENFORCED_POWER_LIMIT"),
            _old("DCGM_FI_DEV_BOARD_POWER_LIMIT_ENFORCED_WATTS"),
            _old("DCGM_FI_DEV_POWER_MGMT_LIMIT"),
            _old("DCGM_FI_DEV_BOARD_POWER_LIMIT_REQUESTED_WATTS"),
        ),
        POWER_LIMIT_DEFAULT: (
            _old("DCGM_FI_DEV_POWER_MGMT_LIMIT_DEF"),
            _old("DCGM_FI_DEV_BOARD_POWER_LIMIT_DEFAULT_WATTS"),
        ),
    },
    "nvidia_gpu_exporter": {
        HEAT: (
            *_bits("nvidia_gpu_exporter", HEAT_BITS),
            *_flags("hw_thermal_slowdown", "sw_thermal_slowdown"),
            *_counted(
                _SECONDS.format("hw_thermal_slowdown"),
                _SECONDS.format("sw_thermal_slowdown"),
                per_second=1.0,
                default=True,
            ),
        ),
        BRAKE: (
            *_bits("nvidia_gpu_exporter", BRAKE_BIT),
            *_flags("hw_power_brake_slowdown"),
            *_counted(_SECONDS.format("hw_power_brake_slowdown"), per_second=1.0, default=True),
        ),
        CAPPED: (
            *_bits("nvidia_gpu_exporter", CAP_BIT),
            *_flags("sw_power_cap"),
            *_counted(_SECONDS.format("sw_power_cap"), per_second=1.0, default=True),
        ),
        SET_LOW: (*_bits("nvidia_gpu_exporter", SETTING_BIT), *_flags("applications_clocks_setting")),
        SM_CLOCK_MAX: (Series("nvidia_smi_clocks_max_sm_clock_hz", scale=1e-6),),
        POWER_LIMIT: (Series("nvidia_smi_enforced_power_limit_watts"), Series("nvidia_smi_power_limit_watts")),
        POWER_LIMIT_DEFAULT: (Series("nvidia_smi_power_default_limit_watts"),),
    },
}
