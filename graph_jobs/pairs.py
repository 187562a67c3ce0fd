"""Who acted with whom: the vertices and the edges of the actor network, from Silver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# A credit without a place in the billing comes last.
_LAST = 2**31 - 1

# Each pair of a sorted array of distinct ids, once, the lesser first.
_PAIRS = """
flatten(transform(people, (a, i) -> transform(slice(people, i + 2, size(people)), b ->
    struct(a as person_id_a, b as person_id_b))))
"""


def billed_people(cast_members: DataFrame, movies: DataFrame, max_billing: int) -> DataFrame:
    """Return one row a movie with a cast: who stands in its first places of billing.

    People are told apart by id alone. Someone with several credits in a movie takes one place, that of the first of
    them; places are ordered by billing order, then credit id, then person id, so that equal orders do not matter.

    Args:
        cast_members: movie_id, person_id, billing_order, credit_id; one row a movie and credit, as Silver has it.
        movies: movie_id, release_year.
        max_billing: how many places count.

    Returns:
        movie_id string, release_year int (None where unknown), people array<bigint> (distinct, ascending).
    """
    place = F.struct(
        F.coalesce(F.col("billing_order").cast("int"), F.lit(_LAST)).alias("billing_order"),
        F.coalesce("credit_id", F.lit("")).alias("credit_id"),
    )
    credits = (
        cast_members.where("movie_id is not null and person_id is not null")
        .withColumn("person_id", F.col("person_id").cast("bigint"))
        .groupBy("movie_id", "person_id")
        .agg(F.min(place).alias("place"))
    )
    casts = credits.groupBy("movie_id").agg(
        F.slice(F.sort_array(F.collect_list(F.struct("place", "person_id"))), 1, max_billing).alias("billing")
    )
    years = movies.groupBy("movie_id").agg(F.min(F.col("release_year").cast("int")).alias("release_year"))
    return casts.join(years, "movie_id", "left").select(
        "movie_id", "release_year", F.sort_array("billing.person_id").alias("people")
    )


def build_vertices(billed: DataFrame) -> DataFrame:
    """Return id bigint: every person of `billed_people` once, also those who shared a movie with nobody."""
    return billed.select(F.explode("people").alias("id")).distinct()


def build_edges(billed: DataFrame) -> DataFrame:
    """Return the pairs who shared a movie.

    Args:
        billed: as `billed_people` gives it.

    Returns:
        person_id_a < person_id_b bigint, shared_movies int, first_year and last_year int: the least and the greatest
        release year of the shared movies, None where none of them is known.
    """
    pairs = billed.select("release_year", F.explode(F.expr(_PAIRS)).alias("pair")).select("pair.*", "release_year")
    return pairs.groupBy("person_id_a", "person_id_b").agg(
        F.count("*").cast("int").alias("shared_movies"),
        F.min("release_year").alias("first_year"),
        F.max("release_year").alias("last_year"),
    )
