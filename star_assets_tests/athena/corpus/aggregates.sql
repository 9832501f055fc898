-- the basic ones
SELECT count(*), count(total), sum(total), avg(total), min(total), max(total) FROM orders;

-- of integers
SELECT sum(quantity), avg(quantity), min(quantity), max(quantity) FROM items;

-- of doubles
SELECT sum(weight), avg(weight), min(weight), max(weight) FROM items;

-- of reals
SELECT sum(score), avg(score), max(score) FROM customers;

-- of texts
SELECT min(name), max(name), min(status) FROM customers CROSS JOIN orders;

-- of booleans
SELECT bool_and(total > 0), bool_or(total > 1000), every(total > -100) FROM orders;

-- max of a boolean
SELECT max(status = 'paid'), min(status = 'paid') FROM orders;

-- max_by and min_by
SELECT max_by(order_id, total), min_by(order_id, total), max_by(note, ordered_at) FROM orders;

-- max_by of several
SELECT max_by(order_id, total, 3), min_by(order_id, total, 2) FROM orders;

-- the greatest three
SELECT max(total, 3), min(total, 2) FROM orders;

-- arbitrary of one
SELECT arbitrary(status), any_value(status) FROM orders WHERE order_id = 101;

-- a median
SELECT approx_percentile(x, 0.5) FROM (VALUES 1, 2, 3, 4, 100) t(x);

-- percentiles of doubles
SELECT approx_percentile(x, 0.5), approx_percentile(x, 0.9), approx_percentile(x, 0e0), approx_percentile(x, 1e0) FROM (VALUES 1e0, 2e0, 3e0, 4e0, 5e0, 6e0, 7e0, 8e0, 9e0, 10e0) t(x);

-- several percentiles at once
SELECT approx_percentile(x, ARRAY[0.25, 0.5, 0.75]) FROM (VALUES 1, 2, 3, 4, 5) t(x);

-- a percentile of decimals
SELECT approx_percentile(total, 0.5) FROM orders;

-- approximately distinct
SELECT approx_distinct(status), approx_distinct(customer_id), approx_distinct(total) FROM orders;

-- approximately distinct with an error
SELECT approx_distinct(status, 0.01) FROM orders;

-- approx_most_frequent
SELECT approx_most_frequent(2, status, 10) FROM orders;

-- deviations and variances
SELECT stddev(quantity), stddev_pop(quantity), variance(quantity), var_pop(quantity), stddev_samp(weight), var_samp(weight) FROM items;

-- the deviation of one value
SELECT stddev(x), stddev_pop(x), variance(x) FROM (VALUES 5) t(x);

-- correlation and regression
SELECT corr(y, x), covar_pop(y, x), covar_samp(y, x), regr_slope(y, x), regr_intercept(y, x) FROM (VALUES (1e0, 2e0), (2e0, 4.5e0), (3e0, 5.5e0)) t(x, y);

-- skewness and kurtosis
SELECT skewness(x), kurtosis(x) FROM (VALUES 1e0, 2e0, 3e0, 10e0, 20e0) t(x);

-- the geometric mean
SELECT geometric_mean(x) FROM (VALUES 1, 3, 9) t(x);

-- bits
SELECT bitwise_and_agg(x), bitwise_or_agg(x) FROM (VALUES 12, 10) t(x);

-- listagg
SELECT listagg(sku, ', ') WITHIN GROUP (ORDER BY order_id, line) FROM items;

-- listagg of distinct values per group
SELECT customer_id, listagg(DISTINCT status, '/') WITHIN GROUP (ORDER BY status) FROM orders GROUP BY customer_id ORDER BY 1;

-- listagg skips NULL
SELECT listagg(x, '-') WITHIN GROUP (ORDER BY x) FROM (VALUES 'b', NULL, 'a') t(x);

-- sum of distinct
SELECT sum(DISTINCT quantity), avg(DISTINCT quantity), count(DISTINCT sku) FROM items;

-- count of distinct pairs
SELECT count(*) FROM (SELECT DISTINCT customer_id, status FROM orders);

