"""What MongoDB's readers are given, held to what readers of `gold` see, once an export has ended."""

from typing import TYPE_CHECKING

from pymongo.errors import PyMongoError

from lakehouse.settings import Settings
from serving.announcement import CURRENT, PUBLICATIONS
from serving.errors import ExportError, ReconciliationError
from serving.marts import MARTS
from serving.mongo import connect, reason, retried
from serving.publication import current_publication

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_AGAIN = "Run `lakehouse export` again."


def require_same(spark: "SparkSession", settings: Settings) -> str:
    """Make sure that MongoDB serves the publication that readers of `gold` see, whole; say so in a line.

    Each document was compared with its row before it was served; here it is what is served that is looked at: of which
    publication, with how many documents, with which indexes.

    Raises:
        ExportError: nothing is published, or MongoDB does not answer.
        ReconciliationError: MongoDB serves another publication, or not all of it.
    """
    publication = current_publication(spark)
    if publication is None:
        raise ExportError("Nothing is published yet that could be exported.", "Run `lakehouse publish` first.")
    uri = settings.mongo.uri.get_secret_value()
    served = connect(uri, settings.mongo.database)
    try:
        told = retried(lambda: {document["_id"]: document for document in served[PUBLICATIONS].find()})
        current = told.get(CURRENT, {})
        if not current.get("is_whole") or current.get("publication_id") != publication.publication_id:
            found = current.get("publication_id") or "none"
            raise ReconciliationError(
                f"MongoDB serves the publication {found}{'' if current.get('is_whole') else ', and not all of it'}; "
                f"readers of gold see {publication.publication_id}.",
                _AGAIN,
            )
        documents = 0
        marts = [mart for mart in MARTS if mart.name in publication.marts]
        for mart in marts:
            rows = told.get(mart.name, {}).get("rows")
            counted = retried(lambda name=mart.name: served[name].count_documents({}))  # type: ignore[misc]
            if counted != rows:
                raise ReconciliationError(
                    f"The collection {mart.name} holds {counted:,} documents; {rows or 0:,} were exported.", _AGAIN
                )
            documents += counted
    except PyMongoError as error:
        raise ExportError(f"MongoDB cannot be asked: {reason(error, uri)}.", _AGAIN) from error
    return f"{documents:,} documents in {len(marts)} collections, all of {publication.publication_id}"
