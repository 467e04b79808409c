"""What dcgm-exporter exposes with its default counters; values change once per collection of 30 seconds."""

from __future__ import annotations

from collections.abc import Iterable

from evals.fleet.devices import Device, Reading
from evals.fleet.hardware import LANES, MIB
from evals.fleet.sample import Labels, Sample, SampleType, labels_of

XID_TEXTS = {
    0: "No Error",
    13: "Graphics Engine Exception",
    31: "GPU memory page fault",
    43: "GPU stopped processing",
    45: "Preemptive cleanup, due to previous errors",
    48: "Double Bit ECC Error",
    63: "ECC page retirement or row remapping recording event",
    64: "ECC page retirement or row remapper recording failure",
    74: "NVLINK Error",
    79: "GPU has fallen off the bus",
    92: "High single-bit ECC error rate",
    94: "Contained ECC error",
    95: "Uncontained ECC error",
    119: "GSP RPC Timeout",
}


_REMAPPED = {"remap_pending": 2, "remap_failed": 9, "double_bit": 1}


def samples(devices: Iterable[Device], driver: str, full: bool = False) -> list[Sample]:
    """The exposition of one node's exporter; ``full`` adds counters that are commented out in its default list.

    A device that fell off the bus keeps only its last Xid.
    """
    found: list[Sample] = []
    for device in devices:
        state = (device.reading, (device.holder, device.ailment))
        if device.exposed is None or device.exposed[0] is not state[0] or device.exposed[1] != state[1]:
            device.exposed = (*state, _exposed(device, driver, full))
        found += device.exposed[2]
    return found


def _exposed(device: Device, driver: str, full: bool) -> list[Sample]:
    reading = device.reading
    who = _labels(device, driver)
    text = XID_TEXTS.get(reading.xid, "Unknown Error")
    xid = tuple(sorted((*who, ("err_code", str(reading.xid)), ("err_msg", text))))
    found = [Sample("DCGM_FI_DEV_XID_ERRORS", xid, float(reading.xid))]
    return found if reading.lost else found + _alive(device, reading, who, full)


def _labels(device: Device, driver: str) -> Labels:
    namespace, pod, container = device.holder
    return labels_of(
        gpu=str(device.index),
        UUID=device.uuid,
        pci_bus_id=device.bus,
        device=f"nvidia{device.index}",
        modelName=device.model.product,
        Hostname=device.node,
        DCGM_FI_DRIVER_VERSION=driver,
        container=container,
        namespace=namespace,
        pod=pod,
    )


def _alive(device: Device, reading: Reading, who: Labels, full: bool) -> list[Sample]:
    model = device.model
    used = round(reading.memory / MIB)
    values: list[tuple[str, float, SampleType]] = [
        ("SM_CLOCK", reading.clock, "gauge"),
        ("MEM_CLOCK", model.mem_clock if reading.clock > 400 or model.hbm else 405, "gauge"),
        ("GPU_TEMP", round(reading.temperature), "gauge"),
        ("POWER_USAGE", round(reading.power, 3), "gauge"),
        ("TOTAL_ENERGY_CONSUMPTION", round(reading.energy * 1000), "counter"),
        ("PCIE_REPLAY_COUNTER", reading.replays, "counter"),
        ("GPU_UTIL", round(100 * reading.busy), "gauge"),
        ("MEM_COPY_UTIL", round(100 * min(1.0, reading.dram * 0.92)), "gauge"),
        ("ENC_UTIL", 0, "gauge"),
        ("DEC_UTIL", 0, "gauge"),
        ("FB_FREE", model.memory_mib - model.reserved_mib - used, "gauge"),
        ("FB_USED", used, "gauge"),
        ("FB_RESERVED", model.reserved_mib, "gauge"),
        ("VGPU_LICENSE_STATUS", 0, "gauge"),
        ("UNCORRECTABLE_REMAPPED_ROWS", _REMAPPED.get(device.ailment, 0), "counter"),
        ("CORRECTABLE_REMAPPED_ROWS", 0, "counter"),
        ("ROW_REMAP_FAILURE", int(device.ailment == "remap_failed"), "gauge"),
    ]
    if full:
        values += [
            ("CLOCK_THROTTLE_REASONS", reading.reasons, "gauge"),
            ("THERMAL_VIOLATION", round(reading.thermal), "counter"),
            ("POWER_VIOLATION", round(reading.powered), "counter"),
            ("ROW_REMAP_PENDING", int(device.ailment == "remap_pending"), "gauge"),
            ("ECC_DBE_VOL_TOTAL", 3 * int(device.ailment == "double_bit"), "counter"),
            ("ECC_SBE_VOL_TOTAL", 0, "counter"),
            ("MAX_SM_CLOCK", model.sm_clock, "gauge"),
            ("ENFORCED_POWER_LIMIT", device.power_limit, "gauge"),
            ("POWER_MGMT_LIMIT_DEF", round(model.tdp), "gauge"),
            ("PCIE_LINK_GEN", device.link_generation, "gauge"),
            ("PCIE_MAX_LINK_GEN", model.pcie, "gauge"),
            ("PCIE_LINK_WIDTH", device.lanes, "gauge"),
            ("PCIE_MAX_LINK_WIDTH", LANES, "gauge"),
        ]
    if model.hbm:
        values.append(("MEMORY_TEMP", round(reading.temperature + 4 + 9 * reading.dram), "gauge"))
    if model.nvlink:
        values.append(("NVLINK_BANDWIDTH_TOTAL", round(reading.link / 1e6), "counter"))
    found = [Sample(f"DCGM_FI_DEV_{name}", who, float(value), kind) for name, value, kind in values]
    for name, value in (
        ("GR_ENGINE_ACTIVE", round(reading.busy, 6)),
        ("PIPE_TENSOR_ACTIVE", round(reading.tensor, 6)),
        ("DRAM_ACTIVE", round(reading.dram, 6)),
        ("PCIE_TX_BYTES", float(round(reading.pcie))),
        ("PCIE_RX_BYTES", float(round(reading.pcie * 1.7 + reading.fetched))),
    ):
        found.append(Sample(f"DCGM_FI_PROF_{name}", who, value))
    return found
