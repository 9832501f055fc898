-- doubles to integers are rounded
SELECT CAST(2.5e0 AS integer), CAST(-2.5e0 AS integer), CAST(3.5e0 AS bigint), CAST(2.4e0 AS integer);

-- decimals to integers are rounded
SELECT CAST(2.5 AS integer), CAST(-2.5 AS integer), CAST(0.49 AS bigint);

-- texts to integers
SELECT CAST('7' AS integer), CAST('+7' AS bigint), CAST('-0' AS integer);

-- a text with a point is no integer
SELECT CAST('12.5' AS integer);

-- an empty text is no integer
SELECT CAST('' AS integer);

-- blanks around an integer
SELECT TRY_CAST(' 7' AS integer), TRY_CAST('7 ' AS bigint);

-- TRY_CAST gives NULL
SELECT TRY_CAST('x' AS integer), TRY_CAST('1_000' AS integer), TRY_CAST('2023-02-30' AS date), TRY_CAST('abc' AS double), TRY_CAST('1,5' AS decimal(5,2));

-- an integer that does not fit is an error
SELECT CAST(300 AS tinyint);

-- a text that does not fit is an error
SELECT CAST('9999999999' AS integer);

-- a decimal that does not fit is an error
SELECT CAST(1000 AS decimal(3,1));

-- a decimal is rounded to its scale
SELECT CAST(2.345 AS decimal(10,2)), CAST(-2.345 AS decimal(10,2)), CAST('12.345' AS decimal(4,2)), CAST(7 AS decimal(5,2));

-- doubles to decimals
SELECT CAST(1.115e0 AS decimal(10,2)), CAST(0.1e0 AS decimal(10,4)), CAST(1e10 AS decimal(18,2));

-- decimals to doubles
SELECT CAST(1.10 AS double), CAST(total AS double) FROM orders WHERE order_id = 103;

-- numbers to texts
SELECT CAST(7 AS varchar), CAST(12.50 AS varchar), CAST(-0.5 AS varchar), CAST(CAST(1 AS decimal(5,3)) AS varchar);

-- doubles to texts
SELECT CAST(1.5e0 AS varchar), CAST(1e0 AS varchar), CAST(1e7 AS varchar), CAST(1e-4 AS varchar), CAST(123456789e0 AS varchar), CAST(0e0 AS varchar), CAST(nan() AS varchar), CAST(infinity() AS varchar);

-- doubles of a column to texts
SELECT CAST(weight AS varchar), CAST(weight * 1e7 AS varchar), CAST(weight / 1000 AS varchar) FROM items ORDER BY order_id, line;

-- reals to texts
SELECT CAST(score AS varchar), CAST(REAL '0.1' AS varchar), CAST(REAL '1e10' AS varchar) FROM customers ORDER BY customer_id;

-- booleans
SELECT CAST(true AS varchar), CAST('true' AS boolean), CAST('F' AS boolean), CAST(1 AS boolean), CAST(0 AS boolean), CAST(true AS integer), CAST('t' AS boolean);

-- what is no boolean is an error
SELECT CAST('yes' AS boolean);

-- dates to texts and back
SELECT CAST(DATE '2023-07-01' AS varchar), CAST('2023-07-01' AS date), CAST('2023-7-1' AS date), CAST(' 2023-07-01 ' AS date);

-- what is no date is an error
SELECT CAST('01.07.2023' AS date);

-- a year alone is no date
SELECT TRY_CAST('2023' AS date), TRY_CAST('2023-07' AS date), TRY_CAST('2023-07-01 10:00:00' AS date);

-- texts to timestamps
SELECT CAST('2023-07-01 10:00:00' AS timestamp), CAST('2023-07-01' AS timestamp), CAST('2023-07-01 10:00' AS timestamp), CAST('2023-07-01 10:00:00.1239' AS timestamp);

-- a T is no blank
SELECT TRY_CAST('2023-07-01T10:00:00' AS timestamp);

