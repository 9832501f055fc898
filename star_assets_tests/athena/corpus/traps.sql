-- 7/2
SELECT 7/2;

-- 1/0
SELECT 1/0;

-- date_diff of months
SELECT date_diff('month', DATE '2023-01-31', DATE '2023-02-01');

-- format
SELECT format('%s', 'x');

-- division of decimals
SELECT CAST(1 AS decimal(10,2)) / CAST(3 AS decimal(10,2)), typeof(CAST(1 AS decimal(10,2)) / CAST(3 AS decimal(10,2)));

-- the average of decimals
SELECT avg(x), typeof(avg(x)) FROM (VALUES CAST(1 AS decimal(10,2)), CAST(2.01 AS decimal(10,2))) t(x);

-- a double cast to an integer
SELECT CAST(2.5e0 AS integer);

-- date_trunc gives a date
SELECT date_trunc('month', DATE '2023-07-15'), typeof(date_trunc('month', DATE '2023-07-15'));

-- a date and an interval are a date
SELECT DATE '2023-07-15' + INTERVAL '1' MONTH, typeof(DATE '2023-07-15' + INTERVAL '1' MONTH);

-- Sunday is 7
SELECT extract(dow FROM DATE '2023-10-01'), day_of_week(DATE '2023-10-01');

-- regexp_extract without a match
SELECT regexp_extract('abc', 'x');

-- a subscript outside of an array
SELECT ARRAY[1,2][5];

-- a date compared with a text
SELECT DATE '2023-07-01' = '2023-07-01';

-- map_agg
SELECT map_agg(x, y) FROM (VALUES ('a', 1), ('b', 2)) t(x, y);

-- width_bucket
SELECT width_bucket(3.5, 0, 10, 5);

-- an integer in a text with a point
SELECT TRY_CAST('12.5' AS integer), TRY_CAST('1_000' AS integer), TRY_CAST('0x10' AS integer);

-- now as a text
SELECT TRY_CAST('now' AS timestamp), TRY_CAST('10:00:00' AS timestamp);

-- a timestamp with an offset as text
SELECT TRY_CAST('2023-07-01 10:00:00+02' AS timestamp), TRY_CAST('2023-07-01 10:00:00 +02:00' AS timestamp);

-- a product of decimals
SELECT CAST(99999999999999.9999 AS decimal(18,4)) * CAST(99999999999999.9999 AS decimal(18,4));

-- a status that is not cancelled
SELECT count(*) FROM orders WHERE status != 'cancelled';

-- the letter ß
SELECT upper('ß'), lower('ẞ'), length('ß');

-- zone conversion
SELECT CAST(TIMESTAMP '2023-07-01 02:00:00 UTC' AT TIME ZONE 'America/New_York' AS date);

-- max_by with NULL
SELECT max_by(x, y) FROM (VALUES ('a', 1), ('b', NULL)) t(x, y);

-- BETWEEN of texts and dates
SELECT count(*) FROM visits WHERE date BETWEEN '2023-06-30' AND '2023-07-01';

-- an integer divided by a decimal
SELECT 1 / 3.0, 10 / 4.0, typeof(10 / 4.0);

-- the sum of an empty set
SELECT sum(total) FROM orders WHERE false;

-- concat with a number
SELECT concat('a', 1);

-- an implicit cast of a text
SELECT 1 + '1';

-- a boolean compared with a text
SELECT true = 'true';

-- DATE of a text with a time
SELECT date('2023-07-01 10:00:00');
