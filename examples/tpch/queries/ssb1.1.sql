-- Star Schema Benchmark Q1.1: what small discounts of 1993 came to.
SELECT SUM(l_extendedprice * l_discount) AS revenue
FROM fact_lineitem
JOIN dim_time ON o_orderdate = date_key
WHERE year = 1993
  AND l_discount BETWEEN 0.01 AND 0.03
  AND l_quantity < 25
