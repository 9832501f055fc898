-- three-valued logic
SELECT NULL AND false, NULL AND true, NULL OR true, NULL OR false, NOT CAST(NULL AS boolean);

-- comparisons with NULL
SELECT 1 = NULL, NULL = NULL, 1 <> NULL, NULL IS NULL, 1 IS NOT NULL;

-- IS DISTINCT FROM
SELECT 1 IS DISTINCT FROM NULL, NULL IS DISTINCT FROM NULL, 1 IS NOT DISTINCT FROM 1;

-- IN a list with NULL
SELECT 1 IN (1, NULL), 2 IN (1, NULL), 2 NOT IN (1, NULL), NULL IN (1, 2);

-- BETWEEN with NULL
SELECT 1 BETWEEN NULL AND 2, 3 BETWEEN NULL AND 2, NULL BETWEEN 1 AND 2;

-- WHERE drops what is unknown
SELECT order_id FROM orders WHERE status <> 'paid' ORDER BY 1;

-- coalesce
SELECT coalesce(NULL, 1), coalesce(NULL, NULL), coalesce(status, 'none') FROM orders WHERE order_id IN (101, 105) ORDER BY 3;

-- coalesce finds a common type
SELECT coalesce(NULL, 1, 2.5), coalesce(customer_id, 0.5) FROM orders WHERE order_id = 105;

-- nullif
SELECT nullif(1, 1), nullif(1, 2), nullif(note, '') FROM orders WHERE order_id = 104;

-- division guarded by nullif
SELECT 10 / nullif(0, 0), total / nullif(discount, 0) FROM orders ORDER BY order_id;

-- IF and CASE without ELSE
SELECT if(false, 1), CASE WHEN false THEN 'x' END, CASE 1 WHEN 2 THEN 'y' END;

-- CASE with NULL
SELECT CASE NULL WHEN NULL THEN 'equal' ELSE 'not' END, CASE WHEN NULL THEN 'yes' ELSE 'no' END;

-- arithmetic with NULL
SELECT 1 + NULL, NULL * 2, -CAST(NULL AS integer), 'a' || NULL;

-- aggregates skip NULL
SELECT count(*), count(x), sum(x), avg(x), min(x) FROM (VALUES 1, NULL, 3) t(x);

-- aggregates of nothing but NULL
SELECT count(x), sum(x), max(x), array_agg(x), bool_and(x > 0) FROM (VALUES CAST(NULL AS integer)) t(x);

-- NULL sorts last
SELECT x FROM (VALUES 2, NULL, 1) t(x) ORDER BY x;

-- NULL sorts last even downwards
SELECT x FROM (VALUES 2, NULL, 1) t(x) ORDER BY x DESC;

-- NULL first
SELECT x FROM (VALUES 2, NULL, 1) t(x) ORDER BY x NULLS FIRST;

-- try
SELECT try(1 / 0), try(CAST('x' AS integer)), coalesce(try(CAST('x' AS integer)), -1), try(ARRAY[1][5]);

-- DISTINCT takes NULL as equal
SELECT count(*) FROM (SELECT DISTINCT x FROM (VALUES NULL, NULL, 1) t(x));

-- UNION takes NULL as equal
SELECT CAST(NULL AS integer) UNION SELECT NULL;

-- functions of NULL
SELECT upper(NULL), length(NULL), abs(CAST(NULL AS integer)), date_trunc('day', CAST(NULL AS date)), substr('abc', NULL), round(CAST(NULL AS double));

-- greatest with NULL
SELECT greatest(1, NULL, 3), least(NULL, 2);

-- concat with NULL
SELECT concat('a', NULL, 'b'), concat_ws(',', 'a', NULL, 'b');

-- NULL in an array
SELECT ARRAY[1, NULL][2], cardinality(ARRAY[NULL]), contains(ARRAY[NULL], 1);

-- count of distinct skips NULL
SELECT count(DISTINCT x), approx_distinct(x) FROM (VALUES 1, NULL, 1) t(x);

-- a left join makes NULL
SELECT c.customer_id, count(o.order_id), count(*), sum(o.total) FROM customers c LEFT JOIN orders o ON o.customer_id = c.customer_id GROUP BY 1 ORDER BY 1;

-- NaN compared with NULL
SELECT nan() = NULL, nan() <> NULL, NULL = nan(), nan() < NULL, NULL < nan(), nan() > NULL, NULL >= nan(), nan() IN (NULL), NULL IN (nan()), 1e0 <> NULL;

-- NaN, NULL and infinity compared with each other
SELECT a = b, a <> b, a < b, a <= b, a > b, a >= b, nullif(a, b), a IS DISTINCT FROM b, a IN (b, 1e0), CASE a WHEN b THEN 1 END FROM (VALUES nan(), NULL, 1e0, infinity(), -infinity(), 0e0) x(a) CROSS JOIN (VALUES nan(), NULL, 1e0, infinity(), -infinity(), -0e0) y(b);

-- NaN and NULL between
SELECT nan() BETWEEN NULL AND 1, 1e0 BETWEEN nan() AND NULL, NULL BETWEEN nan() AND 1e0, nan() BETWEEN 0 AND 1e0, 1 BETWEEN NULL AND 0, 1 BETWEEN 0 AND NULL;

-- NaN joined
SELECT count(*) FROM (VALUES nan(), 1e0, NULL) a(x) JOIN (VALUES nan(), 1e0, NULL) b(x) USING (x);
