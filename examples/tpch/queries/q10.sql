-- TPC-H Q10, returned item reporting: the customers who returned most of a quarter's orders.
SELECT c_custkey, c_name, SUM(revenue) AS revenue, c_acctbal, c_nation AS n_name, c_address, c_phone, c_comment
FROM fact_lineitem
JOIN dim_customer ON o_custkey = c_custkey
WHERE fact_lineitem.date >= '1993-10-01'
  AND fact_lineitem.date < '1994-01-01'
  AND l_returnflag = 'R'
GROUP BY c_custkey, c_name, c_acctbal, c_phone, c_nation, c_address, c_comment
ORDER BY revenue DESC
LIMIT 20
