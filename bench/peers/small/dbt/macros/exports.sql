-- The latest export day that a relation holds, as a literal.
{% macro latest_export(relation) %}
    {%- set found = run_query("select max(exported_on) from " ~ relation) -%}
    date '{{ found.columns[0].values()[0] }}'
{%- endmacro %}

-- A source's exports; in an incremental run those that this model has not read yet.
{% macro new_exports(name) %}
    select * rename (date as exported_on) from {{ source("oltp", name) }}
    {% if is_incremental() %} where date > {{ latest_export(this) }} {% endif %}
{% endmacro %}
