"""From a path and its query to TMDB's answer, out of the synthetic catalogue."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from ingestion.standin.answers import Answer, Refused, failure, found
from ingestion.standin.exports import export
from ingestion.standin.world import World, details, list_item, part
from ingestion.synthetic.words import GENRES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ingestion.standin.lists import Standings

Query = Mapping[str, str]

LAST_PAGE = 500
_CHANGES_A_PAGE = 100
_LONGEST_WINDOW = timedelta(days=14)
_MOST_APPENDED = 20
_DAY = timedelta(days=1)

_GENRES = {"genres": [{"id": number, "name": name} for number, name, _ in GENRES]}
_CONFIGURATION = {
    "change_keys": [
        "adult", "budget", "cast", "crew", "general", "genres", "homepage", "images", "imdb_id", "languages",
        "origin_country", "original_title", "overview", "plot_keywords", "production_companies",
        "production_countries", "releases", "revenue", "runtime", "softcore", "spoken_languages", "status", "tagline",
        "title", "translations", "video", "videos",
    ],
    "images": {
        "base_url": "http://image.tmdb.org/t/p/",
        "secure_base_url": "https://image.tmdb.org/t/p/",
        "backdrop_sizes": ["w300", "w780", "w1280", "original"],
        "logo_sizes": ["w45", "w92", "w154", "w185", "w300", "w500", "original"],
        "poster_sizes": ["w92", "w154", "w185", "w342", "w500", "w780", "original"],
        "profile_sizes": ["w45", "w185", "h632", "original"],
        "still_sizes": ["w92", "w185", "w300", "original"],
    },
}  # fmt: skip


def answer(world: World, path: str, query: Query) -> Answer:
    """Answer a GET of `path`, which begins with `/3/` or `/p/exports/`.

    Args:
        world: the catalogue at its instant.
        path: without the query.
        query: names and values; those that TMDB would not know are passed over, as it does.
    """
    if path.startswith("/p/exports/"):
        return export(world, path)
    try:
        return _answer(world, path.removeprefix("/3").strip("/").split("/"), query)
    except Refused as refused:
        return failure(refused.code)


def _answer(world: World, parts: list[str], query: Query) -> Answer:
    match parts:
        case ["movie", "changes"]:
            return _changes(world, query)
        case ["movie", ("popular" | "top_rated" | "now_playing" | "upcoming") as name]:
            return _list(world, name, query)
        case ["discover", "movie"]:
            return _list(world, "discover", query)
        case ["trending", "movie", ("day" | "week") as window]:
            return _list(world, window, query)
        case ["movie", number]:
            appended = set(filter(None, query.get("append_to_response", "").split(",")))
            if len(appended) > _MOST_APPENDED:
                raise Refused(27)
            return details(world, _index(world, number), appended)
        case ["movie", number, "changes"]:
            return _changes_of(world, _index(world, number), query)
        case ["movie", number, name]:
            return part(world, _index(world, number), name)
        case ["genre", "movie", "list"]:
            return found(_GENRES)
        case ["configuration"]:
            return found(_CONFIGURATION)
    raise Refused(34)


def _index(world: World, number: str) -> int:
    index = world.index_of(int(number)) if number.isascii() and number.isdigit() and len(number) < 19 else None
    if index is None:
        raise Refused(34)
    return index


def _page(query: Query) -> int:
    try:
        page = int(query.get("page", "1"))
    except ValueError:
        raise Refused(22) from None
    if not 1 <= page <= LAST_PAGE:
        raise Refused(22)
    return page


def _date(query: Query, name: str, default: date) -> date:
    try:
        return date.fromisoformat(query[name]) if query.get(name) else default
    except ValueError:
        raise Refused(23) from None


def _list(world: World, name: str, query: Query) -> Answer:
    # numpy takes a third of the start; only lists and changes need it.
    from ingestion.standin import lists

    page = _page(query)
    today = world.today.date()
    at = lists.standings(world.seed, world.movies, world.today)
    order, dates = _order(world, at, name, query)
    items = [list_item(world, index) for index in lists.page_of(world.seed, name, today, order, page)]
    if name in ("day", "week"):
        items = [{**item, "media_type": "movie"} for item in items]
    # TMDB claims far more pages of its whole catalogue than it gives out.
    total = world.movies if len(order) == len(at.popularity) and name in ("popular", "discover") else len(order)
    return found(
        {
            **({"dates": {"maximum": f"{dates[1]}", "minimum": f"{dates[0]}"}} if dates else {}),
            "page": page,
            "results": items,
            "total_pages": -(-total // lists.PAGE_SIZE),
            "total_results": total,
        }
    )


def _order(
    world: World, at: "Standings", name: str, query: Query
) -> "tuple[NDArray[np.int64], tuple[date, date] | None]":
    from ingestion.standin import lists

    today = world.today.date()
    match name:
        case "popular":
            return lists.popular(at), None
        case "top_rated":
            return lists.top_rated(at), None
        case "now_playing" | "upcoming":
            dates = lists.showing(today) if name == "now_playing" else lists.announced(today)
            return lists.released_between(at, *dates), dates
        case "day" | "week":
            return lists.trending(world.seed, at, today, name), None
    return _discovered(at, query), None


def _discovered(at: "Standings", query: Query) -> "NDArray[np.int64]":
    from ingestion.standin import lists

    first = max(_date(query, f"{name}release_date.gte", date.min) for name in ("primary_", ""))
    last = min(_date(query, f"{name}release_date.lte", date.max) for name in ("primary_", ""))
    year = query.get("primary_release_year") or query.get("year")
    if year and year.isascii() and year.isdigit() and 1 <= int(year) <= 9999:
        first, last = max(first, date(int(year), 1, 1)), min(last, date(int(year), 12, 31))
    try:
        votes, average = int(query.get("vote_count.gte") or 0), float(query.get("vote_average.gte") or 0)
    except ValueError:
        votes, average = 0, 0.0
    return lists.discovered(at, query.get("sort_by", "popularity.desc"), first, last, votes, average)


def _window(world: World, query: Query) -> tuple[datetime, datetime]:
    """The changes' window. Both of its days count whole, as far as they have passed."""
    if not query.get("start_date") and not query.get("end_date"):
        return world.today - _DAY, world.today
    if query.get("start_date"):
        first = _date(query, "start_date", date.min)
        last = _date(query, "end_date", first + _DAY)
    else:
        last = _date(query, "end_date", date.min)
        first = last - _DAY
    if not timedelta() <= last - first <= _LONGEST_WINDOW:
        raise Refused(20)
    begin = datetime.combine(first, time(tzinfo=UTC))
    end = min(datetime.combine(last, time(tzinfo=UTC)) + _DAY, world.today)
    return begin, max(begin, end)


