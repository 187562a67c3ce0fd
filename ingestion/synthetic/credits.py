"""Cast and crew of one movie of the catalogue."""

import random

from ingestion.synthetic.people import person
from ingestion.synthetic.words import CHARACTERS, CREW_JOBS, LANGUAGES

# Actors have even person numbers, crew odd ones; an actor may also produce.
_KINDS = 2
_CIRCLES = len(LANGUAGES)


def credits_text(chance: random.Random, seed: int, index: int, circle: int) -> str:
    """Cast and crew as JSON text.

    A person's number is drawn by a power law from a pool that grows with the movie's number, so that a few
    people are in very many movies, whatever the size of the catalogue. Most of a cast comes from one circle
    (those who work in one language), which gives the network its communities.
    """
    draw = chance.random
    credit = f"{index:016x}"
    cast: list[str] = []
    actors: list[int] = []
    pool = (2400 + 3 * index) // _CIRCLES
    for order in range(_cast_size(chance)):
        own = circle if draw() < 0.9 else int(draw() * _CIRCLES)
        number = own + _CIRCLES * int(pool * draw() ** 1.35)
        if number in actors and draw() < 0.97:
            continue
        actors.append(number)
        character = "" if draw() < 0.006 else CHARACTERS[int(draw() * len(CHARACTERS))]
        fields = person(seed, _KINDS * number, "Acting").json_fields
        cast.append(
            f'{{{fields},"cast_id":{order + 1},"character":"{character}","credit_id":"{credit}a{order:07x}",'
            f'"order":{len(cast)}}}'
        )
    crew = []
    for position, (number, job, department) in enumerate(_crew(chance, index, circle, actors)):
        known_for = "Acting" if number % _KINDS == 0 else department
        fields = person(seed, number, known_for).json_fields
        crew.append(f'{{{fields},"credit_id":"{credit}c{position:07x}","department":"{department}","job":"{job}"}}')
    return f'{{"cast":[{",".join(cast)}],"crew":[{",".join(crew)}]}}'


def _cast_size(chance: random.Random) -> int:
    kind = chance.random()
    if kind < 0.009:
        return 0
    if kind < 0.0125:
        return 100 + int(chance.random() * 125)
    return 1 + int(min(60, chance.lognormvariate(2.42, 0.55)))


def _crew(chance: random.Random, index: int, circle: int, actors: list[int]) -> list[tuple[int, str, str]]:
    """Person number, job and department. Directors: none in 1 of 100, two in 6 of 100."""
    draw = chance.random
    pool = (480 + index // 2) // _CIRCLES
    share = draw()
    crew = []
    for _ in range(0 if share < 0.01 else 2 if share > 0.94 else 1):
        number = _KINDS * (circle + _CIRCLES * int(pool * draw() ** 1.3)) + 1
        crew.append((number, "Director", "Directing"))
    if len(crew) == 2 and crew[0][0] == crew[1][0]:
        crew.pop()
    if actors and draw() < 0.08:
        crew.append((_KINDS * actors[0], "Producer", "Production"))
    for job, department in CREW_JOBS[: int(draw() * 9)]:
        number = _KINDS * (circle + _CIRCLES * int(2 * pool * draw() ** 1.3)) + 1
        if (number, job, department) not in crew:
            crew.append((number, job, department))
    return crew
