"""What can go wrong between Gold and MongoDB."""

from lakehouse.errors import LakehouseError


class ExportError(LakehouseError):
    """The export stopped before it published anything new, or cannot reach MongoDB."""


class ReconciliationError(ExportError):
    """What MongoDB holds in staging is not what Spark sent; nothing was published."""
