"""The people of the catalogue: each is a pure function of the seed and a number."""

import random
from functools import lru_cache
from typing import NamedTuple

from ingestion.synthetic.words import FIRST_NAMES, LAST_NAMES

_FIRST_PERSON_ID = 1_000


class Person(NamedTuple):
    """A person; `json_fields` are what cast and crew entries share, as JSON text without braces."""

    person_id: int
    json_fields: str


# Bounded: the popular few are asked for again and again, the many others once.
@lru_cache(maxsize=32_768)
def person(seed: int, number: int, department: str) -> Person:
    """Make a person up.

    Names are drawn from fewer combinations than there are people, so that different people share a name, as
    they do on TMDB.

    Args:
        seed: the catalogue's seed.
        number: which person, from 0; low numbers are the busy ones.
        department: what the person is known for.
    """
    chance = random.Random(f"{seed}:person:{number}")
    first = FIRST_NAMES[int(chance.random() * len(FIRST_NAMES))]
    last = LAST_NAMES[int(chance.random() * len(LAST_NAMES))]
    gender = (0, 1, 1, 2, 2, 2, 1, 2, 0, 3)[int(chance.random() * 10)]
    popularity = round(chance.lognormvariate(-0.5, 0.9), 4)
    form = chance.random()
    if form < 0.5:
        first = f"{first} {'ABCDEFGHIJKLMNOPRSTVWZ'[int(chance.random() * 22)]}."
    elif form < 0.92:
        last = f"{last}-{LAST_NAMES[int(chance.random() * len(LAST_NAMES))]}"
    name = f"{first} {last}"
    profile = f'"/{chance.getrandbits(108):027x}.jpg"' if chance.random() < 0.45 else "null"
    person_id = _FIRST_PERSON_ID + 3 * number
    return Person(
        person_id,
        f'"adult":false,"gender":{gender},"id":{person_id},"known_for_department":"{department}",'
        f'"name":"{name}","original_name":"{name}","popularity":{popularity},"profile_path":{profile}',
    )
