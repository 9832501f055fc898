-- a scalar by its path
SELECT basket_id, json_extract_scalar(payload, '$.user.name') FROM baskets ORDER BY 1;

-- a number by its path
SELECT basket_id, json_extract_scalar(payload, '$.user.id'), CAST(json_extract_scalar(payload, '$.user.id') AS integer) FROM baskets ORDER BY 1;

-- a number keeps its digits
SELECT json_extract_scalar('{"a": 1.50}', '$.a'), json_extract_scalar('{"a": 1e3}', '$.a'), json_extract_scalar('{"a": 12345678901234567890}', '$.a');

-- booleans and NULL
SELECT json_extract_scalar('{"a": true, "b": null}', '$.a'), json_extract_scalar('{"a": true, "b": null}', '$.b'), json_extract_scalar('{"a": 1}', '$.z');

-- an object is no scalar
SELECT json_extract_scalar('{"a": {"b": 1}}', '$.a'), json_extract_scalar('{"a": [1]}', '$.a'), json_extract_scalar('"x"', '$');

-- a text that is no JSON
SELECT json_extract_scalar('not json', '$.a'), json_extract_scalar('', '$.a'), json_extract_scalar('{"a": ', '$.a');

-- elements of an array
SELECT json_extract_scalar(payload, '$[0]'), json_extract_scalar(payload, '$[2]'), json_extract_scalar(payload, '$.items[0].sku') FROM baskets ORDER BY basket_id;

-- names in brackets
SELECT json_extract_scalar('{"a b": 1, "c.d": 2}', '$["a b"]'), json_extract_scalar('{"a b": 1, "c.d": 2}', '$["c.d"]');

-- json_extract
SELECT json_extract(payload, '$.user'), json_extract(payload, '$.items') FROM baskets ORDER BY basket_id;

-- json_extract of nothing
SELECT json_extract('{"a": 1}', '$.b'), json_extract('{"a": null}', '$.a'), json_extract('not json', '$.a');

-- json_array_length
SELECT basket_id, json_array_length(payload), json_array_length(json_extract(payload, '$.items')) FROM baskets ORDER BY 1;

-- json_array_get
SELECT json_array_get('[1, "a", null]', 0), json_array_get('[1, "a", null]', 1), json_array_get('[1, "a"]', -1), json_array_get('[1]', 9);

-- json_array_contains
SELECT json_array_contains('[1, 2, 3]', 2), json_array_contains('["a"]', 'a'), json_array_contains('[1]', 9);

-- json_size
SELECT json_size('{"a": {"b": 1, "c": 2}}', '$.a'), json_size('[1, 2]', '$'), json_size('{"a": 1}', '$.a');

-- json_parse and json_format
SELECT json_format(json_parse('{"b": 1, "a": [1, 2]}')), json_parse('[1, null, "x"]');

-- json_parse of what is no JSON is an error
SELECT json_parse('not json');

-- JSON to SQL values
SELECT CAST(json_parse('7') AS integer), CAST(json_parse('"x"') AS varchar), CAST(json_parse('1.5') AS double), CAST(json_parse('true') AS boolean), CAST(json_parse('null') AS integer);

-- JSON to an array
SELECT CAST(json_parse('[1, 2, null]') AS array(integer)), CAST(json_parse('["a", 1, true]') AS array(varchar));

-- JSON to a map
SELECT CAST(json_parse('{"a": 1, "b": 2}') AS map(varchar, integer));

-- JSON to a row
SELECT CAST(json_parse('{"id": 7, "name": "Ada"}') AS ROW(id integer, name varchar)), CAST(json_parse('[7, "Ada"]') AS ROW(id integer, name varchar));

-- JSON to an array of rows, unnested
SELECT b.basket_id, i.sku, i.price FROM baskets b CROSS JOIN UNNEST(CAST(json_extract(b.payload, '$.items') AS array(ROW(sku varchar, price double)))) AS i(sku, price) ORDER BY 1, 2;

-- SQL values to JSON
SELECT CAST(1 AS json), CAST('a' AS json), CAST(true AS json), CAST(1.5e0 AS json), CAST(NULL AS json), CAST(1.50 AS json);

-- arrays, maps and rows to JSON
SELECT json_format(CAST(ARRAY[1, NULL] AS json)), json_format(CAST(MAP(ARRAY['b', 'a'], ARRAY[1, 2]) AS json)), json_format(CAST(CAST(ROW(1, 'x') AS ROW(id integer, label varchar)) AS json));

-- what does not fit is an error
SELECT CAST(json_parse('"x"') AS integer);

-- is_json_scalar
SELECT is_json_scalar('1'), is_json_scalar('[1]'), is_json_scalar('{"a": 1}');

-- escapes
SELECT json_extract_scalar('{"a": "x\ny\u00e9\"q\""}', '$.a'), json_format(json_parse('"é\/"'));

-- json_value
SELECT json_value('{"a": 1}', 'lax $.a'), json_value('{"a": "x"}', 'strict $.a'), json_value('{"a": 1}', 'lax $.b');

-- json_exists and json_query
SELECT json_exists('{"a": 1}', 'lax $.a'), json_exists('{"a": 1}', 'lax $.b'), json_query('{"a": [1, 2]}', 'lax $.a');

-- a filter on a field
SELECT basket_id FROM baskets WHERE json_extract_scalar(payload, '$.user.vip') = 'true' ORDER BY 1;

-- wildcards
SELECT json_extract('{"items": [{"p": 1}, {"p": 2}]}', '$.items[*].p');

-- the deepest of a path
SELECT json_extract_scalar('{"a": {"b": [{"c": "deep"}]}}', '$.a.b[0].c');

-- a name twice
SELECT json_extract_scalar('{"a": 1, "a": 2}', '$.a');

-- timestamps as JSON have their digits
SELECT CAST(ordered_at AS json), CAST(order_date AS json), CAST(CAST(ordered_at AS timestamp(0)) AS json) FROM orders;

-- timestamps within arrays, maps and rows as JSON
SELECT CAST(ARRAY[ordered_at, NULL] AS json), CAST(MAP(ARRAY['at'], ARRAY[ordered_at]) AS json), CAST(ROW(ordered_at, TIMESTAMP '2023-07-01 10:00:00.10') AS json) FROM orders;
