import pytest

from include.documents.formats.html import read, text_of


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One\n  two<p>Three", "One two\n\nThree"),
        ("a<br>b", "a\nb"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("a<b>b</b> <i> c</i>d", "ab cd"),
        ("<h1>A</h1>b<ul><li>c<li>d</ul>e", "A\n\nb\n\nc\nd\n\ne"),
        ("<pre>  if x:\n\n\n    y</pre>z", "  if x:\n\n\n    y\n\nz"),
        ("<title> The  page </title>words", "The page\n\nwords"),
        ("<img alt='A cat'> sleeps", "A cat sleeps"),
        ("<script>x</script><style>y</style><template>z</template>words", "words"),
        ("<svg><title>Chart</title></svg>", "Chart"),
        ("&lt;b&gt; &amp; &eacute;&nbsp;", "<b> & é\u00a0"),
        ("<custom-element>a</custom-element>b", "ab"),
        ("", ""),
    ],
)
def test_page_reads_as_it_looks(markup: str, text: str) -> None:
    assert text_of(markup) == text


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ("<tr><td>1<td>2<tr><td>3<td>4", "1\t2\n3\t4"),
        ("<tr><th><th>B<tr><td>a<td>1", "\tB\na\t1"),
        ("<tr><td>a<td><td>c<tr><td>d<td><td>", "a\t\tc\nd"),
        ("<tr><td> a <td> b ", "a\tb"),
    ],
    ids=["plain", "empty corner", "empty cells", "spaces"],
)
def test_cells_keep_their_columns(rows: str, text: str) -> None:
    assert text_of(f"top<table>{rows}</table>end") == f"top\n{text}\nend"


def test_cell_follows_the_last_line_of_the_one_before() -> None:
    assert text_of("<table><tr><td><p>a</p><p>b</p><td><p>c</p></table>") == "a\n\nb\tc"


def test_nesting_beyond_the_stack_is_read() -> None:
    assert text_of("<div><b>" * 3_000 + "deep") == "deep"


@pytest.mark.parametrize(
    "head",
    [
        b'<meta charset="koi8-r">',
        b'<meta http-equiv=content-type content="text/html; charset=KOI8-R">',
    ],
)
def test_declared_encoding_is_believed(head: bytes) -> None:
    assert read(head + "Да".encode("koi8-r")).text == "Да"
