-- One row per order line sold. The dates that an order came to or left are replaced whole.
{{ config(incremental_strategy="delete+insert", unique_key="sale_date") }}

with versions as (
    select *, ordered_at::date as sale_date from {{ ref("order_versions") }}
),

{% if is_incremental() %}
new_versions as (
    select order_id, sale_date from versions where exported_on > {{ latest_export(this) }}
),

dates as (
    select sale_date from new_versions
    union
    select sale_date from {{ this }} where order_id in (select order_id from new_versions)
),

-- Whoever was ever sold on one of these dates, wherever its latest version is.
candidates as (
    select * from versions
    where order_id in (select order_id from versions where sale_date in (select sale_date from dates))
),

{% else %}
candidates as (select * from versions),

{% endif %}
winners as (
    select * from candidates
    qualify row_number() over (partition by order_id order by updated_at desc nulls last, exported_on desc) = 1
)

select distinct
    order_id,
    line_number,
    coalesce(product_id, -1) as product_id,
    coalesce(customer_id, -1) as customer_id,
    coalesce(store_id, -1) as store_id,
    quantity,
    unit_price,
    coalesce(discount, 0) as discount,
    quantity * unit_price - coalesce(discount, 0) as revenue,
    ordered_at as sold_at,
    sale_date,
    exported_on
from winners
inner join {{ ref("line_versions") }} using (order_id, exported_on)
where op is distinct from 'D' and status is distinct from 'cancelled'
{% if is_incremental() %} and sale_date in (select sale_date from dates) {% endif %}
