-- row_number within a partition
SELECT order_id, row_number() OVER (PARTITION BY customer_id ORDER BY order_id) FROM orders ORDER BY 1;

-- rank and dense_rank with ties
SELECT x, rank() OVER (ORDER BY x), dense_rank() OVER (ORDER BY x) FROM (VALUES 1, 1, 2, 3, 3, 4) t(x) ORDER BY 1;

-- percent_rank and cume_dist
SELECT x, percent_rank() OVER (ORDER BY x), cume_dist() OVER (ORDER BY x) FROM (VALUES 1, 1, 2, 3) t(x) ORDER BY 1;

-- ntile
SELECT x, ntile(3) OVER (ORDER BY x) FROM (VALUES 1, 2, 3, 4, 5, 6, 7) t(x) ORDER BY 1;

-- a running total
SELECT order_id, sum(total) OVER (ORDER BY order_id) FROM orders ORDER BY 1;

-- a running total of ties takes them together
SELECT k, x, sum(x) OVER (ORDER BY k) FROM (VALUES (1, 1), (1, 2), (2, 4)) t(k, x) ORDER BY 1, 2;

-- a running total by rows
SELECT order_id, sum(total) OVER (ORDER BY order_id ROWS UNBOUNDED PRECEDING) FROM orders ORDER BY 1;

-- a moving average of integers is a double
SELECT x, avg(x) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM (VALUES 1, 2, 4, 8) t(x) ORDER BY 1;

-- a moving average of decimals keeps their scale
SELECT order_id, avg(total) OVER (ORDER BY order_id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM orders WHERE total IS NOT NULL ORDER BY 1;

-- the share of a total
SELECT sku, CAST(sum(quantity) AS double) / sum(sum(quantity)) OVER () AS share FROM items GROUP BY sku ORDER BY sku;

-- lag and lead
SELECT order_id, lag(total) OVER (ORDER BY order_id), lead(total, 2) OVER (ORDER BY order_id) FROM orders ORDER BY 1;

-- lag with a default
SELECT x, lag(x, 1, 0) OVER (ORDER BY x) FROM (VALUES 1, 2, 3) t(x) ORDER BY 1;

-- lag with an offset of zero is the row itself
SELECT x, lag(x, 0) OVER (ORDER BY x) FROM (VALUES 1, 2) t(x) ORDER BY 1;

-- first_value and last_value of the default frame
SELECT x, first_value(x) OVER (ORDER BY x), last_value(x) OVER (ORDER BY x) FROM (VALUES 1, 2, 3) t(x) ORDER BY 1;

-- last_value of the whole partition
SELECT x, last_value(x) OVER (ORDER BY x ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM (VALUES 1, 2, 3) t(x) ORDER BY 1;

-- nth_value
SELECT x, nth_value(x, 2) OVER (ORDER BY x) FROM (VALUES 5, 6, 7) t(x) ORDER BY 1;

-- lag IGNORE NULLS
SELECT k, lag(x) IGNORE NULLS OVER (ORDER BY k) FROM (VALUES (1, 'a'), (2, NULL), (3, NULL), (4, 'b')) t(k, x) ORDER BY 1;

-- last_value IGNORE NULLS fills gaps
SELECT k, last_value(x) IGNORE NULLS OVER (ORDER BY k) FROM (VALUES (1, 'a'), (2, NULL), (3, 'c'), (4, NULL)) t(k, x) ORDER BY 1;

-- first_value IGNORE NULLS of the rest
SELECT k, first_value(x) IGNORE NULLS OVER (ORDER BY k ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
FROM (VALUES (1, NULL), (2, 'b'), (3, NULL)) t(k, x) ORDER BY 1;

-- RESPECT NULLS is the default
SELECT k, lag(x) RESPECT NULLS OVER (ORDER BY k) FROM (VALUES (1, 'a'), (2, NULL), (3, 'c')) t(k, x) ORDER BY 1;

-- a named window
SELECT order_id, sum(total) OVER w, count(*) OVER w FROM orders WINDOW w AS (PARTITION BY customer_id ORDER BY order_id) ORDER BY 1;

-- a named window that is extended
SELECT x, sum(x) OVER (w ORDER BY x), sum(x) OVER w FROM (VALUES 1, 2, 3) t(x) WINDOW w AS (PARTITION BY x % 2) ORDER BY 1;

-- an aggregate with FILTER as a window is an error
SELECT order_id, count(*) FILTER (WHERE status = 'paid') OVER (ORDER BY order_id) FROM orders ORDER BY 1;

-- NULL comes last in a window
SELECT order_id, row_number() OVER (ORDER BY total DESC) FROM orders ORDER BY 2;

-- NULL comes first in a window if told
SELECT order_id, row_number() OVER (ORDER BY total DESC NULLS FIRST) FROM orders ORDER BY 2;

-- the top of each group
SELECT customer_id, order_id FROM (SELECT customer_id, order_id, row_number() OVER (PARTITION BY customer_id ORDER BY total DESC) AS n FROM orders) WHERE n = 1 ORDER BY 1;

-- a window over groups
SELECT status, count(*), rank() OVER (ORDER BY count(*) DESC) FROM orders GROUP BY status ORDER BY 3, 1;

-- a window in WHERE is an error
SELECT order_id FROM orders WHERE row_number() OVER (ORDER BY order_id) = 1;

-- a RANGE frame of numbers
SELECT x, sum(x) OVER (ORDER BY x RANGE BETWEEN 2 PRECEDING AND CURRENT ROW) FROM (VALUES 1, 2, 4, 5, 9) t(x) ORDER BY 1;

-- a GROUPS frame
SELECT x, count(*) OVER (ORDER BY x GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM (VALUES 1, 1, 2, 3, 3) t(x) ORDER BY 1;

-- max and min as windows
SELECT order_id, max(total) OVER (PARTITION BY status), min(ordered_at) OVER (PARTITION BY status) FROM orders ORDER BY 1;

-- array_agg as a window
SELECT x, array_agg(x) OVER (ORDER BY x) FROM (VALUES 1, 2, 3) t(x) ORDER BY 1;

-- the difference to the row before
SELECT order_id, date_diff('day', lag(order_date) OVER (ORDER BY order_id), order_date) FROM orders ORDER BY 1;
