import gzip
import json
from pathlib import Path


def real_overviews(data: Path) -> list[str]:
    """Every distinct overview of the real records, blank ones left out."""
    found = set()
    for name in ("tmdb_movies", "tmdb_observations"):
        with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                overview = record.get("record", record).get("overview")
                if isinstance(overview, str) and overview.strip():
                    found.add(overview)
    return sorted(found)
