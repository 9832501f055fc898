-- regexp_like finds anywhere
SELECT regexp_like('abc', 'b'), regexp_like('abc', '^b'), regexp_like('ABC', 'b'), regexp_like('ABC', '(?i)b');

-- regexp_like of a column
SELECT sku FROM items WHERE regexp_like(sku, '^TEA-[A-Z]+-\d+$') ORDER BY sku, order_id;

-- regexp_extract gives NULL without a match
SELECT regexp_extract('abc', 'x'), regexp_extract('a1b22', '\d+'), regexp_extract('a1b22', '[a-z](\d+)$', 1);

-- regexp_extract of a group
SELECT sku, regexp_extract(sku, '^([A-Z]+)-([A-Z]+)', 2) FROM items ORDER BY order_id, line;

-- a group that took no part is NULL
SELECT regexp_extract('ac', 'a(b)?c', 1), regexp_extract('abc', 'a(b)?c', 1);

-- a group that does not exist is an error
SELECT regexp_extract('abc', 'a', 1);

-- regexp_extract_all
SELECT regexp_extract_all('1a 2b 14m', '\d+'), regexp_extract_all('1a 2b 14m', '(\d+)([a-z]+)', 2), regexp_extract_all('abc', 'x');

-- regexp_replace
SELECT regexp_replace('1a 2b 14m', '\d+[ab] '), regexp_replace('1a 2b', '(\d)([ab])', '$2$1'), regexp_replace('a.b', '\.', '-');

-- regexp_replace with a name
SELECT regexp_replace('2023-07-01', '(?<y>\d+)-(?<m>\d+)-(?<d>\d+)', '${d}.${m}.${y}');

-- regexp_replace with a function
SELECT regexp_replace('new york', '(\w)(\w*)', x -> upper(x[1]) || lower(x[2]));

-- regexp_split
SELECT regexp_split('a1b22c', '\d+'), regexp_split('a, b;c', '[,;]\s*');

-- regexp_count and regexp_position
SELECT regexp_count('1a 2b 14m', '\d'), regexp_position('abc1', '\d'), regexp_position('abc', '\d');

-- only digits
SELECT regexp_replace('+49 (30) 123-45', '[^0-9]', '');

-- words
SELECT regexp_extract_all('the quick fox', '\w+'), regexp_extract('key=value', '(\w+)=(\w+)', 2);

-- an e-mail
SELECT regexp_extract('Ada <ada@example.org>', '[\w.]+@[\w.]+'), regexp_like('no mail', '@');

-- letters beyond ASCII
SELECT regexp_like('é', '^\w$'), regexp_like('é', '^[a-z]$'), regexp_replace('naïve café', '[^\x00-\x7F]', '?');

-- a dot does not match a line's end
SELECT regexp_like(concat('a', chr(10), 'b'), 'a.b'), regexp_like(concat('a', chr(10), 'b'), '(?s)a.b');

-- lazy and greedy
SELECT regexp_extract('<a><b>', '<.*>'), regexp_extract('<a><b>', '<.*?>');

-- look ahead
SELECT regexp_replace('1234567', '(\d)(?=(\d{3})+$)', '$1,'), regexp_like('abc', 'a(?!c)');

-- a reference back
SELECT regexp_like('hello', '(.)\1');

-- alternatives and boundaries
SELECT regexp_like('the cat', '\b(cat|dog)\b'), regexp_like('concat', '\b(cat|dog)\b');

-- classes
SELECT regexp_like('a1', '^[[:alpha:]]'), regexp_extract('ab 12', '\p{Nd}+'), regexp_like('X', '\p{Lu}');

-- a broken pattern is an error
SELECT regexp_like('a', '(');

-- NULL in, NULL out
SELECT regexp_like(NULL, 'a'), regexp_extract('a', NULL), regexp_replace(NULL, 'a', 'b');

-- a dollar in a replacement
SELECT regexp_replace('5', '\d', '\$$0');

-- an empty match between letters
SELECT regexp_replace('abc', 'x*', '-');

-- a pattern from a column
SELECT x, regexp_like(x, p) FROM (VALUES ('abc', 'b'), ('abc', '^c')) t(x, p) ORDER BY p;
