-- every type of a column
SELECT * FROM orders ORDER BY order_id;

-- small integers and doubles
SELECT line, quantity, weight FROM items ORDER BY order_id, line;

-- SELECT * has the partition column last
SELECT * FROM visits ORDER BY date, page;

-- one partition
SELECT page, seconds FROM visits WHERE date = '2023-07-01' ORDER BY 1;

-- a range of partitions
SELECT date, count(*), sum(seconds) FROM visits WHERE date BETWEEN '2023-07-01' AND '2023-07-31' GROUP BY date ORDER BY 1;

-- partitions by LIKE
SELECT count(*) FROM visits WHERE date LIKE '2023-07%';

-- partitions by a function
SELECT date, count(*) FROM visits WHERE substr(date, 1, 7) = '2023-06' GROUP BY 1;

-- the partition column as a date
SELECT CAST(date AS date), sum(seconds) FROM visits GROUP BY 1 ORDER BY 1;

-- the last partition
SELECT max(date) FROM visits;

-- rows of the last partition
SELECT page FROM visits WHERE date = (SELECT max(date) FROM visits);

-- partitions that do not exist
SELECT count(*) FROM visits WHERE date = '1999-01-01';

-- a partition compared with a date is an error
SELECT count(*) FROM visits WHERE date >= DATE '2023-07-01';

-- partitions or rows
SELECT count(*) FROM visits WHERE date = '2023-07-01' OR page = '/tea';

-- a join with a table of partitions
SELECT v.date, v.page, t.label FROM visits v JOIN (VALUES ('/tea', 'Tea'), ('/mug', 'Mug')) t(page, label) ON v.page = t.page ORDER BY 1, 2;

-- the reference question
SELECT i.sku, sum(i.quantity * i.price) AS revenue FROM items i JOIN orders o ON i.order_id = o.order_id JOIN customers c ON o.customer_id = c.customer_id
WHERE c.country = 'GB' AND o.order_date BETWEEN DATE '2023-01-01' AND DATE '2023-03-31' GROUP BY i.sku ORDER BY revenue DESC;

-- timestamps of a column are compared
SELECT order_id FROM orders WHERE ordered_at >= TIMESTAMP '2023-03-01 00:00:00' AND ordered_at < TIMESTAMP '2023-04-01 00:00:00' ORDER BY 1;

-- a timestamp's last millisecond
SELECT order_id FROM orders WHERE ordered_at <= TIMESTAMP '2023-01-31 23:59:59.999' ORDER BY 1;

-- arrays, maps and structs of a file
SELECT basket_id, tags, counts, prices, address FROM baskets ORDER BY 1;

-- decimals keep their scale
SELECT total, total * 1, total + 0.005, price FROM orders o JOIN items i ON o.order_id = i.order_id ORDER BY o.order_id, i.line;

-- reals of a file
SELECT customer_id, score FROM customers WHERE score > 3 ORDER BY 1;

-- a real compared with a decimal
SELECT customer_id FROM customers WHERE score = 0.1;

-- the number of rows of each table
SELECT 'orders' AS t, count(*) FROM orders UNION ALL SELECT 'items', count(*) FROM items UNION ALL SELECT 'visits', count(*) FROM visits ORDER BY 1;

-- microseconds in files are rounded
SELECT * FROM readings ORDER BY reading_id;

-- microseconds in conditions
SELECT reading_id FROM readings WHERE taken_at >= TIMESTAMP '2023-07-02 00:00:00' OR taken_at = TIMESTAMP '1970-01-01 00:00:00' ORDER BY 1;

-- microseconds in groups
SELECT taken_at, count(*) FROM readings GROUP BY taken_at;

-- microseconds in casts and functions
SELECT CAST(taken_at AS date), CAST(taken_at AS varchar), to_unixtime(taken_at), date_trunc('day', taken_at), millisecond(taken_at), date_diff('millisecond', taken_at, TIMESTAMP '2023-07-02 00:00:00'), CAST(taken_at AS json) FROM readings ORDER BY reading_id;

-- microseconds in arrays
SELECT reading_id, m, contains(marks, TIMESTAMP '2023-07-01 10:00:00.001') FROM readings CROSS JOIN UNNEST(marks) u(m);
