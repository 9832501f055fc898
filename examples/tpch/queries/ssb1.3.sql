-- Star Schema Benchmark Q1.3: what discounts of the sixth week of 1994 came to; weeks are counted from 1 January.
SELECT SUM(l_extendedprice * l_discount) AS revenue
FROM fact_lineitem
JOIN dim_time ON o_orderdate = date_key
WHERE year = 1994
  AND (day_of_year - 1) / 7 + 1 = 6
  AND l_discount BETWEEN 0.05 AND 0.07
  AND l_quantity BETWEEN 26 AND 35
