SELECT sum(l_extendedprice * l_discount) AS revenue
FROM lineitem, orders
WHERE l_orderkey = o_orderkey
  AND o_orderdate BETWEEN DATE '1994-02-05' AND DATE '1994-02-11'
  AND l_discount BETWEEN 0.05 AND 0.07
  AND l_quantity BETWEEN 26 AND 35
