-- Star Schema Benchmark Q1.2: what discounts of January 1994 came to.
SELECT SUM(l_extendedprice * l_discount) AS revenue
FROM fact_lineitem
JOIN dim_time ON o_orderdate = date_key
WHERE year = 1994
  AND month = 1
  AND l_discount BETWEEN 0.04 AND 0.06
  AND l_quantity BETWEEN 26 AND 35
