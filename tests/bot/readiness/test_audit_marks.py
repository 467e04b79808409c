"""What people say of items, laid over what live evidence says; the marks on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.audit_marks import MarkProblem, attest, marked, place_of, waive
from bot.store.readiness import Mark, MarkKind, Place, Readiness
from tests.bot.readiness.worlds_of_items import DAY, NOW, deployment, judged

LINK = "https://wiki.example.org/drill"
EVERYWHERE = Place()


def mark(
    kind: MarkKind = "attested",
    item: str = "XX-01",
    place: Place = EVERYWHERE,
    *,
    until: float = NOW + DAY,
    **more: object,
) -> Mark:
    told = {"by": "Kim", "evidence": LINK if kind == "attested" else "", "note": "because", "at": NOW - DAY}
    return Mark("m1", kind, item, place, until=until, **(told | more))  # type: ignore[arg-type]


def test_what_a_person_showed_is_attested_until_it_ends() -> None:
    one = judged("attest")
    assert [marked([one], [mark()], EVERYWHERE, NOW + age)[0].state for age in (0, DAY - 1, DAY)] == [
        "attested",
        "attested",
        "expired",
    ]
    told = marked([one], [mark()], EVERYWHERE, NOW)[0].why
    assert "Kim" in told
    assert LINK in told
    assert "2026-09-22" in told


def test_an_attestation_stands_where_no_machine_sees_and_never_against_evidence() -> None:
    blind, failing, passing = judged("unknown"), judged("fail", fails=(deployment("a"),)), judged("pass")
    assert [one.state for one in marked([blind, failing, passing], [mark()], EVERYWHERE, NOW)] == [
        "attested",
        "fail",
        "pass",
    ]
    assert "live evidence speaks against" in marked([failing], [mark()], EVERYWHERE, NOW)[0].why
    assert marked([failing], [mark()], EVERYWHERE, NOW + 2 * DAY)[0].state == "fail"
    assert marked([blind], [mark()], EVERYWHERE, NOW + 2 * DAY)[0].state == "expired"


def test_a_withdrawn_mark_is_none_from_then_on() -> None:
    one = judged("attest")
    gone = mark(withdrawn_at=NOW)
    assert marked([one], [gone], EVERYWHERE, NOW - 60)[0].state == "attested"
    assert marked([one], [gone], EVERYWHERE, NOW)[0].state == "attest"
    assert marked([one], [gone], EVERYWHERE, NOW + 2 * DAY)[0].state == "attest", "what was withdrawn does not expire"


def test_a_mark_of_another_place_or_item_changes_nothing() -> None:
    one = judged("attest")
    for other in (mark(item="XX-02"), mark(place=Place("other")), mark(place=Place(namespace="team"))):
        assert marked([one], [other], EVERYWHERE, NOW)[0].state == "attest"
    assert (
        marked([one], [mark(place=Place(namespace="team"))], Place(namespace="team", workload="a"), NOW)[0].state
        == "attested"
    )
    assert marked([one], [mark(place=Place(namespace="team"))], Place(namespace="else"), NOW)[0].state == "attest"


@pytest.mark.parametrize("state", ["fail", "unknown", "attest"])
def test_a_waiver_lets_an_item_be_until_it_ends(state: str) -> None:
    one = judged(state, fails=(deployment("a"),) if state == "fail" else ())  # type: ignore[arg-type]
    let_be = marked([one], [mark("waived")], EVERYWHERE, NOW)[0]
    assert (let_be.state, let_be.broken) == ("waived", ())
    assert "waived by Kim until 2026-09-22: because" in let_be.why
    over = marked([one], [mark("waived")], EVERYWHERE, NOW + DAY)[0]
    assert over.state == state
    assert "Kim's waiver ended on 2026-09-22" in over.why


def test_what_holds_needs_no_waiver() -> None:
    assert marked([judged("pass")], [mark("waived")], EVERYWHERE, NOW)[0].state == "pass"
    assert marked([judged("not_applicable")], [mark("waived")], EVERYWHERE, NOW)[0].state == "not_applicable"


def test_a_workloads_waiver_exempts_that_workload_alone() -> None:
    a, b = deployment("a"), deployment("b")
    one = judged("fail", fails=(a, b), quiet=(deployment("c"),))
    waiver = mark("waived", place=Place(namespace="team", workload="a"))
    rest = marked([one], [waiver], EVERYWHERE, NOW)[0]
    assert (rest.state, rest.failing) == ("fail", (b,))
    assert rest.why.startswith("1 of 2 looked at does not hold it; 1 waived")
    assert rest.cells()[a] == "waived"
    both = marked([one], [mark("waived", place=Place(namespace="team"))], EVERYWHERE, NOW)[0]
    assert both.state == "waived", "what is let be is no pass, even where the rest holds"
    half_blind = marked([judged("fail", fails=(a,), blind=(b,))], [waiver], EVERYWHERE, NOW)[0]
    assert half_blind.state == "unknown", "what cannot be seen does not become waived with its neighbour"


def test_where_a_subject_lies() -> None:
    assert place_of("deployment/team/a", "x") == Place("x", "team", "a")
    assert place_of("gpu/n1/0", "x") == place_of("node/n1", "x") == place_of("cluster/default", "x") == Place("x")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"evidence": "see the wiki"}, "must be a link"),
        ({"evidence": "javascript:alert(1)"}, "must be a link"),
        ({"by": " \u200b "}, "say who"),
        ({"until": NOW}, "is past"),
        ({"until": NOW + 401 * DAY}, "more than 400 days"),
        ({"until": float("nan")}, "no date"),
        ({"note": "x" * 501}, "at most 500"),
    ],
)
def test_an_attestation_without_link_name_or_end_is_refused(
    readiness: Readiness, changed: dict[str, object], said: str
) -> None:
    told = {"by": "Kim", "evidence": LINK, "until": NOW + DAY, "note": "", "now": NOW} | changed
    with pytest.raises(MarkProblem, match=said):
        attest(readiness, "XX-01", EVERYWHERE, **told)  # type: ignore[arg-type]
    assert readiness.marks() == []


def test_a_waiver_without_a_reason_is_refused(readiness: Readiness) -> None:
    with pytest.raises(MarkProblem, match="needs a reason"):
        waive(readiness, "XX-01", EVERYWHERE, by="Kim", reason=" ", until=NOW + DAY, now=NOW)


def test_marks_are_kept_with_who_and_when_and_withdrawn_once(readiness: Readiness) -> None:
    place = Place("prod", "team", "a")
    hostile = "Robert\0'); DROP TABLE readiness_mark; -- 🦊 \ud800"
    made = attest(readiness, "XX-01", place, by=hostile, evidence=LINK, until=NOW + DAY, now=NOW, note="n" * 500)
    other = waive(readiness, "XX-02", EVERYWHERE, by="Lee", reason="pilot", until=NOW + DAY, now=NOW)
    assert [one.id for one in readiness.marks()] == [made.id, other.id] or made.at == other.at
    (kept,) = readiness.marks("prod", "XX-01")
    assert (kept.place, kept.evidence, kept.at) == (place, LINK, NOW)
    assert "DROP TABLE" in kept.by
    assert "\0" not in kept.by
    assert readiness.withdraw(made.id, "Lee")
    assert not readiness.withdraw(made.id, "Kim")
    assert not readiness.withdraw("nobody", "Kim")
    (kept,) = readiness.marks("prod")
    assert (kept.withdrawn_by, kept.withdrawn_at) == ("Lee", NOW)


def test_the_tables_are_those_of_the_migrations(engine: sa.Engine) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from bot.store import subscriptions, watches  # noqa: F401 - their tables
    from bot.store.tables import metadata

    ours = {"readiness_mark", "audit_run", "audit_run_item", "audit_run_cell", "subscription", "watch", "watch_said"}

    def mine(thing: object, name: str | None, kind: str, *_: object) -> bool:
        return (name if kind == "table" else getattr(thing, "table").name) in ours  # noqa: B009 - an index or a column

    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": "rackside_version", "include_object": mine}
        )
        assert compare_metadata(context, metadata) == []


def command(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", "audit", *arguments],
        capture_output=True, text=True, check=False, timeout=120,
        env={"RACKSIDE_HOME": str(home), "PATH": "/usr/bin:/bin", "KUBECONFIG": str(home / "none"), "NO_COLOR": "1"},
    )  # fmt: skip


def test_the_command_line_marks_lists_and_withdraws(tmp_path: Path) -> None:
    done = command(tmp_path, "attest", "dr-03", "--evidence", LINK, "--by", "Kim", "--expires", "90d")
    assert done.returncode == 0, done.stderr
    assert "DR-03 of default is attested by Kim" in done.stdout
    told = json.loads(command(tmp_path, "--json").stdout)
    assert {one["id"]: one["state"] for one in told["items"]}["DR-03"] == "attested"
    (listed,) = json.loads(command(tmp_path, "marks", "--json").stdout)
    assert listed["stands"]
    assert command(tmp_path, "withdraw", listed["id"], "--by", "Lee").returncode == 0
    assert command(tmp_path, "withdraw", listed["id"], "--by", "Lee").returncode == 2
    told = json.loads(command(tmp_path, "--json").stdout)
    assert {one["id"]: one["state"] for one in told["items"]}["DR-03"] == "attest"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("attest", "ZZ-99", "--evidence", LINK, "--by", "Kim", "--expires", "90d"), "no item"),
        (("attest", "DR-03", "--evidence", LINK, "--by", "Kim", "--expires", "soon"), "no date"),
        (("attest", "DR-03", "--evidence", "ftp://x", "--by", "Kim", "--expires", "90d"), "must be a link"),
        (("waive", "DR-03", "--reason", "pilot", "--by", "Kim", "--until", "2020-01-01"), "is past"),
        (("--keep", "--owner", "sre"), "keeps whole audits"),
    ],
)
def test_bad_usage_is_a_sentence(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = command(tmp_path, *arguments)
    assert done.returncode == 2, done.stdout
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_an_audit_of_a_home_without_a_database_makes_none(tmp_path: Path) -> None:
    command(tmp_path, "--json")
    assert not (tmp_path / "rackside.db").exists()


def test_a_broken_database_costs_the_marks_not_the_audit(tmp_path: Path) -> None:
    (tmp_path / "rackside.db").write_bytes(b"this is no database, and it is long enough to be looked at" * 40)
    done = command(tmp_path, "--json")
    told = json.loads(done.stdout)
    assert any("attestations and waivers" in one for one in told["unseen"])
    assert "Traceback" not in done.stderr


def test_what_has_a_name_is_stored_once(readiness: Readiness) -> None:
    first = attest(readiness, "XX-01", EVERYWHERE, by="U1", evidence=LINK, until=NOW + DAY, now=NOW, name="a window")
    again = waive(readiness, "XX-01", EVERYWHERE, by="U2", reason="late", until=NOW + DAY, now=NOW, name="a window")
    assert again == first
    assert readiness.marks() == [first]
