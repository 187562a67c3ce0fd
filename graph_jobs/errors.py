"""What can go wrong in a graph job."""

from lakehouse.errors import LakehouseError


class GraphError(LakehouseError):
    """A network could not be computed, or a result breaks a law that it must keep."""
