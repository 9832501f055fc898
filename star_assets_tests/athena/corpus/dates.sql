-- date_trunc keeps the type of a date
SELECT date_trunc('month', DATE '2023-07-15'), date_trunc('quarter', DATE '2023-08-15'), date_trunc('week', DATE '2023-01-01'), date_trunc('year', DATE '2023-07-15');

-- date_trunc of a timestamp
SELECT order_id, date_trunc('hour', ordered_at), date_trunc('day', ordered_at), date_trunc('month', ordered_at) FROM orders ORDER BY 1;

-- date_trunc finer than a second
SELECT date_trunc('second', TIMESTAMP '2023-07-15 10:20:30.456'), date_trunc('minute', TIMESTAMP '2023-07-15 10:20:30.456');

-- date_trunc of an unknown unit is an error
SELECT date_trunc('fortnight', DATE '2023-07-01');

-- date_trunc of a date by the hour is an error
SELECT date_trunc('hour', DATE '2023-07-01');

-- date_diff counts whole units
SELECT date_diff('month', DATE '2023-01-31', DATE '2023-02-01'), date_diff('month', DATE '2023-01-31', DATE '2023-02-28'), date_diff('month', DATE '2023-01-15', DATE '2023-03-15');

-- date_diff of years and leap days
SELECT date_diff('year', DATE '2020-02-29', DATE '2021-02-28'), date_diff('year', DATE '2020-02-29', DATE '2021-03-01'), date_diff('day', DATE '2024-02-28', DATE '2024-03-01');

-- date_diff of timestamps
SELECT date_diff('day', TIMESTAMP '2023-07-01 23:00:00', TIMESTAMP '2023-07-02 22:59:59'), date_diff('hour', TIMESTAMP '2023-07-01 10:30:00', TIMESTAMP '2023-07-01 12:29:00'), date_diff('second', TIMESTAMP '2023-07-01 00:00:00.900', TIMESTAMP '2023-07-01 00:00:02.000');

-- date_diff backwards is negative
SELECT date_diff('day', DATE '2023-07-03', DATE '2023-07-01'), date_diff('month', DATE '2023-03-30', DATE '2023-02-28'), date_diff('week', DATE '2023-07-20', DATE '2023-07-01');

-- date_diff in quarters, weeks and milliseconds
SELECT date_diff('quarter', DATE '2023-01-01', DATE '2023-12-31'), date_diff('week', DATE '2023-01-01', DATE '2023-01-14'), date_diff('millisecond', TIMESTAMP '2023-01-01 00:00:00.001', TIMESTAMP '2023-01-01 00:00:01.000');

-- date_diff of a date and a timestamp
SELECT date_diff('hour', DATE '2023-07-01', TIMESTAMP '2023-07-01 05:00:00');

-- date_add cuts the day to what the month has
SELECT date_add('month', 1, DATE '2023-01-31'), date_add('month', 1, DATE '2024-01-31'), date_add('year', 1, DATE '2024-02-29'), date_add('quarter', -1, DATE '2023-05-31');

-- date_add to a timestamp
SELECT date_add('minute', 90, TIMESTAMP '2023-07-01 23:00:00'), date_add('week', 2, TIMESTAMP '2023-07-01 10:00:00'), date_add('millisecond', -1, TIMESTAMP '2023-01-01 00:00:00');

-- date_add of hours to a date is an error
SELECT date_add('hour', 1, DATE '2023-07-01');

-- date_add of a column
SELECT order_id, date_add('day', customer_id, order_date) FROM orders ORDER BY 1;

-- the parts of a date
SELECT year(d), quarter(d), month(d), day(d), week(d), day_of_week(d), day_of_year(d), year_of_week(d) FROM (VALUES DATE '2023-01-01', DATE '2023-12-31', DATE '2024-02-29') t(d) ORDER BY d;

-- the parts of a timestamp
SELECT hour(t), minute(t), second(t), millisecond(t) FROM (VALUES TIMESTAMP '2023-07-01 23:59:58.987') x(t);

-- short names of the parts
SELECT dow(d), doy(d), yow(d), week_of_year(d), day_of_month(d) FROM (VALUES DATE '2021-01-03') t(d);

-- extract
SELECT extract(year FROM order_date), extract(month FROM ordered_at), extract(dow FROM order_date), extract(week FROM order_date) FROM orders WHERE order_id = 103;

-- the hour of a date is zero
SELECT hour(DATE '2023-07-01');

-- last_day_of_month
SELECT last_day_of_month(DATE '2023-02-10'), last_day_of_month(DATE '2024-02-10'), last_day_of_month(TIMESTAMP '2023-12-01 10:00:00');

-- comparisons of dates and timestamps
SELECT DATE '2023-07-01' < TIMESTAMP '2023-07-01 00:00:01', DATE '2023-07-01' = TIMESTAMP '2023-07-01 00:00:00', DATE '2023-07-01' BETWEEN DATE '2023-06-30' AND DATE '2023-07-01';

