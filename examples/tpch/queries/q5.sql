-- TPC-H Q5, local supplier volume: what Asia's suppliers sold in their own nation in 1994.
SELECT s_nation AS n_name, SUM(revenue) AS revenue
FROM fact_lineitem
JOIN dim_customer ON o_custkey = c_custkey
JOIN dim_supplier ON l_suppkey = s_suppkey AND s_nation = c_nation
WHERE s_region = 'ASIA'
  AND fact_lineitem.date >= '1994-01-01'
  AND fact_lineitem.date < '1995-01-01'
GROUP BY s_nation
ORDER BY revenue DESC
