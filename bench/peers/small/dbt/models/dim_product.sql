-- One row per product, as last exported.
{{ config(incremental_strategy="merge", unique_key="product_id") }}

with exported as ({{ new_exports("products") }})
select * from exported
qualify row_number() over (partition by product_id order by updated_at desc nulls last, exported_on desc) = 1
