// Numbers: what the page carries, added up for a selection, exactly.
//
// A total is {units, scale}: units × 10^-scale; units is null where there is no row. A value is a
// fraction {n, d} of BigInts, or null where there is none (nothing sold has no average price).
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);

for (const sum of Object.values(data.daily)) {
  sum.slices = sum.units.map((text) => text.split(",").map((unit) => (unit === "" ? null : Number(unit))));
}

const COMBINE = {
  sum: (a, b) => a + b,
  count: (a, b) => a + b,
  min: Math.min,
  max: Math.max,
};

function combine(name, a, b) {
  if (a === null || b === null) return a === null ? b : a;
  return COMBINE[name.split(" ", 1)[0]](a, b);
}

// Dates

const DAY = 86400000;

function shifted(day, days) {
  return new Date(Date.parse(day) + days * DAY).toISOString().slice(0, 10);
}

function daysFrom(first, last) {
  return Math.round((Date.parse(last) - Date.parse(first)) / DAY) + 1;
}

const LOCALE = "en-US";
const DATE_STYLES = {
  full: { weekday: "long", day: "numeric", month: "long", year: "numeric" },
  long: { day: "numeric", month: "long", year: "numeric" },
  weekday: { weekday: "short", day: "numeric", month: "short" },
  short: { day: "numeric", month: "short" },
  month: { month: "short", year: "numeric" },
};

function dateFormat(style) {
  return new Intl.DateTimeFormat(LOCALE, { ...DATE_STYLES[style], timeZone: "UTC" });
}

function dateText(day, style) {
  return dateFormat(style).format(Date.parse(day));
}

function rangeText(first, last) {
  return dateFormat("long").formatRange(Date.parse(first), Date.parse(last));
}

// The places of the published days from `first` to `last`, in data.days.
function publishedDays(first, last) {
  const found = [];
  data.days.forEach((day, place) => {
    if (first <= day && day <= last) found.push(place);
  });
  return found;
}

// Totals

const SLICERS = Object.keys(data.slicers);

// The places of the slices whose values are those of `fixed`: for each column its value, a text or null.
function slicesWith(fixed) {
  const wanted = Object.entries(fixed).map(([name, value]) => [
    SLICERS.indexOf(name),
    data.slicers[name].values.indexOf(value),
  ]);
  return [...data.slices.keys()].filter((slice) =>
    wanted.every(([column, value]) => data.slices[slice][column] === value),
  );
}

function dailyTotals(measure, slices, days) {
  return (name) => {
    const { scale, slices: series } = data.daily[name];
    let units = null;
    for (const slice of slices) for (const day of days) units = combine(name, units, series[slice][day]);
    return { units, scale };
  };
}

// A measure's value from the totals of its sums. Where no row is, a sum is zero if `zero`, and an average is none.
function valueOf(measure, totals, zero = true) {
  const { of, per } = data.measures[measure];
  const above = added(of, totals, zero);
  if (above === null || !per.length) return above;
  const below = added(per, totals, zero);
  if (below === null || below.n === 0n) return null;
  const sign = below.n < 0n ? -1n : 1n;
  return { n: sign * above.n * below.d, d: sign * below.n * above.d };
}

function added(names, totals, zero) {
  const found = names.map((name) => [name, totals(name)]);
  const scale = Math.max(...found.map(([, total]) => total.scale));
  let n = null;
  for (const [name, total] of found) {
    const none = zero && /^(sum|count) /.test(name) ? 0 : null;
    const units = total.units === null ? none : total.units;
    if (units !== null) n = (n ?? 0n) + BigInt(units) * 10n ** BigInt(scale - total.scale);
  }
  return n === null ? null : { n, d: 10n ** BigInt(scale) };
}

const numberOf = (value) => Number(value.n) / Number(value.d);

function difference(a, b) {
  return { n: a.n * b.d - b.n * a.d, d: a.d * b.d };
}

// How much more `a` is than `b`, as a share of it; none where that is zero.
function change(a, b) {
  if (!a || !b || b.n === 0n) return null;
  const more = difference(a, b);
  const size = b.n < 0n ? -b.n : b.n;
  return { n: more.n * b.d, d: more.d * size };
}

// Numbers as people read them

const MONEY = data.currency ? { style: "currency", currency: data.currency } : {};
const MONEY_PLACES = data.currency
  ? new Intl.NumberFormat(LOCALE, MONEY).resolvedOptions().maximumFractionDigits
  : 2;

// The decimal text of a fraction, rounded half away from zero, as SQL rounds.
function rounded(value, places) {
  const size = value.n < 0n ? -value.n : value.n;
  const units = (2n * size * 10n ** BigInt(places) + value.d) / (2n * value.d);
  const digits = units.toString().padStart(places + 1, "0");
  const sign = value.n < 0n && units > 0n ? "-" : "";
  return sign + (places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits);
}

