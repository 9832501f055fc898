"""DuckDB macros for operations that Athena computes differently from DuckDB.

Not here: operations that need Python (python_functions), the rules that use the macros.
"""

from __future__ import annotations

from star_assets.athena.functions.moment_text import FAR_DAY

# An error is a cast that fails, because DuckDB's TRY does not accept its volatile function `error`.
MACROS = {
    "athena_error(message)": "CAST('athena{' || message || '}' AS INTEGER)",
    # x / 0 of integers and decimals is an error.
    "athena_int_div(n, d)": "CASE WHEN d = 0 THEN athena_error('DIVISION_BY_ZERO: Division by zero') ELSE n // d END",
    "athena_mod(n, d)": "CASE WHEN d = 0 THEN athena_error('DIVISION_BY_ZERO: Division by zero') ELSE n % d END",
    "athena_float_mod(n, d)": "CASE WHEN d = 0 THEN 'NaN'::DOUBLE ELSE n % d END",
    # Rounds to digits after the point, computing in floating point: 1.45 becomes 14.5 tenths, then 15.
    "athena_round(x, digits)": """CASE WHEN isinf(x * pow(10, digits)) THEN x
        ELSE sign(x) * round(abs(x) * pow(10, digits)) / pow(10, digits) END""",
    # An integer times a power of ten, if it is less than `most`, so that the product has at most 38 digits.
    "athena_with_zeros(n, unit, most)": """CASE WHEN abs(n) < most THEN n * unit
        WHEN n IS NOT NULL THEN athena_refused('a decimal division that needs more than 38 digits') END""",
    # The quotient of integers, rounded half away from zero.
    "athena_round_div(n, d)": """CASE WHEN d = 0 THEN athena_error('DIVISION_BY_ZERO: Division by zero') ELSE
        sign(n) * sign(d) * (abs(n) // abs(d) + CASE WHEN abs(n) % abs(d) >= abs(d) - abs(n) % abs(d)
        THEN 1 ELSE 0 END) END""",
    # A text that is no value of the type becomes an error message, with which the cast around it fails.
    "athena_checked(value, valid, type)": """CASE WHEN value IS NULL OR regexp_full_match(value, valid)
        THEN value ELSE 'athena{INVALID_CAST_ARGUMENT: Cannot cast ''' || value || ''' to ' || type || '}' END""",
    # Refuses a date whose year is outside of the range that the embedded Athena reads.
    "athena_near(value)": f"""CASE WHEN regexp_full_match(value, '\\s*{FAR_DAY}\\s*')
        THEN CAST(athena_refused('the year of ' || value) AS VARCHAR) ELSE value END""",
    # Fails for a text that is longer than the varchar(n) that it is cast to.
    "athena_fitting(value, n)": """CASE WHEN length(value) > n THEN CAST(athena_error(
        'INVALID_CAST_ARGUMENT: Value ' || value || ' cannot be represented as varchar(' || n || ')') AS VARCHAR)
        ELSE value END""",
    "athena_with_zero(value)": """CASE WHEN starts_with(value, '.') THEN '0' || value
        WHEN starts_with(value, '-.') THEN '-0' || substr(value, 2) ELSE value END""",
    "athena_real(x)": """CASE WHEN abs(x) > 3.4028235e38 AND NOT isnan(x)
        THEN CAST(sign(x) * 'Infinity'::DOUBLE AS FLOAT) ELSE CAST(x AS FLOAT) END""",
    # Timestamps and intervals. Rounds half up to a unit, which is in microseconds.
    "athena_rounded(moment, unit)": """make_timestamp(epoch_us(moment) + unit // 2
        - ((epoch_us(moment) + unit // 2) % unit + unit) % unit)""",
    "athena_year_checked(moment)": """CASE WHEN year(moment) BETWEEN 1 AND 9999 THEN moment
        WHEN moment IS NOT NULL AND athena_refused('the text of a year before 1 or after 9999') IS NULL
        THEN moment END""",
    "athena_moment_text(moment, digits)": """strftime(athena_year_checked(moment), '%Y-%m-%d %H:%M:%S')
        || CASE WHEN digits > 0 THEN '.' || substr(strftime(moment, '%f'), 1, digits) ELSE '' END""",
    # The UTC timestamp of a local time; of the two of a local time that occurs twice, the earlier one.
    "athena_instant(shown, zone)": """CASE WHEN timezone(zone, timezone(zone, shown) - to_hours(1)) = shown
        THEN timezone(zone, shown) - to_hours(1) ELSE timezone(zone, shown) END""",
    "athena_days_text(ms)": """CASE WHEN ms < 0 THEN '-' ELSE '' END || (abs(ms) // 86400000) || ' '
        || lpad(CAST(abs(ms) // 3600000 % 24 AS VARCHAR), 2, '0') || ':'
        || lpad(CAST(abs(ms) // 60000 % 60 AS VARCHAR), 2, '0') || ':'
        || lpad(CAST(abs(ms) // 1000 % 60 AS VARCHAR), 2, '0') || '.'
        || lpad(CAST(abs(ms) % 1000 AS VARCHAR), 3, '0')""",
    "athena_months_text(n)": "CASE WHEN n < 0 THEN '-' ELSE '' END || (abs(n) // 12) || '-' || (abs(n) % 12)",
    # sequence() fails if the step leads away from `last`.
    "athena_step(first, last, step)": """CASE
        WHEN step = 0 THEN athena_error('INVALID_FUNCTION_ARGUMENT: step must not be zero')
        WHEN (step > 0 AND first > last) OR (step < 0 AND first < last) THEN athena_error(
            'INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than or equal to start value if '
            || 'step is greater than zero otherwise stop should be less than or equal to start')
        ELSE step END""",
    "athena_numbers(first, last, step)": "generate_series(first, last, athena_step(first, last, step))",
    "athena_times(first, last, ms)": "generate_series(first, last, to_milliseconds(athena_step(first, last, ms)))",
    # Each date is computed from the first one, so that after a shorter month the day is the 31st again.
    "athena_months(first, last, n)": """list_filter(list_transform(generate_series(0,
        CAST(abs(date_diff('month', first, last)) // abs(athena_step(first, last, n)) + 1 AS BIGINT)),
        lambda i: first + to_months(CAST(i * n AS INTEGER))),
        lambda x: CASE WHEN n > 0 THEN x <= last ELSE x >= last END)""",
    # A subscript outside of the array is an error, and NULL with element_at; 0 is an error with both.
    "athena_subscript(a, i)": """list_extract(a, CASE
        WHEN i < 1 THEN athena_error('INVALID_FUNCTION_ARGUMENT: Array subscript is less than 1: ' || i)
        WHEN i > len(a) THEN athena_error(
            'INVALID_FUNCTION_ARGUMENT: Array subscript must be at most the array length: ' || i || ' > ' || len(a))
        ELSE i END)""",
    "athena_element_at(a, i)": """list_extract(a, CASE
        WHEN i = 0 THEN athena_error('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1')
        WHEN abs(i) > len(a) THEN NULL ELSE i END)""",
    "athena_slice(a, i, n)": """CASE
        WHEN i = 0 THEN list_filter(a, lambda x: athena_error(
            'INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1') IS NULL)
        WHEN n < 0 THEN list_filter(a, lambda x: athena_error(
            'INVALID_FUNCTION_ARGUMENT: length must be greater than or equal to 0') IS NULL)
        WHEN abs(i) > len(a) THEN list_slice(a, 1, 0)
        WHEN i > 0 THEN list_slice(a, i, i + n - 1) ELSE list_slice(a, len(a) + i + 1, len(a) + i + n) END""",
    "athena_trim_array(a, n)": """CASE WHEN n < 0 OR n > len(a) THEN list_filter(a, lambda x: athena_error(
        'INVALID_FUNCTION_ARGUMENT: size must not be negative, nor exceed the array') IS NULL)
        ELSE list_slice(a, 1, len(a) - n) END""",
    # Arrays as sets, in order of appearance; NULL counts as an element.
    "athena_place(a, x)": "CASE WHEN x IS NULL THEN list_position(list_transform(a, lambda y: y IS NULL), TRUE)"
    " ELSE list_position(a, x) END",
    "athena_distinct(a)": "list_filter(a, lambda x, i: athena_place(a, x) = i)",
    "athena_array_union(a, b)": "CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN athena_distinct(list_concat(a, b)) END",
    "athena_array_intersect(a, b)": """CASE WHEN a IS NOT NULL AND b IS NOT NULL
        THEN list_filter(athena_distinct(a), lambda x: coalesce(athena_place(b, x), 0) > 0) END""",
    "athena_array_except(a, b)": """CASE WHEN a IS NOT NULL AND b IS NOT NULL
        THEN list_filter(athena_distinct(a), lambda x: coalesce(athena_place(b, x), 0) = 0) END""",
    "athena_overlap(a, b)": """CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN list_has_any(a, b) THEN TRUE
        WHEN len(a) = 0 OR len(b) = 0 THEN FALSE
        WHEN len(list_filter(list_concat(a, b), lambda x: x IS NULL)) > 0 THEN NULL ELSE FALSE END""",
    # `said` has the lambda's answer for each element.
    "athena_any_match(said)": """CASE WHEN list_contains(said, TRUE) THEN TRUE
        WHEN len(list_filter(said, lambda x: x IS NULL)) > 0 THEN NULL WHEN said IS NOT NULL THEN FALSE END""",
    "athena_all_match(said)": """CASE WHEN list_contains(said, FALSE) THEN FALSE
        WHEN len(list_filter(said, lambda x: x IS NULL)) > 0 THEN NULL WHEN said IS NOT NULL THEN TRUE END""",
    "athena_none_match(said)": "NOT athena_any_match(said)",
    # A missing key is an error with m[k], and NULL with element_at. The message takes 0 characters of the map,
    # because DuckDB would evaluate an error that depends on literals alone before it evaluates the CASE.
    "athena_at_key(m, k)": """CASE WHEN map_contains(m, k) THEN m[k] WHEN m IS NULL OR k IS NULL THEN NULL
        WHEN athena_error('INVALID_FUNCTION_ARGUMENT: Key not present in map: ' || k || left(CAST(m AS VARCHAR), 0))
            IS NULL THEN m[k] END""",
    # A map of which a repeated key has its first value.
    "athena_first_entries(ks, vs)": """CASE WHEN len(list_distinct(ks)) = len(ks) THEN map(ks, vs) ELSE map(
        list_filter(ks, lambda k, i: list_position(ks, k) = i),
        list_filter(vs, lambda v, i: list_position(ks, ks[i]) = i)) END""",
    "athena_multimap(ks, vs)": """map(list_distinct(ks), list_transform(list_distinct(ks),
        lambda k: list_filter(vs, lambda v, i: ks[i] = k)))""",
    # Position 0 or outside of the text gives the empty text; a negative one counts from the end.
    "athena_substr(s, i)": """CASE WHEN s IS NULL OR i IS NULL THEN NULL
        WHEN i = 0 OR abs(i) > length(s) THEN '' ELSE substr(s, i) END""",
    "athena_substr_of(s, i, n)": """CASE WHEN s IS NULL OR i IS NULL OR n IS NULL THEN NULL
        WHEN i = 0 OR abs(i) > length(s) OR n <= 0 THEN '' ELSE substr(s, i, n) END""",
    "athena_split(s, d)": """CASE WHEN d = '' THEN
        [CAST(athena_error('INVALID_FUNCTION_ARGUMENT: The delimiter may not be the empty string') AS VARCHAR)]
        ELSE string_split(s, d) END""",
    # A missing part is NULL.
    "athena_split_part(s, d, i)": """list_extract(athena_split(s, d), CASE
        WHEN i < 1 THEN athena_error('INVALID_FUNCTION_ARGUMENT: Index must be greater than zero') ELSE i END)""",
    # Athena leaves ß as it is, since its capital would be two letters.
    "athena_upper(s)": "replace(upper(replace(s, 'ß', chr(57344))), chr(57344), 'ß')",
    "athena_width_bucket(x, low, high, n)": """CASE
        WHEN n <= 0 THEN athena_error('INVALID_FUNCTION_ARGUMENT: bucketCount must be greater than 0')
        WHEN isnan(x) THEN athena_error('INVALID_FUNCTION_ARGUMENT: operand must not be NaN')
        WHEN low = high THEN athena_error('INVALID_FUNCTION_ARGUMENT: bounds cannot equal each other')
        WHEN low > high THEN CASE WHEN x > low THEN 0 WHEN x <= high THEN n + 1
            ELSE CAST(floor(n * (low - x) / (low - high)) AS BIGINT) + 1 END
        WHEN x < low THEN 0 WHEN x >= high THEN n + 1
        ELSE CAST(floor(n * (x - low) / (high - low)) AS BIGINT) + 1 END""",
    "athena_sqrt(x)": "CASE WHEN x < 0 THEN 'NaN'::DOUBLE ELSE sqrt(x) END",
    "athena_log(x, y)": "CASE WHEN x < 0 THEN 'NaN'::DOUBLE WHEN x = 0 THEN '-Infinity'::DOUBLE ELSE y END",
    # Refuses NaN, which is the greatest number in DuckDB only.
    "athena_finite(x)": """CASE WHEN isnan(x) THEN athena_refused('the least or greatest of numbers with NaN')
        ELSE x END""",
}
