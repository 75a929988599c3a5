"""Text as it flows through a page: words, lines, paragraphs, rows and cells."""


class Flow:
    """Collects words and the gaps between them; of a gap only what separates words is kept."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._gap = ""
        self._row_start = 0
        self._is_first_cell = True

    def add(self, text: str) -> None:
        """Add `text` as it is."""
        if self._pieces:
            self._pieces.append(self._gap)
        self._pieces.append(text)
        self._gap = ""

    def add_words(self, text: str) -> None:
        """Add the words of `text`, white space between and around them collapsed."""
        # Quicker by far than a pattern or a translation, on text beyond ASCII above all.
        spaced = text.replace("\n", " ").replace("\t", " ").replace("\r", " ").replace("\f", " ")
        if spaced.startswith(" "):
            self._gap = self._gap or " "
        if words := " ".join(filter(None, spaced.split(" "))):
            self.add(words)
            self._gap = " " if spaced.endswith(" ") else ""

    def break_line(self, *, blank: bool = False) -> None:
        """Begin a line, or a paragraph; a cell that has just begun needs neither."""
        if not self._gap.endswith("\t"):
            self._gap = "\n\n" if blank or self._gap == "\n\n" else "\n"

    def break_row(self) -> None:
        """Begin a row of a table; empty cells at the end of the one before are dropped."""
        self._gap = "\n\n" if self._gap == "\n\n" else "\n"
        self._row_start = len(self._pieces)
        self._is_first_cell = True

    def break_cell(self) -> None:
        """Begin a cell; however many lines the one before had, this one follows after a tab."""
        if not self._is_first_cell:
            has_text = len(self._pieces) > self._row_start
            self._gap = (self._gap.strip(" \n") if has_text else self._gap) + "\t"
        self._is_first_cell = False

    @property
    def piece_count(self) -> int:
        """How much was added so far; only good for comparing."""
        return len(self._pieces)

    def text(self) -> str:
        """Return everything that was added."""
        return "".join(self._pieces)
