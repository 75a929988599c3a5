"""Extraction of a folder of real documents, against digests of phrases that other programs found in
them.

The documents themselves are not part of the project. The test looks for a folder `CORPUS`, or
`shared/corpora/dev` beside the project; corpus.csv names its files.
"""

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from include.documents.__main__ import extract_folder

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
CORPUS = Path(os.environ.get("CORPUS") or ROOT.parent / "shared/corpora/dev")
EXPECTED = Path(__file__).with_name("corpus.csv")


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"there is no corpus {CORPUS}; set CORPUS")
def test_corpus_of_real_documents_is_read(tmp_path: Path) -> None:
    out = tmp_path / "corpus.parquet"
    tally = extract_folder(CORPUS, out, workers=os.cpu_count() or 1, manifests=[EXPECTED])
    assert tally.hits.total() > 0
    assert tally.rate("phrases") >= 0.97, tally.report(1)
    assert tally.rate("outcomes") >= 0.97, tally.report(1)
    assert pq.read_metadata(out).num_rows == tally.documents.total()
