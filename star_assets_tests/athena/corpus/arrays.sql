-- a subscript counts from one
SELECT ARRAY[10, 20, 30][1], ARRAY[10, 20, 30][3], ARRAY['a', NULL][2];

-- a subscript outside is an error
SELECT ARRAY[1, 2][5];

-- a subscript of zero is an error
SELECT ARRAY[1, 2][0];

-- element_at outside is NULL
SELECT element_at(ARRAY[1, 2], 5), element_at(ARRAY[1, 2], -1), element_at(ARRAY[1, 2], 2);

-- cardinality
SELECT basket_id, cardinality(tags), cardinality(counts) FROM baskets ORDER BY 1;

-- contains
SELECT contains(ARRAY[1, 2], 2), contains(ARRAY[1, NULL], 2), contains(ARRAY[1, NULL], 1), contains(tags, 'a') FROM baskets ORDER BY basket_id;

-- array_position
SELECT array_position(ARRAY['a', 'b'], 'b'), array_position(ARRAY['a'], 'z');

-- array_join
SELECT array_join(tags, '+'), array_join(tags, '+', '?'), array_join(counts, ',') FROM baskets ORDER BY basket_id;

-- array_distinct
SELECT array_distinct(ARRAY[3, 1, 3, 2, 1]), array_distinct(ARRAY['b', NULL, 'b', NULL]);

-- array_sort
SELECT array_sort(ARRAY[3, NULL, 1, 2]), array_sort(tags) FROM baskets ORDER BY basket_id;

-- array_max and array_min
SELECT array_max(ARRAY[1, 3, 2]), array_min(ARRAY[1, 3, 2]), array_max(ARRAY[1, NULL]), array_min(tags) FROM baskets ORDER BY basket_id;

-- array_sum and array_average do not exist in Trino
SELECT array_sum(ARRAY[1, 2]);

-- union, intersection and difference
SELECT array_sort(array_union(ARRAY[1, 2], ARRAY[2, 3])), array_sort(array_intersect(ARRAY[1, 2, 2], ARRAY[2, 3])), array_sort(array_except(ARRAY[1, 2, 3], ARRAY[2]));

-- arrays_overlap
SELECT arrays_overlap(ARRAY[1, 2], ARRAY[2, 3]), arrays_overlap(ARRAY[1], ARRAY[2]), arrays_overlap(ARRAY[1, NULL], ARRAY[2]);

-- array_remove
SELECT array_remove(ARRAY[1, 2, 1], 1), array_remove(ARRAY['a', 'b'], 'z');

-- concatenation of arrays
SELECT ARRAY[1] || ARRAY[2, 3], ARRAY[1] || 2, 0 || ARRAY[1], concat(ARRAY[1], ARRAY[2], ARRAY[3]);

-- flatten
SELECT flatten(ARRAY[ARRAY[1, 2], ARRAY[], ARRAY[3]]);

-- slice
SELECT slice(ARRAY[1, 2, 3, 4], 2, 2), slice(ARRAY[1, 2, 3, 4], -2, 2), slice(ARRAY[1, 2], 5, 1);

-- reverse and shuffle of one
SELECT reverse(ARRAY[1, 2, 3]), reverse(ARRAY['a', NULL]);

-- sequence
SELECT sequence(1, 5), sequence(5, 1), sequence(1, 10, 3), sequence(10, 1, -4);

-- repeat
SELECT repeat(7, 3), repeat('a', 0);

-- array_agg
SELECT order_id, array_agg(sku ORDER BY line) FROM items GROUP BY order_id ORDER BY 1;

-- array_agg keeps NULL
SELECT array_agg(x ORDER BY x), array_agg(x ORDER BY x) FILTER (WHERE x IS NOT NULL), array_agg(DISTINCT x ORDER BY x) FROM (VALUES 2, NULL, 1, 2) t(x);

-- array_agg over nothing is NULL
SELECT array_agg(order_id) FROM orders WHERE order_id < 0;

-- UNNEST with its position
SELECT basket_id, n, tag FROM baskets CROSS JOIN UNNEST(tags) WITH ORDINALITY AS t(tag, n) ORDER BY 1, 2;

-- UNNEST of two arrays side by side
SELECT basket_id, tag, c FROM baskets CROSS JOIN UNNEST(tags, counts) AS t(tag, c) ORDER BY 1, 2, 3;

-- UNNEST and count again
SELECT tag, count(*) FROM baskets CROSS JOIN UNNEST(tags) AS t(tag) GROUP BY tag ORDER BY 2 DESC, 1;

-- UNNEST of an array of rows
SELECT a, b FROM UNNEST(ARRAY[ROW(1, 'x'), ROW(2, 'y')]) AS t(a, b) ORDER BY a;

-- arrays are compared
SELECT ARRAY[1, 2] = ARRAY[1, 2], ARRAY[1, 2] < ARRAY[1, 3], ARRAY[1] <> ARRAY[1, 2];

-- an array with NULL is compared
SELECT ARRAY[1, NULL] = ARRAY[1, NULL], ARRAY[1, NULL] = ARRAY[2, NULL];

-- GROUP BY an array
SELECT tags, count(*) FROM baskets GROUP BY tags ORDER BY 2, cardinality(tags);

-- arrays of arrays
SELECT ARRAY[ARRAY[1], ARRAY[2, 3]][2][1], cardinality(ARRAY[ARRAY[1], NULL]);

-- trim_array and combinations
SELECT trim_array(ARRAY[1, 2, 3], 1), cardinality(combinations(ARRAY['a', 'b', 'c'], 2));

-- ngrams
SELECT ngrams(ARRAY['a', 'b', 'c'], 2);

-- an empty array
SELECT ARRAY[], cardinality(ARRAY[]), CAST(ARRAY[] AS array(integer));

-- elements of several types
SELECT ARRAY[1, 2.5], ARRAY[1, NULL], ARRAY[DATE '2023-01-01'];

-- elements that do not go together are an error
SELECT ARRAY[1, 'a'];

-- element by element
SELECT basket_id, element_at(tags, 1), element_at(counts, -1) FROM baskets ORDER BY 1;

-- array_first and last by subscripts
SELECT element_at(split('a/b/c', '/'), -1), split('a/b/c', '/')[1];
