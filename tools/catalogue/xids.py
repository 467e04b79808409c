"""NVIDIA's Xid catalogue: what each code means and what the vendor says to do first.

Source: docs.nvidia.com/deploy/xid-errors, catalogue of 2025-10-29. `fatal` marks the codes that no restart of the application mends.
94 is contained but uncorrectable: it ends the application and leaves a remap to apply. 63 records a remap and is no failure.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.finding import Severity


@dataclass(frozen=True, slots=True)
class Xid:
    """One code: the vendor's short text, the first action, severity, and whether the GPU itself needs attention."""

    text: str
    action: str
    severity: Severity
    fatal: bool


_RESET = "Reset the GPU once nothing runs on it (nvidia-smi --gpu-reset), or reboot the node where it cannot be reset."
_REBOOT = "Power-cycle the node; check power, seating and PCIe of this GPU if it returns."
_LINK = "Look at the peer GPU and the NVSwitch as well; drain the node and reset all linked GPUs together."
_REPLACE = "Reset the GPU; if the code returns, have the GPU replaced."
_APP = "Restart the application; suspect the hardware only if the code follows this GPU across applications."


def _fatal(text: str, action: str = _RESET, severity: Severity = "critical") -> Xid:
    return Xid(text, action, severity, fatal=True)


def _minor(text: str, severity: Severity = "low") -> Xid:
    return Xid(text, _APP, severity, fatal=False)


XIDS: dict[int, Xid] = {
    8: _minor("GPU stopped processing", "medium"),
    13: _minor("graphics engine exception"),
    31: _minor("GPU memory page fault"),
    32: _minor("invalid push buffer stream", "medium"),
    43: _minor("GPU stopped processing after an application fault"),
    45: _minor("preemptive clean-up after earlier errors", "info"),
    46: _fatal("GPU stopped processing", severity="high"),
    48: _fatal("double-bit ECC error", _REPLACE),
    62: _fatal("internal micro-controller halt"),
    63: _minor("row remap recorded"),
    64: _fatal("row remap could not be recorded", _REPLACE),
    68: _minor("video decoder exception"),
    69: _minor("graphics engine class error"),
    74: _fatal("NVLink error", _LINK, "high"),
    79: _fatal("GPU has fallen off the bus", _REBOOT),
    92: _minor("high rate of single-bit ECC errors"),
    94: _fatal(
        "contained uncorrectable memory error",
        "Restart the application that was hit, and reset the GPU at the next maintenance so that the row remap applies.",
        "high",
    ),
    95: _fatal("uncontained memory error"),
    109: _fatal("context switch timeout", severity="high"),
    110: _fatal("security fault", severity="high"),
    119: _fatal("GSP call timed out", "Reset the GPU or reboot the node, and update the driver: its firmware hung."),
    120: _fatal("GSP error", "Reset the GPU or reboot the node, and update the driver."),
    121: _minor("C2C link error", "medium"),
    136: _fatal("link training failed", _LINK, "high"),
    137: _minor("NVLink access error", "medium"),
    140: _fatal("unrecovered ECC error", _REPLACE),
    143: _fatal("GPU initialisation error"),
    144: _fatal("NVLink SAW error", _LINK, "high"),
    145: _fatal("NVLink RLW error", _LINK, "high"),
    149: _fatal("NVLink NETIR error", _LINK, "high"),
    150: _fatal("NVLink MSE error", _LINK, "high"),
    155: _fatal("NVLink error found by software", _LINK, "high"),
    156: _fatal("resource retirement", severity="medium"),
    157: _fatal("resource retirement failed", _REPLACE, "high"),
    158: _fatal("GPU fatal timeout"),
    160: _minor("channel retirement"),
    161: _minor("channel retirement failed", "medium"),
    167: _fatal("PCIe fatal timeout", _REBOOT),
    171: _fatal("uncorrectable DRAM error", _REPLACE),
    172: _fatal("uncorrectable SRAM error", _REPLACE),
}
