-- GROUP BY a name
SELECT status, count(*), sum(total) FROM orders GROUP BY status ORDER BY status;

-- GROUP BY a position
SELECT status, count(*) FROM orders GROUP BY 1 ORDER BY 2 DESC, 1;

-- GROUP BY an expression
SELECT year(order_date), count(*) FROM orders GROUP BY year(order_date) ORDER BY 1;

-- GROUP BY an alias is an error
SELECT year(order_date) AS y, count(*) FROM orders GROUP BY y;

-- a column that is not grouped is an error
SELECT status, total FROM orders GROUP BY status;

-- HAVING
SELECT status, count(*) AS n FROM orders GROUP BY status HAVING count(*) > 1 ORDER BY 1;

-- HAVING by an alias is an error
SELECT status, count(*) AS n FROM orders GROUP BY status HAVING n > 1;

-- HAVING without GROUP BY
SELECT count(*) FROM orders HAVING count(*) > 100;

-- NULL is a group
SELECT country, count(*) FROM customers GROUP BY country ORDER BY 1;

-- ROLLUP
SELECT status, customer_id, count(*), sum(total) FROM orders GROUP BY ROLLUP (status, customer_id) ORDER BY 1, 2, 3;

-- ROLLUP of an expression is an error
SELECT year(order_date), count(*) FROM orders GROUP BY ROLLUP (year(order_date));

-- CUBE
SELECT a, b, sum(x) FROM (VALUES ('p', 'q', 1), ('p', 'r', 2), ('s', 'q', 4)) t(a, b, x) GROUP BY CUBE (a, b) ORDER BY 1, 2;

-- GROUPING SETS
SELECT a, b, count(*) FROM (VALUES ('p', 'q'), ('p', 'r'), ('s', 'q')) t(a, b) GROUP BY GROUPING SETS ((a), (b), ()) ORDER BY 1, 2;

-- grouping() tells which
SELECT a, b, grouping(a, b), sum(x) FROM (VALUES ('p', 'q', 1), ('p', NULL, 2)) t(a, b, x) GROUP BY ROLLUP (a, b) ORDER BY 3, 1, 2;

-- ROLLUP beside a column
SELECT a, b, sum(x) FROM (VALUES ('p', 'q', 1), ('p', 'r', 2), ('s', 'q', 4)) t(a, b, x) GROUP BY a, ROLLUP (b) ORDER BY 1, 2;

-- two grouping sets are multiplied
SELECT a, b, c, count(*) FROM (VALUES (1, 2, 3), (1, 2, 4)) t(a, b, c) GROUP BY GROUPING SETS ((a), (b)), ROLLUP (c) ORDER BY 1, 2, 3;

-- the empty grouping set over nothing
SELECT status, count(*) FROM orders WHERE order_id < 0 GROUP BY GROUPING SETS ((status), ());

-- GROUP BY () over nothing
SELECT count(*) FROM orders WHERE order_id < 0 GROUP BY ();

-- GROUP BY over nothing gives nothing
SELECT status, count(*) FROM orders WHERE order_id < 0 GROUP BY status;

-- SELECT DISTINCT
SELECT DISTINCT status FROM orders ORDER BY status;

-- DISTINCT of several columns
SELECT DISTINCT customer_id, status FROM orders ORDER BY 1, 2;

-- DISTINCT and ORDER BY another column is an error
SELECT DISTINCT status FROM orders ORDER BY order_id;

-- count of distinct
SELECT count(DISTINCT status), count(DISTINCT customer_id), count(status), count(*) FROM orders;

-- sums by a condition
SELECT sum(CASE WHEN status = 'paid' THEN total ELSE 0 END), sum(IF(status = 'open', total)), count_if(total > 50) FROM orders;

-- FILTER
SELECT count(*) FILTER (WHERE status = 'paid'), sum(total) FILTER (WHERE total > 50), array_agg(order_id ORDER BY order_id) FILTER (WHERE customer_id = 1) FROM orders;

-- groups of groups
SELECT max(n), avg(n) FROM (SELECT customer_id, count(*) AS n FROM orders GROUP BY customer_id);

-- an aggregate in an aggregate is an error
SELECT max(count(*)) FROM orders GROUP BY status;

-- a pivot by hand
SELECT customer_id, sum(IF(status = 'paid', 1, 0)) AS paid, sum(IF(status = 'open', 1, 0)) AS open FROM orders GROUP BY customer_id ORDER BY 1;

-- ORDER BY an aggregate that is not selected
SELECT status FROM orders GROUP BY status ORDER BY sum(total) DESC;

-- a constant beside groups
SELECT 'all', count(*), 1 + 1 FROM orders;

-- GROUP BY a boolean
SELECT total > 50, count(*) FROM orders GROUP BY total > 50 ORDER BY 1;

-- GROUP BY DISTINCT of columns
SELECT status, count(*) FROM orders GROUP BY DISTINCT status;

-- GROUP BY ALL of columns
SELECT status, count(*) FROM orders GROUP BY ALL status;

-- GROUP BY ALL of grouping sets
SELECT status, count(*) FROM orders GROUP BY ALL ROLLUP (status), ROLLUP (status);

-- GROUP BY ALL of nothing
SELECT count(*) FROM orders GROUP BY ALL;
