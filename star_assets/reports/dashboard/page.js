// The page: what is chosen, which the address says after its #, and what is shown of it.
const FIRST = data.days[0];
const LAST = data.days.at(-1);
const main = document.querySelector("main");
const form = document.querySelector("form");

// What is chosen

// {page, choices: {column: value}, first, last}. What the address says wrongly, or not, is as at first.
// What a page fixes stays chosen for the others.
function chosen() {
  const said = new URLSearchParams(location.hash.slice(1));
  const page = data.pages[Number(said.get("page") ?? 1) - 1] ?? data.pages[0];
  const choices = {};
  for (const name of data.filters) {
    const none = said.getAll("none").includes(name);
    const value = none ? null : said.get(name);
    if ((none || value !== null) && options(page, choices, name).includes(value)) choices[name] = value;
  }
  const known = (day) => (/^\d{4}-\d\d-\d\d$/.test(day ?? "") && !Number.isNaN(Date.parse(day)) ? day : null);
  const within = (day) => (day < FIRST ? FIRST : day > LAST ? LAST : day);
  const last = within(known(said.get("to")) ?? LAST);
  const first = within(known(said.get("from")) ?? shifted(last, 1 - data.shown));
  return { page, choices, first: first > last ? last : first, last };
}

// The address that says so; what is as at first is left out, so that a link of today shows tomorrow's last days.
function address({ page, choices, first, last }) {
  const said = new URLSearchParams();
  if (page !== data.pages[0]) said.set("page", data.pages.indexOf(page) + 1);
  for (const [name, value] of Object.entries(choices)) {
    if (value === null) said.append("none", name);
    else said.set(name, value);
  }
  const usual = shifted(last, 1 - data.shown);
  if (first !== (usual < FIRST ? FIRST : usual)) said.set("from", first);
  if (last !== LAST) said.set("to", last);
  return `#${said}`;
}

function go(change) {
  location.hash = address({ ...chosen(), ...change });
}

// The choice as the page shows it: with what the page fixes.
function fixed({ page, choices, first, last }) {
  const [from, to] = page.between ?? [first, last];
  return { choices: { ...choices, ...page.where }, first: from, last: to };
}

// The values of a filter that go with what the page fixes and the filters before it say.
function options(page, choices, name) {
  const column = SLICERS.indexOf(name);
  if (name in page.where) return data.slicers[name].values;
  const before = Object.fromEntries(
    Object.entries(choices).filter(([other]) => data.filters.indexOf(other) < data.filters.indexOf(name)),
  );
  const places = new Set(slicesWith({ ...before, ...page.where }).map((slice) => data.slices[slice][column]));
  return [...places].sort((a, b) => a - b).map((place) => data.slicers[name].values[place]);
}

// What chooses

// Made anew only where other values can be chosen: who types a date keeps the field under the fingers.
function updateControls(selection) {
  const { page, choices, first, last } = selection;
  const made = JSON.stringify([data.pages.indexOf(page), choices]);
  if (form.dataset.made !== made) {
    const focused = document.activeElement?.name;
    const filters = data.filters.filter((name) => !(name in page.where)).map((name) => filterControl(selection, name));
    form.replaceChildren(...filters, ...(page.between ? [] : periodControls()));
    form.dataset.made = made;
    if (focused) form.querySelector(`[name="${CSS.escape(focused)}"]`)?.focus();
  }
  if (page.between) return;
  for (const [name, day] of Object.entries({ from: first, to: last })) {
    const input = form.elements[name];
    if (input.value !== day && input !== document.activeElement) input.value = day;
  }
  for (const button of form.querySelectorAll("[data-first]")) {
    button.setAttribute("aria-pressed", String(first === button.dataset.first && last === LAST));
  }
}

function filterControl({ page, choices }, name) {
  const values = options(page, choices, name);
  const select = element("select", { name }, element("option", { value: "" }, "All"));
  values.forEach((value, place) => {
    const told = value === null ? "no value" : value.trim() === "" ? "empty" : value;
    const option = element("option", { value: place + 1, dir: "auto" }, told);
    option.selected = name in choices && choices[name] === value;
    select.append(option);
  });
  select.addEventListener("change", () => {
    const others = Object.entries(chosen().choices).filter(([other]) => other !== name);
    const own = select.value === "" ? [] : [[name, values[Number(select.value) - 1]]];
    go({ choices: Object.fromEntries([...others, ...own]) });
  });
  return element("label", {}, element("span", {}, data.slicers[name].label), select);
}

function periodControls() {
  const dated = (label, change) => {
    const input = element("input", { type: "date", name: label.toLowerCase(), min: FIRST, max: LAST, required: true });
    // A date that is typed half is none, and one that is not published is on its way to another.
    input.addEventListener("change", () => input.validity.valid && go(change(input.value, chosen())));
    input.addEventListener("blur", () => setTimeout(() => updateControls(chosen())));
    return element("label", {}, element("span", {}, label), input);
  };
  const spans = [...new Set([7, data.shown, 91])].sort((a, b) => a - b).map((days) => [`${days} days`, shifted(LAST, 1 - days)]);
  const presets = [...spans.filter(([, first]) => first > FIRST), ["All", FIRST]];
  const buttons = presets.map(([label, first]) => {
    const button = element("button", { type: "button", name: label, "data-first": first }, label);
    button.addEventListener("click", () => go({ first, last: LAST }));
    return button;
  });
  return [
    dated("From", (first, { last }) => ({ first, last: first > last ? first : last })),
    dated("To", (last, { first }) => ({ last, first: last < first ? last : first })),
    element("div", { class: "presets", role: "group", "aria-label": "Period" }, buttons),
  ];
}

