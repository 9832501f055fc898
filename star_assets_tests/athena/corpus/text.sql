-- substr
SELECT substr('hello', 2), substr('hello', 2, 3), substr('hello', -3), substr('hello', -3, 2), substr('hello', 0), substr('abc', 10), substr('abc', -5);

-- SUBSTRING FROM FOR
SELECT substring('hello' FROM 2 FOR 3), substring('hello' FROM 4), substring('hello', 1, 1);

-- concatenation
SELECT 'a' || 'b' || 'c', concat('a', 'b', 'c'), 'a' || NULL, concat('a', NULL);

-- concat_ws
SELECT concat_ws('-', 'a', NULL, 'b'), concat_ws(',', ARRAY['x', NULL, 'y']);

-- a number is not concatenated
SELECT 'order ' || 101;

-- length counts letters
SELECT name, length(name) FROM customers ORDER BY customer_id;

-- upper and lower
SELECT upper(name), lower(name) FROM customers ORDER BY customer_id;

-- upper of ß
SELECT upper('straße'), lower('ÀÉ'), upper('ǆ');

-- trims
SELECT trim('  a b  '), ltrim('  a'), rtrim('a  '), trim(BOTH 'x' FROM 'xxaxx'), trim(LEADING '0' FROM '007'), trim(TRAILING '!' FROM 'hi!!');

-- trims of a column
SELECT order_id, '[' || trim(note) || ']' FROM orders ORDER BY 1;

-- split
SELECT split('a,b,,c', ','), split('', ','), split('abc', ','), split('a,b,c', ',', 2);

-- split_part
SELECT split_part('a,b,c', ',', 2), split_part('a,b,c', ',', 4), split_part('TEA-GREEN-100', '-', 3);

-- split_part of a column
SELECT sku, split_part(sku, '-', 1), split_part(sku, '-', 2) FROM items ORDER BY order_id, line;

-- split_part at zero is an error
SELECT split_part('a,b', ',', 0);

-- split_to_map
SELECT split_to_map('a=1;b=2', ';', '=');

-- strpos and position
SELECT strpos('hello', 'l'), strpos('hello', 'x'), position('lo' IN 'hello'), strpos('hello', 'l', 2);

-- replace
SELECT replace('a-b-c', '-', '+'), replace('a-b-c', '-'), replace('abc', 'x', 'y');

-- replace of the empty text
SELECT replace('abc', '', '-');

-- translate
SELECT translate('hello', 'el', 'ip'), translate('hello', 'l', '');

-- lpad and rpad
SELECT lpad('7', 3, '0'), rpad('7', 3, '0'), lpad('12345', 3, '0'), lpad('x', 6, 'ab');

-- reverse and chr
SELECT reverse('hello'), chr(65), codepoint('A');

-- starts_with
SELECT starts_with('hello', 'he'), starts_with('hello', 'lo'), starts_with('hello', '');

-- ends_with does not exist in Trino
SELECT ends_with('hello', 'lo');

-- LIKE
SELECT 'Abc' LIKE 'a%', 'abc' LIKE 'a_c', 'a%c' LIKE 'a\%c', '50%' LIKE '50!%' ESCAPE '!', 'abc' NOT LIKE '%z%', NULL LIKE 'a';

-- LIKE on a column
SELECT order_id FROM orders WHERE note LIKE '%o%' ORDER BY 1;

-- LIKE with an escape in a column
SELECT order_id FROM orders WHERE note LIKE '%!_%' ESCAPE '!' OR note LIKE '50!%%' ESCAPE '!' ORDER BY 1;

-- the order of texts is that of their letters' numbers
SELECT x FROM (VALUES 'b', 'B', 'a', 'é', 'z', '10', '9', '') t(x) ORDER BY x;

-- comparisons of texts
SELECT 'a' < 'B', 'a' = 'a ', 'é' > 'z', '10' < '9';

-- format
SELECT format('%s has %d orders', 'Ada', 3), format('%.2f', 1.5e0), format('%05d', 42), format('%,d', 1234567), format('%s', DATE '2023-07-01');

-- format of a decimal
SELECT format('%.1f %%', 12.345), format('%8.2f|%-6s|', 3.14159e0, 'ab');

-- repeat
SELECT array_join(repeat('ab', 3), '');

-- levenshtein and soundex
SELECT levenshtein_distance('kitten', 'sitting'), soundex('Robert'), hamming_distance('abc', 'abd');

-- hashes
SELECT to_hex(md5(to_utf8('abc'))), to_hex(sha256(to_utf8('abc'))), lower(to_hex(sha1(to_utf8('abc'))));

-- base64
SELECT to_base64(to_utf8('hello')), from_utf8(from_base64('aGVsbG8='));

-- urls
SELECT url_extract_host('https://example.org/a/b?x=1#top'), url_extract_path('https://example.org/a/b?x=1'), url_extract_parameter('https://example.org/?x=1&y=2', 'y');

-- urls are encoded
SELECT url_encode('a b&c=é'), url_decode('a+b%26c');

-- normalize
SELECT normalize('é', NFD) = 'é', length(normalize('é', NFD));

-- a quote in a text
SELECT 'it''s', length('it''s'), 'a"b';

-- an emoji is one letter
SELECT length('a😀b'), reverse('a😀b'), substr('a😀b', 2, 1), upper('😀x');

-- a text in a CASE
SELECT order_id, CASE WHEN note = '' THEN 'empty' WHEN note IS NULL THEN 'none' ELSE substr(note, 1, 3) END FROM orders ORDER BY 1;

-- initials
SELECT customer_id, concat(substr(split_part(name, ' ', 1), 1, 1), substr(split_part(name, ' ', 2), 1, 1)) FROM customers ORDER BY 1;

-- word by word
SELECT upper(substr(w, 1, 1)) || lower(substr(w, 2)) FROM UNNEST(split('the quick FOX', ' ')) t(w) ORDER BY 1;

-- what looks like a comment, in a text
SELECT '/*scan 7*/', '/*scan 0*/' || note, '-- ' || status FROM orders WHERE order_id = 101;
