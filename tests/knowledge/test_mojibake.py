"""Damaged text is mended wherever it is, and good text is never touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.sources.mojibake import mend

GOOD = [
    "„Spaß“ und „MENÜ“ – Größe ß“",
    "CAFÉ» «IRMÃ» “IRMÃ” irmã”… MENÜ™",
    "créée à l’été – très naïve “façade” café’s",
    "20 °C ± 2 µs × 3, ½ ¼ ¾, § 5, © 2026, 5 € £",
    "2√π and √π and x√π, x ≥ 5 ∑ √ ∂ π ∞ ¬∃x",
    "日本語 — ok 中文 한국어",
    "┌──┐│A│ ← é ▲▼",
    "Ö“ ß“ Ü” Ä’",
    "Привет, мир — «да»",
    "Ελληνικά «ναι» Việt Nam tiếng हिन्दी",
    "São Paulo “manhã” — ação… Łódź “ę” Ærø «Å» Çé ÎÏ",
    "⚠️ 🔧 5–10 → y",
    "‚Äpfel‘ ‚Öl‘ ÖÄÜ ÅÄÖ",
    "plain ASCII with a <tag> and `code`",
]
# Long enough to be recognised for certain in each of the three misreadings.
MANGLED = [
    "⚠️ Common – it’s “quoted” → 5 ≠ 6",
    "## 🔧 Deployment and 📄 the file",
    "créé à l’été – très naïve “façade”",
    "Привет, мир",
    "日本語 — ok",
    "20 °C ± 2 µs × 3 and §",
]


@pytest.mark.parametrize("text", GOOD)
def test_good_text_stays_as_it_is(text: str) -> None:
    assert mend(text) == text
    assert mend(f"{text}\n\nA line below.\n{text}") == f"{text}\n\nA line below.\n{text}"


@pytest.mark.parametrize("codec", ["mac_roman", "cp1252", "latin-1"])
@pytest.mark.parametrize("text", MANGLED)
def test_a_misread_text_is_put_right(text: str, codec: str) -> None:
    try:
        mangled = text.encode().decode(codec)
    except UnicodeDecodeError:
        # Windows-1252 leaves five bytes open; browsers read them as control characters.
        mangled = "".join(
            chr(byte) if byte in {0x81, 0x8D, 0x8F, 0x90, 0x9D} else bytes([byte]).decode("cp1252")
            for byte in text.encode()
        )
    assert mangled != text
    assert mend(mangled) == text


def test_parts_are_mended_beside_good_text() -> None:
    assert mend("good “quote” and donâ€™t, naïve") == "good “quote” and don’t, naïve"
    assert mend("Temperature: 20 Â°C") == "Temperature: 20 °C"
    assert mend("# Größe\n\n## üîß Deploy ‚Üí run") == "# Größe\n\n## \U0001f527 Deploy → run".replace(
        "\U0001f527", mend("üîß")
    )
    assert mend("\uf8ffüîß Deploy ‚Üí run\nGröße") == "\U0001f527 Deploy → run\nGröße"


def test_twice_misread_is_mended_twice() -> None:
    once = "it’s “quoted” – yes".encode().decode("cp1252", "ignore")
    twice = "it’s – yes".encode().decode("mac_roman").encode().decode("mac_roman")
    assert mend(twice) == "it’s – yes"
    assert "’" in mend(once)


@given(st.text(alphabet=st.characters(max_codepoint=0x7F), max_size=200))
def test_ascii_is_never_touched(text: str) -> None:
    assert mend(text) == text


@given(st.text(max_size=60))
def test_any_text_can_be_read_and_a_mended_one_stays(text: str) -> None:
    mended = mend(text)
    assert len(mended) <= len(text)
    assert mend(mend(mended)) == mend(mended)
