"""An index that is rebuilt while another process reads it: every read answers, and sees whole builds only."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from knowledge.encoder import Encoder
from knowledge.indexing import build_index
from knowledge.search import Library

CHECKOUT = Path(__file__).resolve().parents[2]
PACKS = Path(__file__).parent / "data" / "packs"

# Prints a line when it starts, then searches until its input closes, and says what it saw.
READER = """
import json, sys, threading
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from conftest import CountingEncoder
from knowledge.search import Library
library = Library.open(Path(sys.argv[1]), encoder=CountingEncoder())
closed = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), closed.set()), daemon=True).start()
reads, failed, texts = 0, [], []
while not closed.is_set() or reads == 0:
    try:
        hits = library.search("which edition of the routing page is this", 12)
        texts.append(next(hit.passage.text for hit in hits if hit.passage.page_id == "serving/routing"))
        if {hit.passage.page_id for hit in hits} != {page.id for page in library.pages()}:
            # The pointer may have moved between the two calls; both builds hold the same pages.
            failed.append("pages differ")
    except Exception as error:
        failed.append(repr(error))
    if reads == 0:
        print("reading", flush=True)
    reads += 1
print(json.dumps({"reads": reads, "failed": failed[:5], "texts": list(dict.fromkeys(texts))}))
"""


def edition(number: int) -> str:
    return f"---\ntitle: Routing\n---\nThis is edition {number} of the routing page.\n"


def test_no_read_fails_while_the_index_is_rebuilt(tmp_path: Path, counting: Encoder) -> None:
    packs, home = tmp_path / "packs", tmp_path / "home"
    shutil.copytree(PACKS, packs)
    routing = packs / "serving" / "routing.md"
    routing.write_text(edition(0))
    build_index(home, packs=packs, encoder=counting)
    here = Library.open(home, packs=packs, encoder=counting)
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(home), str(Path(__file__).parent)],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "reading\n", reader.communicate()[1]
        for number in range(1, 9):
            routing.write_text(edition(number))
            build_index(home, packs=packs, encoder=counting)
            assert f"edition {number} " in here.search("edition of the routing page", 1)[0].passage.text
        out, err = reader.communicate("", timeout=60)
    finally:
        reader.kill()
    assert err == ""
    told = json.loads(out)
    assert told["failed"] == []
    assert told["reads"] > 8
    seen = [int(text.split("edition ")[1].split()[0]) for text in told["texts"]]
    assert seen[0] == 0
    assert len(seen) > 1
    assert seen == sorted(seen)
    here.close()