def _changes(world: World, query: Query) -> Answer:
    from ingestion.standin.changes import change, changes_between

    page = _page(query)
    changes = changes_between(world.seed, world.movies, *_window(world, query))
    total = len(changes.indices)
    first = (page - 1) * _CHANGES_A_PAGE
    results = []
    for position in range(first, min(total, first + _CHANGES_A_PAGE)):
        one = change(world.seed, changes, position)
        known = None if one.is_deleted else False
        results.append({"id": one.movie_id, "adult": known, "softcore": known})
    pages = -(-total // _CHANGES_A_PAGE)
    return found({"results": results, "page": page, "total_pages": pages, "total_results": total})


def _changes_of(world: World, index: int, query: Query) -> Answer:
    """The one latest change of a movie in the window; TMDB would give all, with what they were before."""
    from ingestion.standin.changes import changed_at, changes_between

    changes = changes_between(world.seed, world.movies, *_window(world, query))
    at = changed_at(changes, index)
    listed: list[dict[str, Any]] = []
    if at:
        movie = list_item(world, index)
        item = {
            "id": f"{int(at.timestamp()):08x}{movie['id']:016x}",
            "action": "updated",
            "time": f"{at:%Y-%m-%d %H:%M:%S} UTC",
            "iso_639_1": "en",
            "iso_3166_1": "US",
            "value": movie["overview"],
        }
        listed.append({"key": "overview", "items": [item]})
    return found({"changes": listed})
