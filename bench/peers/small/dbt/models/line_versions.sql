-- The lines of every version of an order.
{{ config(incremental_strategy="append") }}

{{ new_exports("order_items") }}
