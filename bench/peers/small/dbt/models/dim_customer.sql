-- One row per customer, as last exported.
{{ config(incremental_strategy="merge", unique_key="customer_id") }}

with exported as ({{ new_exports("customers") }})
select * from exported
qualify row_number() over (partition by customer_id order by updated_at desc nulls last, exported_on desc) = 1
