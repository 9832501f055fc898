-- a map of two arrays
SELECT MAP(ARRAY['a', 'b'], ARRAY[1, 2]), MAP(), MAP(ARRAY[1], ARRAY[NULL]);

-- a key of a map
SELECT MAP(ARRAY['a', 'b'], ARRAY[1, 2])['b'], prices['tea'] FROM baskets WHERE basket_id = 1;

-- a key that is missing is an error
SELECT MAP(ARRAY['a'], ARRAY[1])['z'];

-- element_at of a missing key is NULL
SELECT basket_id, element_at(prices, 'tea') FROM baskets ORDER BY 1;

-- keys and values
SELECT array_sort(map_keys(prices)), array_sort(map_values(prices)) FROM baskets ORDER BY basket_id;

-- the size of a map
SELECT basket_id, cardinality(prices) FROM baskets ORDER BY 1;

-- UNNEST of a map
SELECT basket_id, k, v FROM baskets CROSS JOIN UNNEST(prices) AS t(k, v) ORDER BY 1, 2;

-- map_entries and map_from_entries
SELECT map_entries(MAP(ARRAY['a'], ARRAY[1])), map_from_entries(ARRAY[ROW('x', 1), ROW('y', 2)]);

-- map_concat takes the last
SELECT map_concat(MAP(ARRAY['a', 'b'], ARRAY[1, 2]), MAP(ARRAY['b', 'c'], ARRAY[20, 30]));

-- map_agg
SELECT map_agg(order_id, status) FROM orders WHERE order_id <= 103;

-- map_agg per group
SELECT order_id, map_agg(line, sku) FROM items GROUP BY order_id ORDER BY 1;

-- multimap_agg
SELECT multimap_agg(status, order_id) FROM (SELECT * FROM orders WHERE status = 'open' ORDER BY order_id);

-- histogram
SELECT histogram(status) FROM orders;

-- map_union
SELECT map_union(m) FROM (VALUES MAP(ARRAY['a'], ARRAY[1]), MAP(ARRAY['b'], ARRAY[2])) t(m);

-- a map with a key twice is an error
SELECT MAP(ARRAY['a', 'a'], ARRAY[1, 2]);

-- a map with a NULL key is an error
SELECT MAP(ARRAY[CAST(NULL AS varchar)], ARRAY[1]);

-- arrays of different lengths are an error
SELECT MAP(ARRAY['a', 'b'], ARRAY[1]);

-- maps are compared
SELECT MAP(ARRAY['a', 'b'], ARRAY[1, 2]) = MAP(ARRAY['b', 'a'], ARRAY[2, 1]), MAP(ARRAY['a'], ARRAY[1]) = MAP(ARRAY['a'], ARRAY[2]);

-- a row
SELECT ROW(1, 'a', 2.5), ROW(1, NULL);

-- the fields of a struct
SELECT basket_id, address.city, address.zip FROM baskets ORDER BY 1;

-- the fields of a struct with its table
SELECT b.address.city FROM baskets b WHERE b.address.zip = '75001';

-- a struct as a whole
SELECT basket_id, address FROM baskets ORDER BY 1;

-- a field by its number
SELECT ROW(1, 'a')[2], CAST(ROW(1, 'a') AS ROW(x integer, y varchar)).x;

-- rows are compared
SELECT ROW(1, 'a') = ROW(1, 'a'), ROW(1, 2) < ROW(1, 3), ROW(1, NULL) = ROW(1, NULL);

-- rows in IN
SELECT order_id FROM items WHERE (order_id, line) IN ((101, 2), (102, 1), (103, 9)) ORDER BY 1;

-- GROUP BY a field
SELECT address.city, count(*), max(cardinality(tags)) FROM baskets GROUP BY address.city ORDER BY 1;

-- an array of rows
SELECT ARRAY[CAST(ROW(1, 'a') AS ROW(id integer, label varchar))][1].label;

-- an array of rows by array_agg
SELECT order_id, array_agg(CAST(ROW(sku, quantity) AS ROW(sku varchar, quantity integer)) ORDER BY line) FROM items WHERE order_id < 103 GROUP BY order_id ORDER BY 1;

-- max_by a row
SELECT max_by(ROW(order_id, total), total) FROM orders;

-- a map of arrays
SELECT MAP(ARRAY['a'], ARRAY[ARRAY[1, 2]])['a'][2];

-- map from a text
SELECT split_to_map('k1:v1,k2:v2', ',', ':')['k2'], transform_values(split_to_map('a:1,b:2', ',', ':'), (k, v) -> CAST(v AS integer));

-- a field that does not exist is an error
SELECT address.street FROM baskets;

-- maps in WHERE
SELECT basket_id FROM baskets WHERE cardinality(map_keys(prices)) > 0 AND element_at(prices, 'mug') > 8 ORDER BY 1;

-- an empty map and a missing map
SELECT basket_id, prices IS NULL, cardinality(prices) = 0 FROM baskets ORDER BY 1;
