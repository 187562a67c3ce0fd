"""What can go wrong between Gold and its readers."""

from lakehouse.errors import LakehouseError


class PublicationError(LakehouseError):
    """What was asked for cannot be published, or given back; readers see what they saw."""


class ExportError(LakehouseError):
    """The export stopped before it published anything new, or cannot reach MongoDB."""


class ReconciliationError(ExportError):
    """What MongoDB holds in staging is not what Spark sent; nothing was published."""
