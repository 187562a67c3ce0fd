"""`_publications`: what MongoDB's readers are told of the collections, one document a collection and one of them all.

The document `current` says which publication all collections are of, and whether an export is moving them just now. To
read several collections as one: read it, and where `is_whole`, read them, and read it again. Where it is the same, they
were of that publication.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from bson.int64 import Int64
from pymongo.database import Database

from serving.documents import Document
from serving.mongo import retried

PUBLICATIONS = "_publications"
CURRENT = "current"


def begin(served: "Database[Document]") -> None:
    """Say, before the first collection moves, that they are not of one publication; it stays, should the export die."""
    _change(served, {"is_whole": False})


def tell(served: "Database[Document]", mart: str, about: Document) -> None:
    """Say of one collection what it now holds."""
    retried(lambda: served[PUBLICATIONS].replace_one({"_id": mart}, {"_id": mart, **about}, upsert=True))


def others(served: "Database[Document]", marts: Collection[str]) -> list[str]:
    """The collections that an export made, and that are of none of `marts`."""
    told = retried(lambda: [document["_id"] for document in served[PUBLICATIONS].find()])
    return sorted(name for name in told if name != CURRENT and name not in marts)


def forget(served: "Database[Document]", mart: str) -> None:
    """Say no more of a collection that is gone."""
    retried(lambda: served[PUBLICATIONS].delete_one({"_id": mart}))


def end(served: "Database[Document]", run_id: str, publication_id: str | None, as_of: datetime | None) -> None:
    """Say, after the last collection has moved, of which publication they all are."""
    _change(served, {"is_whole": True, "run_id": run_id, "publication_id": publication_id, "as_of": as_of})


def _change(served: "Database[Document]", values: dict[str, Any]) -> None:
    # The number tells two exports of the same publication apart, for a reader between them.
    change = {"$set": values, "$inc": {"changes": Int64(1)}}
    retried(lambda: served[PUBLICATIONS].update_one({"_id": CURRENT}, change, upsert=True))
