-- an inner join drops what has no partner
SELECT o.order_id, c.name FROM orders o JOIN customers c ON o.customer_id = c.customer_id ORDER BY o.order_id;

-- a left join keeps it
SELECT o.order_id, c.country FROM orders o LEFT JOIN customers c ON c.customer_id = o.customer_id ORDER BY 1;

-- a right join keeps the other side
SELECT c.customer_id, o.order_id FROM orders o RIGHT JOIN customers c ON c.customer_id = o.customer_id ORDER BY 1, 2;

-- a full join keeps both
SELECT o.order_id, c.customer_id FROM orders o FULL OUTER JOIN customers c ON c.customer_id = o.customer_id ORDER BY 1, 2;

-- USING merges the column
SELECT customer_id, order_id, name FROM orders JOIN customers USING (customer_id) ORDER BY order_id;

-- SELECT * after USING has the merged column first
SELECT * FROM (SELECT order_id, total FROM orders) JOIN (SELECT order_id, sku FROM items) USING (order_id) ORDER BY 1, 3;

-- a full join USING takes the key of either side
SELECT k, a, b FROM (VALUES (1, 'x'), (2, 'y')) l(k, a) FULL JOIN (VALUES (2, 'p'), (3, 'q')) r(k, b) USING (k) ORDER BY k;

-- three tables
SELECT c.country, i.sku, sum(i.quantity) AS sold
FROM items i JOIN orders o ON o.order_id = i.order_id JOIN customers c ON c.customer_id = o.customer_id
GROUP BY 1, 2 ORDER BY 1, 2;

-- a self join
SELECT c.name, r.name AS referrer FROM customers c LEFT JOIN customers r ON c.referred_by = r.customer_id ORDER BY c.customer_id;

-- a range join
SELECT o.order_id, b.label FROM orders o
JOIN (VALUES (0, 50, 'small'), (50, 500, 'medium'), (500, NULL, 'large')) b(low, high, label)
  ON o.total >= b.low AND (b.high IS NULL OR o.total < b.high) ORDER BY 1;

-- a cross join
SELECT count(*) FROM customers CROSS JOIN orders;

-- a comma is a cross join
SELECT count(*) FROM customers c, orders o WHERE c.customer_id = o.customer_id;

-- NULL keys never meet
SELECT count(*) FROM (VALUES 1, NULL) a(k) JOIN (VALUES 1, NULL) b(k) ON a.k = b.k;

-- NULL keys meet where they are not distinct
SELECT count(*) FROM (VALUES 1, NULL) a(k) JOIN (VALUES 1, NULL) b(k) ON a.k IS NOT DISTINCT FROM b.k;

-- a condition in ON is not one in WHERE
SELECT c.customer_id, o.order_id FROM customers c LEFT JOIN orders o
ON o.customer_id = c.customer_id AND o.status = 'cancelled' ORDER BY 1;

-- a semi join by EXISTS
SELECT name FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.customer_id AND o.total > 50) ORDER BY 1;

-- an anti join by NOT EXISTS
SELECT customer_id FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.customer_id) ORDER BY 1;

-- NOT IN with a NULL in the list finds nothing
SELECT customer_id FROM customers WHERE customer_id NOT IN (SELECT customer_id FROM orders);

-- an anti join by a left join
SELECT o.order_id FROM orders o LEFT JOIN customers c ON o.customer_id = c.customer_id WHERE c.customer_id IS NULL ORDER BY 1;

-- a join of keys of different types
SELECT count(*) FROM items i JOIN (VALUES (BIGINT '101', 'x')) t(order_id, note) ON i.order_id = t.order_id AND i.line = 1;

-- a join of a number with a text is an error
SELECT count(*) FROM orders o JOIN customers c ON o.customer_id = c.name;

-- a join with a subquery that aggregates
SELECT o.order_id, o.total, i.lines FROM orders o
JOIN (SELECT order_id, count(*) AS lines, sum(quantity * price) AS amount FROM items GROUP BY order_id) i ON i.order_id = o.order_id
WHERE o.total = i.amount ORDER BY 1;

-- an ambiguous column is an error
SELECT customer_id FROM orders o JOIN customers c ON o.customer_id = c.customer_id;

-- NATURAL JOIN is not supported by Trino either
SELECT count(*) FROM orders NATURAL JOIN items;

-- a lateral join of a subquery
SELECT c.customer_id, t.last FROM customers c CROSS JOIN LATERAL (SELECT max(order_date) AS last FROM orders o WHERE o.customer_id = c.customer_id) t ORDER BY 1;

-- UNNEST beside each row
SELECT basket_id, tag FROM baskets CROSS JOIN UNNEST(tags) AS t(tag) ORDER BY 1, 2;

-- a left join with UNNEST keeps empty arrays
SELECT basket_id, tag FROM baskets LEFT JOIN UNNEST(tags) AS t(tag) ON TRUE ORDER BY 1, 2;

-- the stars of both sides after USING
SELECT i.*, o.* FROM items i JOIN orders o USING (order_id);

-- the star of one side after a left join USING
SELECT o.*, order_id FROM items i LEFT JOIN orders o USING (order_id);

-- a column of USING belongs to neither side
SELECT i.order_id FROM items i JOIN orders o USING (order_id);

-- every star after a full join USING
SELECT x, a.*, b.*, * FROM (VALUES (1, 2)) a(x, y) FULL JOIN (VALUES (2, 3)) b(x, z) USING (x);

-- columns of two joins USING come first, the last join's before
SELECT * FROM (VALUES (1, 2)) a(x, y) JOIN (VALUES (1, 3)) b(x, z) USING (x) JOIN (VALUES (2, 9)) c(y, w) USING (y);

-- two joins USING one column
SELECT * FROM (VALUES (1, 2)) a(x, y) JOIN (VALUES (1, 3)) b(x, z) USING (x) LEFT JOIN (VALUES (1, 9)) c(X, w) USING (X);

-- USING after a comma
SELECT * FROM (VALUES (7, 8)) o(x, v), (VALUES (1, 2)) a(x, y) JOIN (VALUES (1, 3)) b(x, z) USING (x);

-- USING after a cross join is ambiguous
SELECT * FROM (VALUES (7, 8)) o(x, v) CROSS JOIN (VALUES (1, 2)) a(x, y) JOIN (VALUES (1, 3)) b(x, z) USING (x);

-- USING within parentheses
SELECT * FROM orders o JOIN (items i JOIN (SELECT 'MUG-WHITE' AS sku) USING (sku)) USING (order_id);

-- a right join after a comma
SELECT * FROM (VALUES 1, 2) a(x), (VALUES 1) b(y) RIGHT JOIN (VALUES 1, 5) c(z) ON b.y = c.z;

-- partitions joined USING
SELECT date, v.* FROM visits v JOIN (VALUES '2023-07-01') d(date) USING (date) WHERE date = '2023-07-01';
