-- One row per store, as last exported.
{{ config(incremental_strategy="merge", unique_key="store_id") }}

with exported as ({{ new_exports("stores") }})
select * from exported
qualify row_number() over (partition by store_id order by updated_at desc nulls last, exported_on desc) = 1
