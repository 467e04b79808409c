"""How the Kubernetes API answered, kind by kind: what may not be listed is said, with the right that is missing."""

from __future__ import annotations

from tools.observe import CORE_KINDS, Observed
from tools.reading import Blind, Reason
from tools.snapshot import SourceState

NAME = "Kubernetes"
# Without one of these nothing is known of what runs.
_FIRST = ("pods", "nodes")


def kind_states(observed: Observed) -> tuple[SourceState, ...]:
    """The API as one source, blind where it shows nothing; then each kind (and the logs) that it would not tell of."""
    untold = {kind: observed.absent[kind] for kind in (*CORE_KINDS, "logs") if kind in observed.absent}
    whole = _whole(observed, untold)
    state = SourceState(NAME, whole, len(observed.pods), observed.requests)
    if whole is not None and (whole == observed.blind or all(kind in untold for kind in CORE_KINDS)):
        return (state,)
    return (state, *(SourceState(f"{NAME}: {kind}", why) for kind, why in untold.items() if why != whole))


def _whole(observed: Observed, untold: dict[str, Blind]) -> Blind | None:
    if observed.blind is not None and observed.blind.reason is not Reason.FORBIDDEN:
        return observed.blind
    refused = [kind for kind, why in untold.items() if why.reason is Reason.FORBIDDEN]
    if all(kind in refused for kind in CORE_KINDS):
        return Blind(
            Reason.FORBIDDEN,
            f"the API answers, but we may list none of {', '.join(CORE_KINDS)}; bind us a ClusterRole, or a Role in each namespace"
            " that is meant, with the verb list on them and get on pods/log (deploy/base holds one)",
        )
    if observed.pods or observed.nodes:
        return None
    if all(kind in untold for kind in _FIRST):
        return untold["pods"]
    return observed.blind or Blind(Reason.NO_SERIES, "the API answers, but shows neither pods nor nodes")
