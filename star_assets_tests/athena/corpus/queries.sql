-- WITH
WITH paid AS (SELECT * FROM orders WHERE status = 'paid') SELECT count(*), sum(total) FROM paid;

-- WITH names its columns
WITH t(a, b) AS (SELECT order_id, total FROM orders) SELECT a FROM t WHERE b > 50 ORDER BY a;

-- one WITH uses another
WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS x FROM a), c AS (SELECT x + 1 AS x FROM b) SELECT a.x, b.x, c.x FROM a, b, c;

-- WITH in a subquery
SELECT * FROM (WITH t AS (SELECT 1 AS x) SELECT x + 1 AS y FROM t);

-- WITH hides a table
WITH orders AS (SELECT 1 AS one) SELECT * FROM orders;

-- WITH RECURSIVE
WITH RECURSIVE t(n) AS (VALUES 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n), count(*) FROM t;

-- a view
SELECT * FROM paid_orders ORDER BY customer_id;

-- a view joined
SELECT c.name, p.revenue FROM customers c JOIN paid_orders p ON p.customer_id = c.customer_id ORDER BY 1;

-- UNION removes what is twice
SELECT status FROM orders UNION SELECT status FROM orders WHERE order_id > 105 ORDER BY 1;

-- UNION ALL keeps it
SELECT 1 AS x UNION ALL SELECT 1 UNION ALL SELECT 2 ORDER BY x;

-- UNION finds a common type
SELECT 1 UNION SELECT 2.5 UNION SELECT 3e0 ORDER BY 1;

-- UNION of what does not go together is an error
SELECT 1 UNION SELECT 'a';

-- INTERSECT and EXCEPT
(SELECT customer_id FROM orders INTERSECT SELECT customer_id FROM customers) ORDER BY 1;

-- EXCEPT
SELECT customer_id FROM orders EXCEPT SELECT customer_id FROM customers ORDER BY 1;

-- INTERSECT binds more than UNION
SELECT 1 UNION SELECT 2 INTERSECT SELECT 3;

-- VALUES
VALUES (1, 'a'), (2, NULL), (3, 'c');

-- TABLE
TABLE customers;

-- a scalar subquery
SELECT order_id, total - (SELECT avg(total) FROM orders) FROM orders WHERE total > (SELECT avg(total) FROM orders) ORDER BY 1;

-- a scalar subquery of several rows is an error
SELECT (SELECT order_id FROM orders);

-- a scalar subquery of no row is NULL
SELECT (SELECT order_id FROM orders WHERE order_id < 0);

-- a correlated subquery
SELECT name, (SELECT count(*) FROM orders o WHERE o.customer_id = c.customer_id) FROM customers c ORDER BY c.customer_id;

-- IN a subquery
SELECT name FROM customers WHERE customer_id IN (SELECT customer_id FROM orders WHERE status = 'paid') ORDER BY 1;

-- ANY and ALL
SELECT order_id FROM orders WHERE total > ALL (SELECT price FROM items WHERE sku = 'MUG-WHITE') ORDER BY 1;

-- = ANY
SELECT 2 = ANY (VALUES 1, 2), 3 = ANY (VALUES 1, 2), 1 < ALL (VALUES 2, 3);

-- LIMIT and OFFSET
SELECT order_id FROM orders ORDER BY order_id OFFSET 2 LIMIT 3;

-- FETCH FIRST
SELECT order_id FROM orders ORDER BY order_id DESC FETCH FIRST 2 ROWS ONLY;

-- FETCH FIRST WITH TIES
SELECT x FROM (VALUES 1, 2, 2, 3) t(x) ORDER BY x FETCH FIRST 2 ROWS WITH TIES;

-- ORDER BY several
SELECT status, order_id FROM orders ORDER BY status DESC NULLS LAST, order_id DESC;

-- ORDER BY an expression
SELECT order_id FROM orders ORDER BY abs(total - 50), order_id;

-- ORDER BY an alias
SELECT order_id, total * 2 AS twice FROM orders ORDER BY twice DESC, order_id;

-- SELECT * of two tables
SELECT o.*, i.sku FROM orders o JOIN items i ON o.order_id = i.order_id WHERE i.line = 2;

-- a column that does not exist is an error
SELECT nothing FROM orders;

-- a table that does not exist is an error
SELECT 1 FROM nowhere;

-- a syntax error
SELECT FROM WHERE;

-- names in quotes
SELECT "order_id" AS "Order Id" FROM "orders" WHERE "order_id" = 101;

-- case does not count in names
SELECT ORDER_ID, Orders.Total FROM ORDERS WHERE Order_Id = 103;

-- comments
SELECT 1 /* one */ + 2 -- two
;

-- a database before the table
SELECT count(*) FROM shop.orders WHERE shop.orders.total > 0;

-- the catalog before the database
SELECT count(*) FROM awsdatacatalog.shop.orders;

-- information_schema
SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop' ORDER BY 1;

-- a subquery without an alias
SELECT max(n) FROM (SELECT count(*) AS n FROM orders GROUP BY status);

-- TABLESAMPLE of all
SELECT count(*) FROM orders TABLESAMPLE BERNOULLI (100);

-- EXISTS as a value
SELECT EXISTS (SELECT 1 FROM orders WHERE total > 1000), NOT EXISTS (SELECT 1 FROM orders WHERE total > 1e9);

-- a cohort analysis
WITH first AS (SELECT customer_id, min(date_trunc('month', order_date)) AS cohort FROM orders WHERE customer_id IS NOT NULL GROUP BY 1)
SELECT f.cohort, date_diff('month', f.cohort, date_trunc('month', o.order_date)) AS age, count(DISTINCT o.customer_id) AS customers, sum(o.total) AS revenue
FROM first f JOIN orders o ON o.customer_id = f.customer_id GROUP BY 1, 2 ORDER BY 1, 2;

-- a year over year comparison
SELECT cur.y, cur.revenue, cur.revenue - prev.revenue AS growth
FROM (SELECT year(order_date) AS y, sum(total) AS revenue FROM orders WHERE total IS NOT NULL GROUP BY 1) cur
LEFT JOIN (SELECT year(order_date) AS y, sum(total) AS revenue FROM orders WHERE total IS NOT NULL GROUP BY 1) prev ON prev.y = cur.y - 1 ORDER BY 1;

-- days without sales
SELECT d FROM UNNEST(sequence(DATE '2023-01-01', DATE '2023-01-05')) t(d) LEFT JOIN orders ON order_date = d WHERE order_id IS NULL ORDER BY d;

-- VALUES in order
VALUES (3, 'c'), (1, 'a'), (2, 'b') ORDER BY 2 DESC;

-- VALUES with a limit
VALUES 3, 1, 2 ORDER BY 1 OFFSET 1 LIMIT 1;

-- VALUES with FETCH FIRST
VALUES 3, 1, 2 ORDER BY 1 FETCH FIRST 2 ROWS ONLY;

-- VALUES of rows
VALUES ROW(1, 'a'), (2, 'b');

-- VALUES of one row as a table
SELECT x, y FROM (VALUES ROW(1, 'a'), ROW(2, NULL)) t(x, y) ORDER BY x;

-- VALUES of a cast row
VALUES CAST(ROW(1, 'a') AS row(p integer, q varchar));

-- VALUES of a row within a row
VALUES (ROW(1, 'a'), 3);

-- a query in parentheses, in order of an expression
(SELECT order_id AS x FROM orders) ORDER BY x + 1 LIMIT 2;

-- a union of VALUES with a limit
SELECT 5 UNION VALUES 2, 1 ORDER BY 1 LIMIT 2;
