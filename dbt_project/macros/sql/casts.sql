{#
    Casts of JSON scalars, which staging reads as text because TMDB's types flip: popularity was a string once, whole
    floats arrive as ints. Each gives NULL where the text does not hold such a value; `uncastable` tells that from NULL.
#}

{#
    Whole numbers from 0 on; "120.0" and "1.2E2" are 120. All that TMDB counts is 0 or more, and 0 where it is not known.
    One beyond `at_most`, by default 64 bits, is NULL; without ANSI mode a plain cast would make another number of it.
#}
{% macro to_count(text, at_most=9223372036854775807) -%}
    case
        when try_cast({{ text }} as bigint) between 0 and {{ at_most }} then try_cast({{ text }} as bigint)
        when
            try_cast({{ text }} as decimal(38, 6)) between 0 and {{ at_most }}
            and try_cast({{ text }} as decimal(38, 6)) % 1 = 0
            then cast(try_cast({{ text }} as decimal(38, 6)) as bigint)
    end
{%- endmacro %}


{# Numbers from 0 to `at_most`: "NaN" and "Infinity" are casts that succeed and that no average survives. #}
{% macro to_measure(text, at_most) -%}
    case when try_cast({{ text }} as double) between 0 and {{ at_most }} then try_cast({{ text }} as double) end
{%- endmacro %}


{# Dates as TMDB writes them, YYYY-MM-DD; a bare year is not a date. #}
{% macro to_date(text) -%}
    case
        when {{ text }} rlike '^[0-9]{4}-[0-9]{2}-[0-9]{2}' then try_cast(substring({{ text }}, 1, 10) as date)
    end
{%- endmacro %}


{# Instants as TMDB writes them, ISO 8601 with a time zone (UTC). #}
{% macro to_timestamp(text) -%}
    case when {{ text }} rlike '^[0-9]{4}-[0-9]{2}-[0-9]{2}T' then try_cast({{ text }} as timestamp) end
{%- endmacro %}


{# Text; blank text is NULL. #}
{% macro to_text(text) -%}
    case when trim({{ text }}) != '' then {{ text }} end
{%- endmacro %}


{#
    JSON without the escapes of NUL characters, which many readers cannot store. Taken out before it is parsed: once a
    payload costs a fraction of once a field. An escaped backslash before `u0000` is text, and stays.
#}
{% macro without_nul(payload) -%}
    case
        when contains({{ payload }}, r'\u0000')
            then regexp_replace({{ payload }}, r'(?<!\\)((?:\\\\)*)\\u0000', '$1')
        else {{ payload }}
    end
{%- endmacro %}


{# The name of a field that holds something and gave NULL when it was cast; NULL otherwise. #}
{% macro uncastable(name, text, value) -%}
    case when {{ text }} != '' and {{ value }} is null then '{{ name }}' end
{%- endmacro %}


{# The same for a list: present, not null in the payload, and yet it gave NULL, or an entry without a usable id. #}
{% macro unreadable_list(name, list, path) -%}
    case
        when
            case when is_plain then movie.{{ list }} is null else as_text.{{ list }} is null end
            and get_json_object(payload, '{{ path }}') is not null
            then '{{ name }}'
        when is_plain then case when exists(movie.{{ list }}, entry -> entry.id is null) then '{{ name }}' end
        when exists(as_text.{{ list }}, entry -> try_cast(nullif(trim(entry.id), '') as bigint) is null)
            then '{{ name }}'
    end
{%- endmacro %}


{#
    The entries of a list of the payload that have an id, in their order. Those of a plain payload are taken as they were read;
    of any other each value is cast. `fields` are what an entry holds beside its id: its name in the payload, the name here, and
    its type, string or int. Used in `stg_tmdb__observations`, which has `is_plain`, `movie` and `as_text`.
#}
{% macro entries_of(list, id, fields) -%}
    case
        when is_plain
            then cast(
                filter(movie.{{ list }}, entry -> entry.id is not null)
                as array<struct<{{ id }}: bigint{% for _, name, type in fields %}, {{ name }}: {{ type }}{% endfor %}>>
            )
        else filter(
            transform(
                as_text.{{ list }},
                entry -> struct(
                    try_cast(entry.id as bigint) as {{ id }}
                    {%- for field, name, type in fields %},
                    {{ to_text('entry.' ~ field) if type == 'string' else 'try_cast(entry.' ~ field ~ ' as ' ~ type ~ ')' }} as {{ name }}
                    {%- endfor %}
                )
            ),
            entry -> entry.{{ id }} is not null
        )
    end
{%- endmacro %}
