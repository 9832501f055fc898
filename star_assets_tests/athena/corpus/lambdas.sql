-- transform
SELECT transform(ARRAY[1, 2, 3], x -> x * 2), transform(tags, t -> upper(t)) FROM baskets ORDER BY basket_id;

-- transform to another type
SELECT transform(ARRAY[1, 2], x -> CAST(x AS varchar) || '!'), transform(ARRAY['2023-01-01'], d -> CAST(d AS date));

-- transform keeps NULL
SELECT transform(ARRAY[1, NULL], x -> x + 1), transform(ARRAY[1, NULL], x -> coalesce(x, 0));

-- transform with a column
SELECT basket_id, transform(counts, c -> c * basket_id) FROM baskets ORDER BY 1;

-- filter
SELECT filter(ARRAY[1, 2, 3, 4], x -> x % 2 = 0), filter(ARRAY['a', NULL], x -> x IS NOT NULL);

-- filter drops what is unknown
SELECT filter(ARRAY[1, NULL, 3], x -> x > 1);

-- reduce to a sum
SELECT reduce(ARRAY[5, 20, 50], 0, (s, x) -> s + x, s -> s), reduce(ARRAY[], 0, (s, x) -> s + 1, s -> s);

-- reduce with NULL
SELECT reduce(ARRAY[5, NULL, 50], 0, (s, x) -> s + coalesce(x, 0), s -> s), reduce(ARRAY[5, NULL], 0, (s, x) -> s + x, s -> s);

-- reduce with an end
SELECT reduce(ARRAY[1, 2, 3], 0, (s, x) -> s + x, s -> s * 10), reduce(ARRAY[2, 3], CAST(1 AS bigint), (s, x) -> s * x, s -> 'product ' || CAST(s AS varchar));

-- reduce of decimals
SELECT reduce(ARRAY[1.50, 2.25], CAST(0 AS decimal(10,2)), (s, x) -> CAST(s + x AS decimal(10,2)), s -> s);

-- reduce per row
SELECT basket_id, reduce(counts, 0, (s, x) -> s + coalesce(x, 0), s -> s) FROM baskets ORDER BY 1;

-- an average by reduce with a row
SELECT reduce(ARRAY[5, 20, 50], CAST(ROW(0.0, 0) AS ROW(total double, n integer)), (s, x) -> CAST(ROW(x + s.total, s.n + 1) AS ROW(total double, n integer)), s -> s.total / s.n);

-- any, all and none
SELECT any_match(ARRAY[1, 2], x -> x > 1), all_match(ARRAY[1, 2], x -> x > 1), none_match(ARRAY[1, 2], x -> x > 5);

-- any, all and none of NULL
SELECT any_match(ARRAY[1, NULL], x -> x > 5), all_match(ARRAY[1, NULL], x -> x > 0), none_match(ARRAY[NULL, 9], x -> x > 5), any_match(ARRAY[], x -> true), all_match(ARRAY[], x -> false);

-- zip and zip_with
SELECT zip(ARRAY[1, 2], ARRAY['a', 'b']), zip_with(ARRAY[1, 2], ARRAY[10, 20], (x, y) -> x + y), zip_with(ARRAY[1], ARRAY[1, 2], (x, y) -> coalesce(x, 0) + y);

-- a lambda in a lambda
SELECT transform(ARRAY[ARRAY[1, 2], ARRAY[3]], a -> transform(a, x -> x + 1)), transform(ARRAY[1, 2], x -> transform(ARRAY[10, 20], y -> x * y));

-- array_sort with a comparison
SELECT array_sort(ARRAY[3, 1, 2], (x, y) -> IF(x < y, 1, IF(x = y, 0, -1)));

-- map_filter
SELECT map_filter(MAP(ARRAY['a', 'b', 'c'], ARRAY[1, 20, 3]), (k, v) -> v > 2), map_filter(prices, (k, v) -> k = 'tea') FROM baskets ORDER BY basket_id;

-- transform_values
SELECT transform_values(MAP(ARRAY['a', 'b'], ARRAY[1, 2]), (k, v) -> v * 10), transform_values(prices, (k, v) -> k || CAST(v > 3 AS varchar)) FROM baskets ORDER BY basket_id;

-- transform_keys
SELECT transform_keys(MAP(ARRAY['a', 'b'], ARRAY[1, 2]), (k, v) -> upper(k));

-- map_zip_with
SELECT map_zip_with(MAP(ARRAY['a', 'b'], ARRAY[1, 2]), MAP(ARRAY['b', 'c'], ARRAY[20, 30]), (k, x, y) -> coalesce(x, 0) + coalesce(y, 0));

-- a lambda over split texts
SELECT transform(split('3,1,2', ','), x -> CAST(x AS integer)), array_join(transform(split('a b', ' '), w -> reverse(w)), ' ');

-- a lambda that fails
SELECT transform(ARRAY['1', 'x'], s -> CAST(s AS integer));

-- a lambda that tries
SELECT transform(ARRAY['1', 'x'], s -> TRY_CAST(s AS integer));

-- a filter after a transform
SELECT filter(transform(ARRAY[1, 2, 3], x -> x * x), x -> x > 1), cardinality(filter(tags, t -> t = 'b')) FROM baskets ORDER BY basket_id;

-- array_agg and a lambda
SELECT order_id, reduce(array_agg(quantity), 0, (s, x) -> s + x, s -> s) FROM items GROUP BY order_id ORDER BY 1;

-- a parameter hides a column
SELECT transform(ARRAY[1, 2], order_id -> order_id + 1) FROM orders WHERE order_id = 101;

-- a lambda of a wrong type is an error
SELECT filter(ARRAY[1, 2], x -> x + 1);

-- a lambda with a CASE
SELECT transform(ARRAY[1, 2, 3], x -> CASE WHEN x = 1 THEN 'one' WHEN x = 2 THEN 'two' ELSE 'many' END);

-- rows in a lambda
SELECT transform(ARRAY[CAST(ROW(1, 'a') AS ROW(id integer, label varchar))], r -> r.label);
