"""Which rights in the Kubernetes API a workload's service account has, and how many subjects may do everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tools.facts import Object, at, many, name_of, within
from tools.readers import Listed, Told
from tools.readers.services import Whose, around
from tools.topology import CLUSTER
from tools.vocabulary.readiness import ADMINS, RIGHTS_WIDE, ROLES

KINDS = ("pods", "deployments", "statefulsets", "roles", "rolebindings", "clusterroles", ROLES)
FACTS = (RIGHTS_WIDE, ADMINS)
_ALL = "*"
_CHANGES = {"create", "update", "patch", "delete", _ALL}
_READS = {"get", "list", "watch", _ALL}
# The group that the cluster itself puts its administrators in.
_OWN = "system:masters"


def read(listed: Listed) -> Iterator[Told]:
    """Facts of workloads and the cluster."""
    if ROLES not in listed.items:
        return
    admins = {
        f"{one.get('kind')}/{one.get('namespace') or ''}/{one.get('name')}"
        for binding in listed.of(ROLES)
        if at(binding, "roleRef", "name") == "cluster-admin"
        for one in many(binding, "subjects")
        if one.get("name") != _OWN
    }
    yield Told(str(CLUSTER), {ADMINS: float(len(admins))}, ROLES)
    roles: dict[tuple[str, str, str], Object] = {}
    for kind, called in (("clusterroles", "ClusterRole"), ("roles", "Role")):
        for item in listed.of(kind):
            roles[called, *name_of(item)] = item
    bindings = [*listed.of(ROLES), *listed.of("rolebindings")]
    for whose in around(listed):
        yield Told(str(whose.subject), {RIGHTS_WIDE: "; ".join(_rights(whose, bindings, roles))[:300]}, ROLES)


def _rights(whose: Whose, bindings: Sequence[Object], roles: Mapping[tuple[str, str, str], Object]) -> Iterator[str]:
    spec = within(whose.form, "spec")
    account = str(spec.get("serviceAccountName") or spec.get("serviceAccount") or "default")
    space = whose.subject.namespace
    for binding in bindings:
        inside = name_of(binding)[0]
        if not _bound(binding, space, account):
            continue
        kind, name = str(at(binding, "roleRef", "kind")), str(at(binding, "roleRef", "name"))
        role = roles.get((kind, inside if kind == "Role" else "", name), {})
        power = "everything" if name == "cluster-admin" else _power(role)
        if power:
            where = f"in namespace {inside[:60]}" if inside else "in the whole cluster"
            yield f"{account} may {_said(power)} {where} ({kind} {name})"


def _said(power: str) -> str:
    return "do everything" if power == "everything" else power


def _bound(binding: Object, space: str, account: str) -> bool:
    for one in many(binding, "subjects"):
        kind, name = one.get("kind"), one.get("name")
        if kind == "ServiceAccount" and name == account and one.get("namespace") == space:
            return True
        if kind == "Group" and name in {"system:serviceaccounts", f"system:serviceaccounts:{space}"}:
            return True
    return False


def _power(role: Object) -> str:
    """The widest thing that a role allows, empty when it is none that a model server must not have."""
    found = []
    for rule in many(role, "rules"):
        verbs, resources = _words(rule, "verbs"), _words(rule, "resources")
        if _ALL in verbs and _ALL in resources:
            return "everything"
        if verbs & _READS and resources & {"secrets", _ALL}:
            found.append("read secrets")
        if verbs & _CHANGES and resources & {"pods/exec", "pods/attach", "pods", "deployments", _ALL}:
            found.append("run or enter pods")
        if verbs & {"escalate", "bind", "impersonate"}:
            found.append("take other rights")
    return found[0] if found else ""


def _words(rule: Object, key: str) -> set[str]:
    value = rule.get(key)
    return {str(one) for one in value} if isinstance(value, list) else set()
