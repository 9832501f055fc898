SELECT sum(l_extendedprice * l_discount) AS revenue
FROM lineitem, orders
WHERE l_orderkey = o_orderkey
  AND strftime(o_orderdate, '%Y%m') = '199401'
  AND l_discount BETWEEN 0.04 AND 0.06
  AND l_quantity BETWEEN 26 AND 35
