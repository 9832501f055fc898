SELECT sum(l_extendedprice * l_discount) AS revenue
FROM lineitem, orders
WHERE l_orderkey = o_orderkey
  AND year(o_orderdate) = 1993
  AND l_discount BETWEEN 0.01 AND 0.03
  AND l_quantity < 25
