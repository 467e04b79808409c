"""Series of node-exporter, which name the address that was scraped, and whose node that is.

The name that its kernel goes by (`node_uname_info`) tells it, joined over `instance`; where nobody exports that, a label `node` does,
which the relabelling of many scrapes adds. Where the kernel's name is not the node's and no label says it, there is nothing to see.
"""

from __future__ import annotations

from tools.series import Series

BY_NAME, BY_LABEL = "node_exporter", "node_exporter_by_label"
NAMES = "node_uname_info"
_NAMED = f" * on (instance) group_left (nodename) max by (instance, nodename) ({NAMES})"


def of_nodes(metric: str, expr: str, *also: str, only: tuple[str, ...], join: str = "max") -> dict[str, Series]:
    """The series of a signal in both forms, by source. `expr` groups by `{group}`; `{sel}` and `{w}` are as ever."""
    joined = f"{join} by ({{by}}) (({expr.replace('{group}', 'instance')}){_NAMED})"
    return {
        BY_NAME: Series(metric, only=only, also=also, expr=joined),
        BY_LABEL: Series(metric, only=only, also=also, expr=expr.replace("{group}", "{by}")),
    }