function tabs(selection) {
  return data.pages.map((page) =>
    element(
      "a",
      { href: address({ ...selection, page }), "aria-current": page === selection.page ? "page" : null },
      page.title,
    ),
  );
}

// What is shown

function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

// One measure for the period, beside the same length before it, and its last day beside the same weekday's before.
function tile(measure, slices, { first, last }) {
  const length = daysFrom(first, last);
  const value = (from, to) => {
    const days = publishedDays(from, to);
    return { value: days.length ? valueOf(measure, dailyTotals(measure, slices, days)) : null, days: days.length };
  };
  const now = value(first, last);
  const before = value(shifted(first, -length), shifted(first, -1));
  const day = value(last, last);
  const weekBefore = value(shifted(last, -7), shifted(last, -7));
  const row = (label, found, wanted, compared) => {
    const partly = found.days > 0 && found.days < wanted;
    const shownAs = found.days ? text(measure, found.value) : "not published";
    const more = compared ? (found.days === wanted && compared.days ? changeText(measure, compared.value, found.value) : "") : "";
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, partly ? `${found.days} of ${label}` : label),
      element("td", { class: "number" }, shownAs),
      element("td", { class: "change" }, more),
    );
  };
  const rows = [row(`${plural(length, "day")} before`, before, length, now)];
  if (length > 1) rows.push(row(dateText(last, "weekday"), day, 1, null));
  rows.push(row(dateText(shifted(last, -7), "weekday"), weekBefore, 1, day));
  return element(
    "section",
    { class: "tile", "data-measure": measure },
    element("h2", {}, data.measures[measure].label),
    element("p", { class: "value" }, text(measure, now.value)),
    element("table", {}, element("caption", { class: "unseen" }, "Compared with"), element("tbody", {}, rows)),
  );
}

function bars(chart, slices, selection) {
  const { first, last } = fixed(selection);
  const sliced = SLICERS.includes(chart.by);
  const shown = sliced
    ? bySlicer(chart, slices, publishedDays(first, last))
    : byBreakdown(chart, slices, first, last);
  const linked = data.filters.includes(chart.by) && !(chart.by in selection.page.where);
  const link = (value) =>
    linked ? address({ ...selection, choices: { ...selection.choices, [chart.by]: value } }) : null;
  const notes = [];
  const [from, to] = [first < FIRST ? FIRST : first, last > LAST ? LAST : last];
  if (!sliced && shown.first && (shown.first !== from || shown.last !== to)) {
    notes.push(`Whole weeks or months: ${rangeText(shown.first, shown.last)}.`);
  }
  if (shown.bars.length > chart.top) notes.push(`The first ${chart.top} of ${shown.bars.length}.`);
  if (shown.others && shown.bars.slice(0, chart.top).some(({ exact }) => !exact)) {
    notes.push(`≈ lacks sales of weeks or months in which it was not among the first ${shown.named}.`);
  }
  return element(
    "section",
    { class: "card", "data-chart": chart.title },
    shown.bars.length ? barChart(chart, shown, link) : [element("h2", {}, chart.title), element("p", {}, "Nothing in this period.")],
    notes.length ? element("p", { class: "note" }, notes.join(" ")) : null,
  );
}

function line(chart, slices, { first, last }) {
  const length = daysFrom(first, last);
  const [from, to] = [shifted(first, -length), shifted(first, -1)];
  const before = publishedDays(from, to).length === length ? byDay(chart.measure, slices, from, to) : [];
  const shown = lineChart(chart, byDay(chart.measure, slices, first, last), before, `${plural(length, "day")} before`);
  return element("section", { class: "card wide", "data-chart": chart.title }, shown);
}

// The chosen values in words, for a reader and for a printed page.
function scope({ choices, first, last }) {
  const said = SLICERS.filter((name) => name in choices).flatMap((name) => [named(choices[name]), " · "]);
  const length = daysFrom(first, last);
  const published = publishedDays(first, last).length;
  const lacking = published < length ? ` (${published} of ${plural(length, "day")} published)` : "";
  return [...said, rangeText(first, last), lacking];
}

function render() {
  if (!data.days.length) {
    main.replaceChildren(element("p", { class: "empty" }, `No ${data.about} are published yet.`));
    return;
  }
  const selection = chosen();
  const shown = fixed(selection);
  const slices = slicesWith(shown.choices);
  document.querySelector("nav").replaceChildren(...(data.pages.length > 1 ? tabs(selection) : []));
  updateControls(selection);
  document.getElementById("scope").replaceChildren(...scope(shown));
  if (!slices.length || !publishedDays(shown.first, shown.last).length) {
    const why = slices.length ? `from ${rangeText(shown.first, shown.last)}` : "of this choice";
    main.replaceChildren(element("p", { class: "empty" }, `No ${data.about} are published ${why}.`));
    return;
  }
  const { tiles, charts } = selection.page;
  const lines = charts.filter((chart) => !("by" in chart)).map((chart) => line(chart, slices, shown));
  const others = charts.filter((chart) => "by" in chart).map((chart) => bars(chart, slices, selection));
  main.replaceChildren(
    element("div", { class: "tiles" }, tiles.map((measure) => tile(measure, slices, shown))),
    ...lines,
    element("div", { class: others.length > 1 ? "cards" : "cards one" }, others),
  );
}

function head() {
  const time = data.until ? `, ${data.until}` : "";
  const known = data.days.length ? `${data.about} until ${dateText(LAST, "full")}${time}` : "";
  const facts = [known, data.until ? "provisional" : "", data.currency ? `amounts in ${data.currency}` : "", data.viewer ? `for ${data.viewer}` : ""];
  document.getElementById("known").textContent = facts.filter(Boolean).join(" · ");
}

head();
addEventListener("hashchange", render);
render();
