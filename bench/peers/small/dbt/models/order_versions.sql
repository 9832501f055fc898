-- Every version of an order that was ever exported.
{{ config(incremental_strategy="append") }}

{{ new_exports("orders") }}
