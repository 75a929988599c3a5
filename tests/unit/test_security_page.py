"""The rights that docs/security.md grants are those that the code needs."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
READ = {"s3:GetObject"}
RIGHTS = {
    "delete_object": {"s3:DeleteObject", "s3:DeleteObjectVersion"},
    "download_file": READ,
    "get_bucket_versioning": {"s3:GetBucketVersioning"},
    "get_object": READ,
    "list_object_versions": {"s3:ListBucketVersions"},
    "list_objects_v2": {"s3:ListBucket"},
    "put_object": {"s3:PutObject"},
    "upload_file": {"s3:PutObject", "s3:AbortMultipartUpload"},
}
"""What each call needs; an upload of a large file is one in parts."""
TRANSFERS = {"upload_file", "upload_fileobj", "download_file", "download_fileobj"}
BUCKETS = {
    "include/storage.py": "WORK",
    "include/documents/fetching.py": "DOCUMENTS",
    "include/documents/listing.py": "DOCUMENTS",
}
"""Who calls S3, and about which bucket."""
OF_VERSIONS = {"DOCUMENTS": {"s3:GetObjectVersion"}, "WORK": set[str]()}
"""A document is read as the version that was listed."""


def operations() -> set[str]:
    """Return every call that an S3 client has, by its name in Python."""
    from botocore import xform_name
    from botocore.session import get_session

    model = get_session().get_service_model("s3")
    return {xform_name(name) for name in model.operation_names} | TRANSFERS


def calls(path: Path, known: set[str]) -> set[str]:
    """Return the S3 calls of a module, those behind paginators included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name = node.func.attr
        # None is the name of `**request`.
        has_bucket = any(one.arg in {"Bucket", None} for one in node.keywords)
        if name in TRANSFERS or (name in known and has_bucket):
            found.add(name)
        elif name == "get_paginator":
            found.add(str(ast.literal_eval(node.args[0])))
    return found


@pytest.fixture(scope="module")
def needed() -> dict[str, set[str]]:
    """The rights that the code needs, by bucket."""
    known = operations()
    needed: dict[str, set[str]] = {name: set(rights) for name, rights in OF_VERSIONS.items()}
    for path in (PROJECT / "include").rglob("*.py"):
        name = str(path.relative_to(PROJECT))
        if name.startswith("include/simulator/"):
            continue
        for call in calls(path, known):
            needed[BUCKETS[name]] |= RIGHTS[call]
    return needed


def granted() -> dict[str, set[str]]:
    """Return the rights that the page grants, by bucket."""
    page = (PROJECT / "docs" / "security.md").read_text()
    (policy,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    rights: dict[str, set[str]] = {"DOCUMENTS": set(), "WORK": set()}
    statements: list[dict[str, Any]] = json.loads(policy)["Statement"]
    for statement in statements:
        bucket = statement["Resource"].removeprefix("arn:aws:s3:::").partition("/")[0]
        about_objects = "/" in statement["Resource"]
        for right in statement["Action"]:
            is_of_object = "Object" in right or "Multipart" in right
            assert is_of_object == about_objects, f"{right} is granted on the wrong resource"
            rights[bucket].add(right)
    return rights


def test_the_policy_grants_what_the_code_calls_and_nothing_else(
    needed: dict[str, set[str]],
) -> None:
    assert granted() == needed
