-- a date and an interval
SELECT DATE '2023-07-01' + INTERVAL '1' DAY, DATE '2023-03-31' - INTERVAL '1' MONTH, DATE '2024-02-29' + INTERVAL '1' YEAR;

-- a timestamp and an interval
SELECT TIMESTAMP '2023-07-01 10:00:00' + INTERVAL '90' MINUTE, TIMESTAMP '2023-07-01 10:00:00' - INTERVAL '36' HOUR, ordered_at + INTERVAL '1' SECOND FROM orders WHERE order_id = 102;

-- an interval first
SELECT INTERVAL '2' DAY + DATE '2023-07-01';

-- an interval with a sign
SELECT DATE '2023-07-01' + INTERVAL '-1' DAY, DATE '2023-07-01' - INTERVAL -'1' DAY;

-- an hour added to a date is an error
SELECT DATE '2023-07-01' + INTERVAL '1' HOUR;

-- the last seven days
SELECT count(*) FROM orders WHERE order_date >= DATE '2023-02-01' - INTERVAL '7' DAY AND order_date < DATE '2023-02-01';

-- an interval times a number
SELECT DATE '2023-07-01' + 3 * INTERVAL '1' DAY, TIMESTAMP '2023-07-01 00:00:00' + INTERVAL '1' HOUR * 5;

-- an interval times a column
SELECT customer_id, signup + customer_id * INTERVAL '1' MONTH FROM customers ORDER BY 1;

-- the difference of two dates is an interval
SELECT DATE '2023-07-03' - DATE '2023-07-01';

-- the difference of two timestamps is an interval
SELECT TIMESTAMP '2023-07-03 10:00:00' - TIMESTAMP '2023-07-01 12:30:00.250';

-- intervals as values
SELECT INTERVAL '3' DAY, INTERVAL '2' MONTH, INTERVAL '1' YEAR, INTERVAL '90' MINUTE;

-- an interval of several units
SELECT TIMESTAMP '2023-07-01 00:00:00' + INTERVAL '1 02:03' DAY TO MINUTE, DATE '2023-07-01' + INTERVAL '1-2' YEAR TO MONTH;

-- intervals are compared
SELECT INTERVAL '1' DAY > INTERVAL '23' HOUR, INTERVAL '12' MONTH = INTERVAL '1' YEAR;

-- a timestamp in another zone
SELECT TIMESTAMP '2023-07-01 10:00:00 UTC' AT TIME ZONE 'America/New_York';

-- the local date of an instant
SELECT event_id, CAST(with_timezone(happened_at, 'UTC') AT TIME ZONE 'America/New_York' AS date) FROM events ORDER BY 1;

-- the local time of an instant
SELECT event_id, CAST(with_timezone(happened_at, 'UTC') AT TIME ZONE 'Europe/Berlin' AS timestamp) FROM events ORDER BY 1;

-- a timestamp without a zone is taken as UTC
SELECT event_id, happened_at AT TIME ZONE 'Europe/Berlin' FROM events ORDER BY 1;

-- at_timezone
SELECT at_timezone(TIMESTAMP '2023-07-01 10:00:00 UTC', 'Asia/Tokyo');

-- the hour and the day in another zone
SELECT event_id, hour(happened_at AT TIME ZONE 'America/New_York'), day(happened_at AT TIME ZONE 'America/New_York') FROM events ORDER BY 1;

-- sales per local day
SELECT date(happened_at AT TIME ZONE 'America/New_York') AS day, count(*), sum(amount) FROM events GROUP BY 1 ORDER BY 1;

-- date_trunc in another zone
SELECT event_id, date_trunc('day', happened_at AT TIME ZONE 'America/New_York') FROM events ORDER BY 1;

-- a literal with a zone
SELECT TIMESTAMP '2023-07-01 10:00:00 Europe/Berlin', TIMESTAMP '2023-01-01 10:00:00 Europe/Berlin' AT TIME ZONE 'UTC';

-- a literal with an offset
SELECT TIMESTAMP '2023-07-01 10:00:00 +02:00' AT TIME ZONE 'UTC';

-- instants are compared, not clocks
SELECT TIMESTAMP '2023-07-01 12:00:00 Europe/Berlin' = TIMESTAMP '2023-07-01 10:00:00 UTC', TIMESTAMP '2023-07-01 12:00:00 Europe/Berlin' < TIMESTAMP '2023-07-01 10:30:00 UTC';

-- from_iso8601_timestamp
SELECT from_iso8601_timestamp('2023-07-01T10:00:00+02:00') AT TIME ZONE 'UTC', from_iso8601_timestamp('2023-07-01T10:00:00Z') AT TIME ZONE 'America/New_York';

-- from_unixtime in a zone
SELECT from_unixtime(1688205600) AT TIME ZONE 'America/New_York', from_unixtime(1688205600.5);

-- unix time of an instant
SELECT to_unixtime(TIMESTAMP '2023-07-01 10:00:00 Europe/Berlin');

-- hours over the change to summer time
SELECT date_diff('hour', TIMESTAMP '2023-03-26 00:00:00 Europe/Berlin', TIMESTAMP '2023-03-27 00:00:00 Europe/Berlin');

-- a day over the change to summer time
SELECT TIMESTAMP '2023-03-25 12:00:00 Europe/Berlin' + INTERVAL '1' DAY, TIMESTAMP '2023-03-25 12:00:00 Europe/Berlin' + INTERVAL '24' HOUR;

-- an instant as text in another zone
SELECT date_format(happened_at AT TIME ZONE 'America/New_York', '%Y-%m-%d %H:%i') FROM events ORDER BY 1;

-- an unknown zone is an error
SELECT TIMESTAMP '2023-07-01 10:00:00 UTC' AT TIME ZONE 'Mars/Base';

-- now is now
SELECT current_timestamp >= TIMESTAMP '2023-07-01 00:00:00 UTC', current_date >= DATE '2023-07-01', now() = current_timestamp, localtimestamp > TIMESTAMP '2023-07-01 00:00:00';