-- timestamps to texts
SELECT CAST(ordered_at AS varchar) FROM orders ORDER BY order_id;

-- a literal timestamp to text
SELECT CAST(TIMESTAMP '2023-07-01 10:00:00' AS varchar), CAST(TIMESTAMP '2023-07-01 10:00:00.5' AS varchar), CAST(TIMESTAMP '2023-07-01 10:00' AS varchar);

-- timestamps to dates
SELECT order_id, CAST(ordered_at AS date) FROM orders ORDER BY 1;

-- dates to timestamps
SELECT CAST(order_date AS timestamp) FROM orders WHERE order_id = 103;

-- varchar with a length cuts
SELECT CAST('abcdef' AS varchar(3)), CAST(name AS varchar(4)) FROM customers ORDER BY 2;

-- a number that is longer than its varchar is an error
SELECT CAST(12345 AS varchar(3));

-- char is padded
SELECT CAST('ab' AS char(4)), length(CAST('ab' AS char(4))), CAST('ab' AS char(4)) = 'ab';

-- arrays are cast by their elements
SELECT CAST(ARRAY[1, 2] AS array(bigint)), CAST(ARRAY['1', '2'] AS array(integer)), CAST(ARRAY[1.5, NULL] AS array(varchar));

-- a wrong element makes the cast fail
SELECT CAST(ARRAY['1', 'x'] AS array(integer));

-- rows get names by a cast
SELECT CAST(ROW(1, 'a') AS ROW(id integer, label varchar)).label;

-- maps are cast by keys and values
SELECT CAST(MAP(ARRAY['1'], ARRAY[2]) AS map(integer, varchar));

-- a date is no number
SELECT CAST(DATE '2023-07-01' AS integer);

-- a number is no date
SELECT CAST(20230701 AS date);

-- an integer as text to a date
SELECT date_parse(CAST(20230701 AS varchar), '%Y%m%d');

-- NULL takes any type
SELECT CAST(NULL AS integer), CAST(NULL AS varchar), CAST(NULL AS date), CAST(NULL AS decimal(10,2));

-- numbers in scientific notation
SELECT CAST('1e3' AS double), CAST('1E-2' AS double), CAST('1e3' AS decimal(10,2));

-- special texts to doubles
SELECT CAST('NaN' AS double), CAST('Infinity' AS double), CAST('-Infinity' AS double), TRY_CAST('inf' AS double);

-- varbinary
SELECT to_utf8('é'), from_utf8(to_utf8('é')), to_hex(to_utf8('é')), CAST('a' AS varbinary);

-- typeof
SELECT typeof(1), typeof(1.5), typeof(1e0), typeof(DATE '2023-01-01'), typeof(ARRAY[1]), typeof(NULL), typeof(true);

-- TRY_CAST takes errors of the cast alone
SELECT TRY_CAST(1 / 0 AS varchar);

-- TRY_CAST of what an expression gives
SELECT TRY_CAST(trim(note) AS integer), TRY_CAST(substr(status, 1, 0) AS date), TRY_CAST(TRY(1 / 0) AS varchar) FROM orders;

-- TRY_CAST of an aggregate and of a subquery
SELECT TRY_CAST(count(*) AS tinyint), TRY_CAST(sum(total) AS tinyint), TRY_CAST((SELECT max(note) FROM orders) AS integer) FROM orders;

-- texts that are no dates
SELECT TRY_CAST('2023/01/01' AS date), TRY_CAST('20230101' AS date), TRY_CAST('2023-02-29' AS date), TRY_CAST('555-12-99' AS date), TRY_CAST('2023-1-1' AS date);

-- timestamps with more digits than are kept
SELECT TRY_CAST('2023-07-01 10:00:00.123456789' AS timestamp), CAST(concat('2023-07-01 10:00:00', '.1235') AS timestamp), CAST(concat('2023-07-01 10:00:00', '.9999999') AS timestamp);
