{#
    What the movies of one director or one company did together: the select items of a ranking, over rows of
    `movie_performance`.
#}
{% macro portfolio_measures(movies) -%}
    count(*) as total_movies,
        count({{ movies }}.weighted_rating) as rated_movies,
        {{ exact_avg(movies ~ '.weighted_rating') }} as mean_weighted_rating,
        sum({{ movies }}.revenue) as total_revenue,
        percentile({{ movies }}.revenue, 0.5) as median_revenue,
        count({{ movies }}.revenue) as revenue_movies,
        -- of all money that is known on both sides, not the mean of ratios
        sum({{ movies }}.profit) / sum({{ movies }}.budget) filter (where {{ movies }}.profit is not null) as roi,
        count({{ movies }}.roi) as roi_movies,
        count_if({{ movies }}.roi >= {{ var('hit_minimum_roi') }}) / nullif(count({{ movies }}.roi), 0) as hit_rate
{%- endmacro %}
