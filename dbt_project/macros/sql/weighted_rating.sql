{#
    IMDb's weighted rating, (v/(v+m))R + (m/(v+m))C: a rating R with v votes is drawn to the mean rating C of all movies as
    if m = var('rating_prior_votes') more votes of C had been cast. NULL where there is no rating; six places.
#}
{% macro weighted_rating(rating, votes, mean_rating) -%}
    round(
        (
            {{ votes }} * {{ rating }} + {{ var('rating_prior_votes') }} * {{ mean_rating }}
        ) / ({{ votes }} + {{ var('rating_prior_votes') }}),
        6
    )
{%- endmacro %}