-- a date and a text are not compared
SELECT count(*) FROM orders WHERE order_date = '2023-01-01';

-- date_format
SELECT date_format(TIMESTAMP '2023-07-01 15:04:05.678', '%Y-%m-%d %H:%i:%s'), date_format(TIMESTAMP '2023-07-01 05:04:05', '%y %c %e %k %l %I %p'), date_format(DATE '2023-07-01', '%W %M %b %a %j');

-- date_format with fractions and weeks
SELECT date_format(TIMESTAMP '2023-07-01 15:04:05.678', '%f'), date_format(DATE '2023-01-01', '%x-%v'), date_format(DATE '2023-07-01', '%T %r %%');

-- date_format to group by months
SELECT date_format(ordered_at, '%Y-%m') AS month, count(*) FROM orders GROUP BY 1 ORDER BY 1;

-- date_parse
SELECT date_parse('2023-07-01 15:04', '%Y-%m-%d %H:%i'), date_parse('01/07/2023', '%d/%m/%Y'), date_parse('20230701', '%Y%m%d');

-- date_parse with names and a 12-hour clock
SELECT date_parse('Jul 1 2023 03:04 PM', '%b %e %Y %h:%i %p'), date_parse('1 July 2023', '%e %M %Y');

-- date_parse of what does not fit is an error
SELECT date_parse('2023-07', '%Y-%m-%d');

-- from_iso8601_date and to_iso8601
SELECT from_iso8601_date('2023-07-01'), to_iso8601(DATE '2023-07-01'), to_iso8601(TIMESTAMP '2023-07-01 10:00:00.123');

-- unix time
SELECT to_unixtime(TIMESTAMP '2023-07-01 10:00:00.250'), CAST(from_unixtime(1688205600) AS date);

-- date() of texts and timestamps
SELECT date('2023-07-01'), date(TIMESTAMP '2023-07-01 23:59:59.999'), date(ordered_at) FROM orders WHERE order_id = 102;

-- format_datetime
SELECT format_datetime(TIMESTAMP '2023-07-01 15:04:05', 'yyyy-MM-dd HH:mm:ss'), format_datetime(TIMESTAMP '2023-07-01 15:04:05', 'EEE, d MMM yyyy');

-- parse_datetime
SELECT CAST(parse_datetime('2023-07-01 15:04', 'yyyy-MM-dd HH:mm') AS timestamp);

-- a calendar of days
SELECT d FROM UNNEST(sequence(DATE '2023-02-27', DATE '2023-03-02')) t(d) ORDER BY 1;

-- a calendar of months
SELECT d FROM UNNEST(sequence(DATE '2023-01-01', DATE '2023-04-01', INTERVAL '1' MONTH)) t(d) ORDER BY 1;

-- a calendar by weeks
SELECT d FROM UNNEST(sequence(DATE '2023-01-01', DATE '2023-01-31', INTERVAL '7' DAY)) t(d) ORDER BY 1;

-- a series of hours
SELECT t FROM UNNEST(sequence(TIMESTAMP '2023-01-01 00:00:00', TIMESTAMP '2023-01-01 03:00:00', INTERVAL '1' HOUR)) x(t) ORDER BY 1;

-- the age in days
SELECT customer_id, date_diff('day', signup, DATE '2024-03-01') FROM customers ORDER BY 1;

-- the weekday's name
SELECT order_id, CASE day_of_week(order_date) WHEN 6 THEN 'Saturday' WHEN 7 THEN 'Sunday' ELSE 'weekday' END FROM orders ORDER BY 1;

-- what is no day is an error
SELECT DATE '2023-02-30';

-- min and max of dates
SELECT min(order_date), max(ordered_at), max(signup) FROM orders CROSS JOIN customers;

-- years beyond 9999 within a query
SELECT year(DATE '9999-12-31' + INTERVAL '1' DAY), DATE '9999-12-31' + INTERVAL '1' DAY > DATE '2023-01-01', DATE '9999-12-31', DATE '0001-01-01';

-- from_unixtime rounds half up
SELECT from_unixtime(-0.0005), from_unixtime(1688169600.1235), from_unixtime(-1.5);

-- date_parse cuts what is finer than a millisecond
SELECT date_parse('2023-12-31 02:59:59.009905', '%Y-%m-%d %H:%i:%s.%f'), date_parse('2023-12-31 02:59:59.9999', '%Y-%m-%d %H:%i:%s.%f') = TIMESTAMP '2023-12-31 02:59:59.999';

-- from_iso8601_timestamp cuts what is finer than a millisecond
SELECT to_unixtime(from_iso8601_timestamp('1969-12-31T00:00:00.0909')), to_unixtime(from_iso8601_timestamp('2023-07-01T00:00:00.9999Z'));
