-- integers divide towards zero
SELECT 7 / 2, -7 / 2, 7 / -2, 7 % 3, -7 % 3;

-- an integer divided by zero is an error
SELECT 1 / 0;

-- a decimal divided by zero is an error
SELECT 1.0 / 0;

-- a double divided by zero is infinite
SELECT 1e0 / 0, -1e0 / 0, 0e0 / 0;

-- an integer overflows
SELECT 2147483647 + 1;

-- a bigint overflows
SELECT 9223372036854775807 + 1;

-- a sum of integers is a bigint
SELECT sum(x), typeof(sum(x)) FROM (VALUES 2147483647, 1) t(x);

-- types of literals
SELECT 1, 3000000000, 1.50, 0.05, 1e0, 00.5;

-- sums of decimals
SELECT 1.1 + 2.25, 10 - 0.005, CAST(1 AS decimal(38,10)) + 1;

-- products of decimals
SELECT 1.5 * 2.25, CAST(99999999999999.9999 AS decimal(18,4)) * 100, 3 * 1.1;

-- quotients of decimals are rounded
SELECT 1.0 / 3, 2 / 3.0, -2 / 3.0, 10.0 / 4.00, CAST(10 AS decimal(18,4)) / 3;

-- remainders of decimals
SELECT 5.5 % 2, -5.5 % 2, 5.25 % 0.5;

-- a decimal and a double are a double
SELECT 1.5 + 1e0, 1.5 * 2e0, 1e0 / 3.0;

-- a product that needs more than 38 digits is an error
SELECT CAST('12345678901234567890' AS decimal(38,0)) * CAST('12345678901234567890' AS decimal(38,0));

-- revenue of lines
SELECT order_id, line, quantity * price, quantity * price * 0.19 FROM items ORDER BY 1, 2;

-- an average price
SELECT sum(quantity * price) / sum(quantity), avg(price) FROM items;

-- a share in percent
SELECT status, 100.0 * count(*) / sum(count(*)) OVER () FROM orders GROUP BY status ORDER BY 1;

-- a share of integers is zero
SELECT status, count(*) / 8 FROM orders GROUP BY status ORDER BY 1;

-- round
SELECT round(2.5), round(-2.5), round(2.345, 2), round(1234.5, -2), round(2.5e0), round(-2.5e0), round(1.005e0, 2);

-- round of integers
SELECT round(1250), round(1250, -2), round(-1250, -2);

-- truncate
SELECT truncate(2.7), truncate(-2.7), truncate(2.75e0), truncate(2.789, 2);

-- ceil and floor
SELECT ceil(2.1), floor(-2.1), ceiling(-2.1e0), floor(2.9e0), ceil(5);

-- abs, sign and mod
SELECT abs(-5), abs(-1.5), sign(-3), sign(2.5e0), sign(0), mod(7, 4), mod(-7, 4), mod(5.5, 2);

-- powers, roots and logarithms
SELECT power(2, 10), sqrt(2), cbrt(27), exp(1), ln(10), log10(1000), log2(8), log(2, 8);

-- the square root of a negative number is no number
SELECT sqrt(-1), ln(-1), ln(0);

-- trigonometry
SELECT sin(0), cos(0), tan(0), asin(1), acos(1), atan(1), atan2(1, 1), radians(180), degrees(pi());

-- greatest and least
SELECT greatest(1, 2, 3), least(1, 2.5), greatest('a', 'b'), greatest(DATE '2023-01-01', DATE '2023-02-01'), greatest(1, NULL);

-- greatest of doubles
SELECT greatest(1e0, 2e0), least(0.5e0, 3);

-- floating point is not exact
SELECT 0.1e0 + 0.2e0, 0.1 + 0.2;

-- reals
SELECT score, score * 2, CAST(score AS double) FROM customers ORDER BY customer_id;

-- NaN and infinity
SELECT nan() = nan(), is_nan(nan()), is_finite(1e0), is_infinite(infinity()), infinity() > 1e308;

-- numbers between
SELECT order_id FROM orders WHERE total BETWEEN 10 AND 100 ORDER BY 1;

-- comparisons across types
SELECT 1 = 1.0, 1 = 1e0, 1.5 > 1, BIGINT '1' = SMALLINT '1', 0.1 = 0.1e0;

-- bits
SELECT bitwise_and(12, 10), bitwise_or(12, 10), bitwise_xor(12, 10), bit_count(7, 64);

-- width_bucket
SELECT width_bucket(5.3, 0, 10, 5), width_bucket(-1, 0, 10, 5), width_bucket(11, 0, 10, 5);

-- a negative number of digits
SELECT -5 / 2 * 2, -(5 / 2), 2 - -2;

-- numbers in other bases
SELECT to_base(255, 16), from_base('ff', 16);

-- a decimal literal with its type
SELECT DECIMAL '12.30', DECIMAL '-0.5', REAL '1.5', DOUBLE '1.5', BIGINT '7', TINYINT '1';

-- tax, rounded per line and summed
SELECT sum(round(quantity * price * 0.19, 2)) FROM items;

-- count over nothing is zero and sum is NULL
SELECT count(*), sum(total), avg(total) FROM orders WHERE order_id < 0;

-- round of doubles rounds what is written
SELECT round(1.45e0, 1), round(-1.45e0, 1), round(2.675e0, 2), round(1.005e0, 2), round(0.285e0, 2), round(-0.04e0, 1);

-- round of doubles to tens and to many digits
SELECT round(1234.5e0, -2), round(-1250e0, -2), round(1e300, 2), round(0.1e0, 20), round(4503599627370497e0), round(0.49999999999999994e0);

-- round of numbers that are none
SELECT round(nan(), 2), round(infinity(), 2), round(-infinity()), round(1e308, 5), round(1e300, -320);

-- round of reals
SELECT round(REAL '1.45', 1), round(REAL '-2.5'), round(REAL '0.285', 2), round(REAL '16777217', -1);

-- a discount times a price, rounded
SELECT line, round(weight * price, 1), round(weight * 1.15, 2), round(weight * 0.15e0 * quantity, 3) FROM items ORDER BY order_id, line;

-- truncate to digits
SELECT truncate(2.50, 1), truncate(-2.55, 1), truncate(129.5, -1), truncate(0.05, 1), truncate(123.456, 0), truncate(99.99, -2);

-- truncate of long decimals
SELECT truncate(12345678901234567.25, 1), truncate(12345678901234567890123456789012345.678, 2), truncate(CAST(9.99 AS decimal(38,20)), 1);

-- truncate of prices
SELECT truncate(price, 1), truncate(price, 2), truncate(price * quantity, 3), truncate(price) FROM items ORDER BY order_id, line;

-- truncate of integers
SELECT truncate(129), truncate(BIGINT '-7'), truncate(1299, -2);

-- remainders of long decimals
SELECT 12345678901234567.25 % 0.1, CAST('12345678901234567890123456789012345.67' AS decimal(38,2)) % 7, mod(-12345678901234567.89, 10.5);

-- quotients of long decimals
SELECT 51313735379.90751163726516 / 752882001.826330434, 7.0471 / 26565150556130445166915.640410423, -0063943699192200.119252000201019 / 121.34, sum(total) / 3 FROM orders;