function plain(value, places, style = {}) {
  const digits = { minimumFractionDigits: places, maximumFractionDigits: places };
  return new Intl.NumberFormat(LOCALE, { ...style, ...digits }).format(rounded(value, places)).replace("-", "−");
}

function percent(value, sign = false) {
  const text = plain({ n: value.n * 100n, d: value.d }, 1, sign ? { signDisplay: "exceptZero" } : {});
  return `${text}\u202f%`;
}

function text(measure, value) {
  if (value === null) return "–";
  const { format } = data.measures[measure];
  if (format === "integer") return plain(value, 0);
  if (format === "money") return plain(value, MONEY_PLACES, MONEY);
  return format === "percent" ? percent(value) : plain(value, 2);
}

// A change between two values of a measure: of percentages in points.
function changeText(measure, now, before) {
  if (data.measures[measure].format !== "percent") {
    const more = change(now, before);
    return more === null ? "–" : percent(more, true);
  }
  if (now === null || before === null) return "–";
  const more = difference(now, before);
  return `${plain({ n: more.n * 100n, d: more.d }, 1, { signDisplay: "exceptZero" })} pt`;
}

// An axis' number: short, as its ticks are round.
function tickText(measure, number) {
  const { format } = data.measures[measure];
  const short = { notation: "compact", maximumFractionDigits: 2 };
  if (format === "percent") {
    return `${new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 2 }).format(number * 100)}\u202f%`;
  }
  return new Intl.NumberFormat(LOCALE, format === "money" ? { ...MONEY, ...short, minimumFractionDigits: 0 } : short).format(
    number,
  );
}

// What bars and lines show

// By the values of a slicer: [{name, value, exact}], exact to the day.
function bySlicer(chart, slices, days) {
  const column = SLICERS.indexOf(chart.by);
  const groups = new Map();
  for (const slice of slices) {
    const place = data.slices[slice][column];
    groups.set(place, [...(groups.get(place) ?? []), slice]);
  }
  const found = [...groups].map(([place, members]) => ({
    name: data.slicers[chart.by].values[place],
    value: valueOf(chart.measure, dailyTotals(chart.measure, members, days), false),
    exact: true,
  }));
  return { bars: ranked(found), first: null, last: null, others: false };
}

// By the values of another column, in the whole periods that the dates from `first` to `last` touch.
function byBreakdown(chart, slices, first, last) {
  const part = data.breakdowns[`${chart.measure} by ${chart.by}`];
  const width = part.sums.length + 1;
  const groups = new Map();
  let crowded = 0;
  const touched = [...data.periods.keys()].filter((at) => data.periods[at][0] <= last && first <= data.periods[at][1]);
  for (const slice of slices) {
    for (const period of touched) {
      const cell = part.cells[slice][period];
      const full = cell.some((unit, at) => at % width === 0 && unit === -1);
      if (full) crowded += 1;
      for (let at = 0; at < cell.length; at += width) {
        const group = groups.get(cell[at]) ?? { units: part.sums.map(() => null), named: 0 };
        part.sums.forEach((name, number) => {
          group.units[number] = combine(name, group.units[number], cell[at + 1 + number]);
        });
        if (full) group.named += 1;
        groups.set(cell[at], group);
      }
    }
  }
  const others = groups.has(-1);
  groups.delete(-1);
  const found = [...groups].map(([place, { units, named }]) => ({
    name: part.values[place],
    value: valueOf(
      chart.measure,
      (name) => ({ units: units[part.sums.indexOf(name)], scale: part.scales[part.sums.indexOf(name)] }),
      false,
    ),
    exact: named === crowded,
  }));
  const [from, to] = touched.length ? [data.periods[touched[0]][0], data.periods[touched.at(-1)][1]] : [null, null];
  return { bars: ranked(found), first: from, last: to, others, named: part.named };
}

function ranked(found) {
  const compare = (a, b) => {
    const { n } = difference(b.value, a.value);
    return n > 0n ? 1 : n < 0n ? -1 : String(a.name).localeCompare(String(b.name));
  };
  return found.filter(({ value }) => value !== null).sort(compare);
}

// A measure by date: [{day, value}]; value is undefined where the date is not published.
function byDay(measure, slices, first, last) {
  const places = new Map(data.days.map((day, place) => [day, place]));
  return Array.from({ length: daysFrom(first, last) }, (_, number) => {
    const day = shifted(first, number);
    if (!places.has(day)) return { day, value: undefined };
    return { day, value: valueOf(measure, dailyTotals(measure, slices, [places.get(day)])) };
  });
}