-- an average of a decimal is rounded
SELECT avg(x) FROM (VALUES 0.01, 0.02) t(x);

-- an average of dates is an error
SELECT avg(order_date) FROM orders;

-- a sum of texts is an error
SELECT sum(status) FROM orders;

-- a weighted average
SELECT sum(quantity * price) / sum(quantity), CAST(sum(quantity * price) AS double) / sum(quantity) FROM items WHERE quantity > 0;

-- a histogram of numbers
SELECT width_bucket(total, 0, 100, 4) AS bucket, count(*) FROM orders WHERE total IS NOT NULL GROUP BY 1 ORDER BY 1;

-- a sum that overflows
SELECT sum(x) FROM (VALUES 9223372036854775807, 1) t(x);

-- array_agg of distinct
SELECT array_sort(array_agg(DISTINCT customer_id)) FROM orders;

-- reduce_agg
SELECT reduce_agg(x, 0, (a, b) -> a + b, (a, b) -> a + b) FROM (VALUES 1, 2, 3) t(x);

-- first and last by time
SELECT customer_id, min_by(status, ordered_at) AS first, max_by(status, ordered_at) AS last FROM orders GROUP BY customer_id ORDER BY 1;

-- numeric_histogram
SELECT cardinality(numeric_histogram(2, x)) FROM (VALUES 1e0, 2e0, 10e0) t(x);

-- count_if over no rows is zero
SELECT count_if(total > 1) FROM orders WHERE order_id < 0;

-- count_if, distinct and filtered
SELECT count_if(total > 10), count_if(DISTINCT total > 10), count_if(total > 10) FILTER (WHERE status = 'paid') FROM orders;

-- count_if of lines that may not be there
SELECT o.order_id, count_if(i.quantity > 1) FROM orders o LEFT JOIN items i ON i.order_id = o.order_id GROUP BY 1;

-- statistics of one pair
SELECT corr(x, y), covar_pop(x, y), covar_samp(x, y), regr_slope(x, y), regr_intercept(x, y), skewness(x), kurtosis(x), stddev(x), variance(x), var_pop(x), stddev_pop(x) FROM (VALUES (1e0, 2e0)) t(x, y);

-- statistics of two pairs of one x
SELECT corr(x, y), covar_pop(x, y), covar_samp(x, y), regr_slope(x, y), regr_intercept(x, y), skewness(x), kurtosis(x), stddev(x), variance(x), var_pop(x), stddev_pop(x) FROM (VALUES (1e0, 2e0), (1e0, 3e0)) t(x, y);

-- statistics of equal pairs
SELECT corr(x, y), covar_pop(x, y), covar_samp(x, y), regr_slope(x, y), regr_intercept(x, y), skewness(x), kurtosis(x), stddev(x), variance(x), var_pop(x), stddev_pop(x) FROM (VALUES (3e0, 3e0), (3e0, 3e0), (3e0, 3e0), (3e0, 3e0)) t(x, y);

-- statistics of pairs of one y
SELECT corr(x, y), covar_pop(x, y), covar_samp(x, y), regr_slope(x, y), regr_intercept(x, y), skewness(x), kurtosis(x), stddev(x), variance(x), var_pop(x), stddev_pop(x) FROM (VALUES (1e0, 2e0), (2e0, 2e0), (4e0, 2e0)) t(x, y);

-- statistics of pairs with NULL
SELECT corr(x, y), covar_pop(x, y), covar_samp(x, y), regr_slope(x, y), regr_intercept(x, y), skewness(x), kurtosis(x), stddev(x), variance(x), var_pop(x), stddev_pop(x) FROM (VALUES (1e0, NULL), (2e0, 5e0), (NULL, 2e0)) t(x, y);

-- statistics of five pairs
SELECT corr(x, y), covar_pop(x, y), covar_samp(x, y), regr_slope(x, y), regr_intercept(x, y), skewness(x), kurtosis(x), stddev(x), variance(x), var_pop(x), stddev_pop(x) FROM (VALUES (1e0, 2e0), (2e0, 5e0), (4e0, 2e0), (4e0, 6e0), (7e0, 1e0)) t(x, y);
