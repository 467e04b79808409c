"""A page for each team with the items that it signs: generated from the items, so that it never lags behind them.

Each item names its owner; a team asks the other way round. `python -m knowledge.overviews` writes these pages, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from knowledge.home import PACKS
from knowledge.items import OWNERS, Item, items
from knowledge.pages import load_shelf

PACK = "deployment-readiness"
# What people call a team, in the order of titles and aliases.
CALLED = {
    "ml": ("ML engineers", "ml team, data science, model owner, machine learning engineers"),
    "mlops": ("MLOps", "mlops team, ml platform, deployment engineers, release"),
    "platform": (
        "The platform team",
        "platform team, infrastructure, infra, kubernetes admins, hardware, cluster team",
    ),
    "sre": ("SRE", "sre team, on-call, reliability, operations, ops"),
    "security": ("The security team", "security, infosec, ciso, appsec"),
    "finops": ("FinOps", "finops, finance, cost owner, controlling"),
    "product": ("Product", "product owner, product manager, business"),
    "data": ("The data team", "data protection, data owner, privacy, dpo"),
    "governance": ("Governance and legal", "legal, compliance, governance, risk, licence approval"),
}
DAYS = ("Before there is a cluster (day 0)", "Before real traffic (day 1)", "While it serves (day 2)")
# So many of the gravest are named where the page opens.
NAMED = 3


def pages(root: Path = PACKS) -> dict[Path, str]:
    """Every team's page with the content that it should have; none where no item names an owner."""
    shelf = load_shelf(root)
    if PACK not in {pack.id for pack in shelf.packs}:
        return {}
    found = items(shelf.pages)
    dates = {page.id: page.date for page in shelf.pages}
    made = {}
    for owner in OWNERS:
        theirs = [item for item in found if owner in item.owners]
        if theirs:
            made[root / PACK / f"for-{owner}.md"] = _page(owner, theirs, max(dates[item.page] for item in theirs))
    return made


def _page(owner: str, theirs: list[Item], date: str) -> str:
    name, also = CALLED[owner]
    verb = "signs" if name.startswith("The ") or name in {"SRE", "MLOps", "FinOps", "Product"} else "sign"
    gravest = [item for item in theirs if item.severity == "critical"] or theirs
    named = "; ".join(f"{item.title} ({item.id})" for item in gravest[:NAMED])
    aliases = ", ".join(f"what {other} has to sign off" for other in also.split(", "))
    sources = {source.url: source.title for item in theirs for source in item.sources}
    listed = "\n".join(
        f'  - {{title: "{title.replace(chr(34), "")}", url: "{url}"}}' for url, title in list(sources.items())[:5]
    )
    related = ", ".join(list(dict.fromkeys(item.page for item in theirs))[:8])
    days = "\n".join(_day(day, [item for item in theirs if item.phase == day], name) for day in range(len(DAYS)))
    return (
        f'---\ntitle: "{name}: what to tick off and sign before go-live and after"\n'
        f"aliases: [{aliases}, who owns what of {owner}]\n"
        f"date: {date}\nsources:\n{listed}\nrelated: [{related}]\napplies: [any]\n---\n"
        f"{name} {verb} {len(theirs)} items of the checklists. The gravest: {named}.\n\n{days}"
    )


def _day(day: int, theirs: list[Item], name: str) -> str:
    if not theirs:
        return ""
    areas: dict[str, list[Item]] = {}
    for item in theirs:
        areas.setdefault(item.page, []).append(item)
    lines = [f"- [{found[0].area}](../{page}.md): {_titles(found)}." for page, found in areas.items()]
    who = name.replace("The ", "the ")
    return "\n".join([f"## {DAYS[day]}: what {who} must tick off", "", *lines, ""])


def _titles(found: Iterable[Item]) -> str:
    return "; ".join(f"{item.id} {item.title}" for item in found)
