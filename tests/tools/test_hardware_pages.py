"""The hardware pack: generated pages are current, hold the catalogue's figures, and what is written by hand agrees with the arithmetic."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.pages import load_shelf
from tools import hardware_pages
from tools.catalogue.gpus import gpu, gpus
from tools.catalogue.models import model, models
from tools.prices import list_prices
from tools.sizing import Request, size
from tools.sizing_speed import speed

PACK = hardware_pages.PACK


def test_the_generated_pages_are_current() -> None:
    assert hardware_pages.stale() == [], "run python -m tools.hardware_pages"


def test_they_are_written_and_found_stale_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware_pages, "PACK", tmp_path / "hardware")
    assert len(hardware_pages.stale()) == 6
    assert hardware_pages.main(["--check"]) == 1
    assert hardware_pages.main([]) == 0
    assert hardware_pages.main(["--check"]) == 0
    page = tmp_path / "hardware" / "gpu-catalogue.md"
    page.write_text(page.read_text(encoding="utf-8").replace("3,350", "3,351"), encoding="utf-8")
    assert hardware_pages.stale() == [page]


def test_every_row_is_on_its_page() -> None:
    text = {path.stem: path.read_text(encoding="utf-8") for path in PACK.glob("*.md")}
    for one in gpus():
        assert f"## {one.title}: memory, bandwidth, TFLOPS" in text["gpu-catalogue"]
        assert f"| {one.title}" in text["gpu-comparison"]
        assert (f"## MIG profiles of the {one.title}\n" in text["mig-profiles"]) == bool(one.mig)
    for shape in models():
        assert shape.like or f"| {shape.title} |" in text["model-catalogue"]
    for row in list_prices():
        assert f"## Price of the {gpu(row.gpu).title} per hour" in text["gpu-prices"]
        assert row.date in text["gpu-prices"]


def test_every_page_of_the_pack_has_an_opening_and_primary_sources() -> None:
    pages = [page for page in load_shelf(PACK.parent).pages if page.id.startswith("hardware/")]
    assert len(pages) >= 15
    for page in pages:
        assert page.sources
        assert page.text.strip()[:1] not in {"#", "|", "-"}


@pytest.mark.parametrize(
    ("name", "card", "count", "context", "dtype", "room"),
    [
        ("llama-3.1-70b", "h100", 2, 8192, None, 2), ("llama-3.1-70b", "h100", 2, 8192, "fp8", 27), ("llama-3.1-70b", "h200", 2, 8192, None, 46),
        ("llama-3.1-70b", "h100", 4, 8192, None, 57), ("llama-3.1-70b", "l40s", 4, 8192, "fp8", 34), ("llama-3.1-405b", "h100", 8, 8192, "fp8", 42),
        ("llama-3.1-405b", "h200", 8, 32_768, None, 14), ("deepseek-r1", "h200", 8, 32_768, None, 20), ("mixtral-8x7b", "h100", 2, 8192, None, 50),
    ],
)  # fmt: skip
def test_the_rooms_on_the_sizing_page_are_what_the_arithmetic_says(
    name: str, card: str, count: int, context: int, dtype: str | None, room: int
) -> None:
    assert size(Request(model(name), gpu(card), count, context, 1, dtype)).sequences == room
    assert str(room) in (PACK / "model-sizing.md").read_text(encoding="utf-8")


def test_the_speeds_on_the_decode_page_are_what_the_arithmetic_says() -> None:
    found = speed(size(Request(model("llama-3.1-70b"), gpu("h100"), 4, 8192, 16)))
    assert found is not None
    assert (round(found.alone), round(found.each), round(found.together)) == (93, 73, 1165)
    assert "at most 93 tokens/s; 16 of them 73 each, 1,165 together" in (PACK / "decode-speed.md").read_text(
        encoding="utf-8"
    )
