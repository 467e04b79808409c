"""Is a question in another language? Told from its letters and its commonest words; what is not clearly one is none.

Pages, signals and rules are in English, so a question in another language is mostly taken for one about something else: it is said why.
"""

from __future__ import annotations

import re
import unicodedata

ENGLISH = (
    "I read English only, and this looks like another language: please ask in English, for example `why is the first token so slow in"
    " namespace prod?` Names, log lines and numbers can stay as they are."
)
_LATIN = re.compile(r"[a-z\u00c0-\u024f]+(?:'[a-z]+)?")
# So much of a sentence is in another script by no accident.
_OTHER_SCRIPT = 0.3
# Words that ask; one is enough. And words that few sentences of a language do without; two are. What English has, too, or places, domains
# and units have (was, die, das, come, on, los, com, est, con), is in neither.
_ASKING_WORDS = """
warum wieso weshalb welche welcher welches wieviel pourquoi quelle quelles combien porqué cuál cuánto cuántos dónde porquê quanto quantos
onde perché quale quali dov'è waarom hoeveel welke dlaczego czemu jaki jaka neden niçin nasıl varför hvorfor miksi proč prečo kolik zašto
zakaj miért hogyan
"""
_COMMON_WORDS = """
ist sind nicht mein meine meinen unser unsere unseren eine einen der und oder für mit seit wird werden können kannst bitte zeig haben wie
wir ich langsam läuft kaputt sont pas mes notre nos une avec dans depuis peut peux lent lente qu'est c'est qui por cómo qué está están las
mis nuestro nuestra una desde puede puedo lento muy para como não são meu minha nosso nossa uma pode muito sono della nostro nostra gli
questo molto lenta het een niet mijn onze zijn sinds jest są nie mój nasz jak bir çok inte är vår hur ikke vores hvordan
"""
_ASKING, _COMMON = frozenset(_ASKING_WORDS.split()), frozenset(_COMMON_WORDS.split())


def other_language(text: str) -> bool:
    """Whether a cleaned text is clearly in another language than English."""
    letters = [char for char in text if char.isalpha()]
    if not letters:
        return False
    others = sum(not unicodedata.name(char, "LATIN").startswith("LATIN") for char in letters)
    if others >= _OTHER_SCRIPT * len(letters):
        return True
    words = set(_LATIN.findall(text.lower()))
    return bool(_ASKING & words) or len(_COMMON & words) >= 2
