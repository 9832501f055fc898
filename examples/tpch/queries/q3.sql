-- TPC-H Q3, shipping priority: the unshipped orders of the greatest value.
SELECT l_orderkey, SUM(revenue) AS revenue, o_orderdate, o_shippriority
FROM fact_lineitem
JOIN dim_customer ON o_custkey = c_custkey
WHERE c_mktsegment = 'BUILDING'
  AND fact_lineitem.date < '1995-03-15'
  AND l_shipdate > DATE '1995-03-15'
GROUP BY l_orderkey, o_orderdate, o_shippriority
ORDER BY revenue DESC, o_orderdate
LIMIT 10
