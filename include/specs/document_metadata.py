"""What a document is about, for every document that comes in."""

from typing import Literal

from pydantic import BaseModel, Field

from include.long_documents import LongDocuments
from include.spec import Source, Spec


class DocumentMetadata(BaseModel):
    """One row per document."""

    main_topic: str = Field(max_length=120, description="The main topic, in a few words")
    document_type: str = Field(
        max_length=60, description="The kind of document, such as report, mail, manual or review"
    )
    sentiment: Literal["positive", "neutral", "negative"] = Field(
        description="The attitude of the text as a whole"
    )
    key_entities: list[str] = Field(
        max_length=5, description="Up to five people, organisations, places or products"
    )
    language: str = Field(
        pattern="^[a-z]{2,3}$", description="ISO 639 code of the main language, such as en"
    )
    summary: str = Field(max_length=500, description="One sentence that says what it is about")


SPEC = Spec(
    name="document_metadata",
    answer=DocumentMetadata,
    prompt="document_metadata.md",
    source=Source(by="date_prefix", prefix="documents/dt={ds}/"),
    long_documents=LongDocuments(
        mode="split",
        merge={
            "main_topic": "first",
            "document_type": "first",
            "sentiment": "most_common",
            "key_entities": "union",
            "language": "most_common",
            "summary": "concat",
        },
    ),
)
