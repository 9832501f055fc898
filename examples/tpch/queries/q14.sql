-- TPC-H Q14, promotion effect: the share of promoted parts in the revenue of a month, in percent.
SELECT 100.00 * SUM(CASE WHEN p_type LIKE 'PROMO%' THEN revenue ELSE 0 END) / SUM(revenue) AS promo_revenue
FROM fact_lineitem
JOIN dim_part ON l_partkey = p_partkey
WHERE l_shipdate >= DATE '1995-09-01'
  AND l_shipdate < DATE '1995-09-01' + INTERVAL '1' MONTH
