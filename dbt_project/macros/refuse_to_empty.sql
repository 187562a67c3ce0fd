{# `--empty` builds every table without rows, to see whether the SQL works. What others read must not become such a table. #}
{% macro refuse_to_empty() -%}
    {%- if execute and flags.EMPTY and target.name == 'local' -%}
        {{ exceptions.raise_compiler_error(
            '--empty would replace the published tables by empty ones. Add --target scratch.'
        ) }}
    {%- endif -%}
{%- endmacro %}
