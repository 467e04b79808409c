"""What GPUs move over PCIe and NVLink, and what those links can carry.

An idle GPU lowers the generation of its PCIe link, so only the highest of a window tells what it trained to; the width it keeps. DCGM's
`PCIE_RX` is what the GPU receives from the host. `NVLINK_BANDWIDTH_TOTAL` is declared a counter and is a rate, sent and received
together in MB/s; it is not exported for GPUs without NVLink. What a link can carry follows from the GPU's model as DCGM names it.
"""

from __future__ import annotations

from collections import defaultdict

from tools.catalogue.gpus import gpus
from tools.series import Series
from tools.signals import Per, gauge

PCIE_RX = gauge("gpu.pcie_rx", "GB/s", Per.GPU, "PCIe traffic from the host")
PCIE_TX = gauge("gpu.pcie_tx", "GB/s", Per.GPU, "PCIe traffic to the host")
PCIE_MOST = gauge("gpu.pcie_most", "GB/s", Per.GPU, "What the GPU's PCIe link carries a direction", "min")
PCIE_GEN = gauge("gpu.pcie_gen", "", Per.GPU, "PCIe generation of the link", "min")
PCIE_GEN_MAX = gauge("gpu.pcie_gen_max", "", Per.GPU, "Highest PCIe generation of GPU and slot", "min")
PCIE_WIDTH = gauge("gpu.pcie_width", "lanes", Per.GPU, "PCIe width of the link", "min")
PCIE_WIDTH_MAX = gauge("gpu.pcie_width_max", "lanes", Per.GPU, "Highest PCIe width of GPU and slot", "min")
NVLINK = gauge("gpu.nvlink", "GB/s", Per.GPU, "NVLink traffic, both directions", optional=True)
NVLINK_MOST = gauge("gpu.nvlink_most", "GB/s", Per.GPU, "What the GPU's NVLink carries, both directions", optional=True)

# GB/s a lane and direction that transfers reach, by generation: 80 % or so of the raw rate.
LANE = {3: 0.8125, 4: 1.625, 5: 3.25, 6: 6.5}
_ANY = "DCGM_FI_DEV_FB_USED"


def _by_model(known: dict[float, list[str]]) -> Series:
    """A figure of the GPU's model for each GPU that DCGM reports; nothing for models that are not in the catalogue."""
    each = (
        f'{_ANY}{{{{modelName=~"{"|".join(models)}",{{sel}}}}}} * 0 + {value:.10g}' for value, models in known.items()
    )
    return Series(_ANY, expr=f"max by ({{by}}) ({' or '.join(each)})")


def _pcie() -> dict[float, list[str]]:
    found: dict[float, list[str]] = defaultdict(list)
    for gpu in gpus():
        generation, _, lanes = gpu.pcie.partition(" x")
        if gpu.vendor == "NVIDIA":
            found[LANE[int(float(generation))] * int(lanes)] += gpu.names
    return found


def _nvlink() -> dict[float, list[str]]:
    found: dict[float, list[str]] = defaultdict(list)
    for gpu in gpus():
        if gpu.vendor == "NVIDIA" and gpu.nvlink_gbs is not None:
            found[gpu.nvlink_gbs] += gpu.names
    return found


SERIES = {
    "dcgm_exporter": {
        PCIE_RX: (Series("DCGM_FI_PROF_PCIE_RX_BYTES", scale=1e-9),),
        PCIE_TX: (Series("DCGM_FI_PROF_PCIE_TX_BYTES", scale=1e-9),),
        PCIE_MOST: (_by_model(_pcie()),),
        PCIE_GEN: (Series("DCGM_FI_DEV_PCIE_LINK_GEN", default=False),),
        PCIE_GEN_MAX: (Series("DCGM_FI_DEV_PCIE_MAX_LINK_GEN", default=False),),
        PCIE_WIDTH: (Series("DCGM_FI_DEV_PCIE_LINK_WIDTH", default=False),),
        PCIE_WIDTH_MAX: (Series("DCGM_FI_DEV_PCIE_MAX_LINK_WIDTH", default=False),),
        NVLINK: (
            Series("DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", scale=1e-3),
            Series("DCGM_FI_DEV_NVLINK_THROUGHPUT_TOTAL", scale=1e-3),
            Series(
                "DCGM_FI_PROF_NVLINK_TX_BYTES",
                expr=(
                    "avg by ({by}) (avg_over_time(DCGM_FI_PROF_NVLINK_TX_BYTES{{{sel}}}[{w}])"
                    " + avg_over_time(DCGM_FI_PROF_NVLINK_RX_BYTES{{{sel}}}[{w}])) * 1e-9"
                ),
                also=("DCGM_FI_PROF_NVLINK_RX_BYTES",),
                default=False,
                only=("avg",),
            ),
        ),
        NVLINK_MOST: (_by_model(_nvlink()),),
    },
    "nvidia_gpu_exporter": {
        PCIE_RX: (Series("nvidia_smi_pcie_throughput_rx_bytes_per_second", scale=1e-9, default=False),),
        PCIE_TX: (Series("nvidia_smi_pcie_throughput_tx_bytes_per_second", scale=1e-9, default=False),),
        PCIE_GEN: (Series("nvidia_smi_pcie_link_gen_current"),),
        PCIE_GEN_MAX: (Series("nvidia_smi_pcie_link_gen_max"),),
        PCIE_WIDTH: (Series("nvidia_smi_pcie_link_width_current"),),
        PCIE_WIDTH_MAX: (Series("nvidia_smi_pcie_link_width_max"),),
    },
}
