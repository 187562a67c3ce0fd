{#
    Where a join must neither lose rows nor multiply them, both sides have as many. Fails with a row for each that differs.
#}
{% set pairs = [
    ('movie_records', 'movies'),
    ('stg_tmdb__observations', 'movie_observations'),
] %}

with

row_counts as (

    {% for before, after in pairs %}
    {{ 'union all' if not loop.first }}

    select
        '{{ after }} against {{ before }}' as what,
        (select count(*) from {{ ref(before) }}) as expected_rows,
        (select count(*) from {{ ref(after) }}) as found_rows
    {% endfor %}

)

select * from row_counts
where found_rows != expected_rows
