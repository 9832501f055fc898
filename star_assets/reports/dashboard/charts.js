// Charts: bars as a table, lines as a drawing with a table behind it.
//
// Text from the data is only ever put in as text. Colours and sizes are the style sheet's.
// An element with attributes and children; an attribute that is null or false is left out.
function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function drawn(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null));
  return made;
}

// A value of a column. Names in any script stay apart from what stands around them.
function named(value) {
  if (value === null) return element("i", {}, "no value");
  return value.trim() === "" ? element("i", {}, "empty") : element("bdi", {}, value);
}

// Bars

function barChart(chart, shown, link) {
  const bars = shown.bars.slice(0, chart.top);
  const numbers = bars.map(({ value }) => numberOf(value));
  const low = Math.min(0, ...numbers);
  const span = Math.max(0, ...numbers) - low || 1;
  const rows = bars.map((bar, place) => {
    const fill = element("span", { class: numbers[place] < 0 ? "fill negative" : "fill" });
    fill.style.insetInlineStart = `${((Math.min(0, numbers[place]) - low) / span) * 100}%`;
    fill.style.inlineSize = `${(Math.abs(numbers[place]) / span) * 100}%`;
    const target = link(bar.name);
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, target ? element("a", { href: target }, named(bar.name)) : named(bar.name)),
      element("td", { class: "bar", "aria-hidden": "true" }, element("span", { class: "track" }, fill)),
      element("td", { class: "number" }, (bar.exact ? "" : "≈ ") + text(chart.measure, bar.value)),
    );
  });
  const head = element(
    "tr",
    {},
    element("th", { scope: "col" }, chart.label),
    element("td", { "aria-hidden": "true" }),
    element("th", { scope: "col" }, data.measures[chart.measure].label),
  );
  return element(
    "table",
    { class: "bars" },
    element("caption", {}, chart.title),
    element("thead", { class: "unseen" }, head),
    element("tbody", {}, rows),
  );
}

// Lines

const MARGIN = { top: 14, right: 14, bottom: 28 };

// Round numbers, two or more, that reach from below `low` to above `high`, zero among them.
function ticks(low, high, wanted) {
  if (low === high) return [0, 1];
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((times) => times * power >= rough) * power;
  const found = [];
  for (let at = Math.floor(low / step); at < high / step + 1; at += 1) found.push(at * step);
  return found;
}

function dayTicks(days, room) {
  const most = Math.max(2, Math.floor(room / 84));
  const step = [1, 2, 7, 14, 28, 56, 91, 182, 365, 730, 1825].find((each) => days.length / each <= most) ?? 3650;
  // Counted from the last day, of which everything else on the page speaks.
  return [...days.keys()].filter((place) => (days.length - 1 - place) % step === 0);
}

// A drawing of `width` by `height`. `before` is the series of the period before; none if it is not known.
function lineDrawing(chart, series, before, width, height) {
  const drawable = ({ value }) => value !== undefined && value !== null;
  const numbers = [...series, ...before].filter(drawable).map(({ value }) => numberOf(value));
  const marks = ticks(Math.min(0, ...numbers), Math.max(0, ...numbers), height < 220 ? 3 : 4);
  const labels = marks.map((mark) => tickText(chart.measure, mark));
  const left = 12 + 7.2 * Math.max(...labels.map((label) => label.length));
  const [right, bottom] = [width - MARGIN.right, height - MARGIN.bottom];
  const x = (place) => (series.length === 1 ? (left + right) / 2 : left + ((right - left) * place) / (series.length - 1));
  const y = (number) => bottom - ((bottom - MARGIN.top) * (number - marks[0])) / (marks.at(-1) - marks[0]);
  const days = series.map(({ day }) => day);
  const half = series.length > 1 ? (x(1) - x(0)) / 2 : 0;

  const picture = drawn("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  if (days.length <= 100) {
    days.forEach((day, place) => {
      if (![0, 6].includes(new Date(day).getUTCDay())) return;
      const [from, to] = [Math.max(left, x(place) - half), Math.min(right, x(place) + half)];
      picture.append(
        drawn("rect", { class: "weekend", x: from, y: MARGIN.top, width: to - from, height: bottom - MARGIN.top }),
      );
    });
  }
  marks.forEach((mark, number) => {
    picture.append(
      drawn("line", { class: mark === 0 ? "zero" : "grid", x1: left, x2: right, y1: y(mark), y2: y(mark) }),
      drawn("text", { class: "tick", x: left - 8, y: y(mark) + 4, "text-anchor": "end" }, labels[number]),
    );
  });
  const style = days.length > 500 ? "month" : "short";
  for (const place of dayTicks(days, right - left)) {
    const anchor = x(place) > right - 24 ? "end" : x(place) < left + 24 ? "start" : "middle";
    const at = anchor === "end" ? Math.min(x(place) + 14, width) : x(place);
    picture.append(
      drawn("text", { class: "tick", x: at, y: height - 8, "text-anchor": anchor }, dateText(days[place], style)),
    );
  }

  const point = ({ value }, place) => [x(place), y(numberOf(value))];
  const stretches = (points) => {
    const found = [];
    points.forEach((one, place) => {
      if (!drawable(one)) return;
      if (place === 0 || !drawable(points[place - 1])) found.push([]);
      found.at(-1).push(point(one, place));
    });
    return found;
  };
  const path = (points) => points.map(([px, py], number) => `${number ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("");
  for (const stretch of stretches(before)) picture.append(drawn("path", { class: "before", d: path(stretch) }));
  for (const stretch of stretches(series)) {
    const [from, to] = [stretch[0][0], stretch.at(-1)[0]];
    picture.append(
      drawn("path", { class: "area", d: `${path(stretch)}L${to.toFixed(1)} ${y(0)}L${from.toFixed(1)} ${y(0)}Z` }),
      drawn("path", { class: "line", d: path(stretch) }),
    );
    if (days.length <= 45 || stretch.length === 1) {
      for (const [px, py] of stretch) picture.append(drawn("circle", { class: "dot", cx: px, cy: py, r: 2.5 }));
    }
  }
  const cursor = drawn("g", { class: "cursor" });
  picture.append(cursor);
  return { picture, x, y, top: MARGIN.top, bottom, cursor, left, right };
}

// The drawing, a word for what is under the pointer or was reached by arrow keys, and the table behind it.
function lineChart(chart, series, before, beforeLabel) {
  const stage = element("div", {
    class: "stage",
    tabindex: "0",
    role: "group",
    "aria-label": `${chart.title}. Arrow keys tell each day; a table follows.`,
  });
  const tip = element("div", { class: "tip", hidden: true });
  const told = element("div", { class: "unseen", "aria-live": "polite" });
  let [now, at] = [null, series.length - 1];

  const valueText = (one) => (one.value === undefined ? "not published" : text(chart.measure, one.value));
  function draw() {
    const width = Math.max(stage.clientWidth, 240);
    now = lineDrawing(chart, series, before, width, width < 520 ? 200 : 270);
    stage.replaceChildren(now.picture, tip, told);
    tip.hidden = true;
  }
  function point(place, aloud) {
    at = Math.min(Math.max(place, 0), series.length - 1);
    const one = series[at];
    const lines = [element("b", {}, dateText(one.day, "weekday")), element("span", {}, valueText(one))];
    if (before[at]) {
      lines.push(element("span", { class: "then" }, `${dateText(before[at].day, "weekday")}: ${valueText(before[at])}`));
    }
    tip.replaceChildren(...lines);
    tip.hidden = false;
    const scale = stage.clientWidth / now.picture.viewBox.baseVal.width;
    const middle = now.x(at) * scale - tip.offsetWidth / 2;
    tip.style.insetInlineStart = `${Math.min(Math.max(middle, 0), stage.clientWidth - tip.offsetWidth)}px`;
    const mark = [drawn("line", { x1: now.x(at), x2: now.x(at), y1: now.top, y2: now.bottom })];
    if (one.value) mark.push(drawn("circle", { cx: now.x(at), cy: now.y(numberOf(one.value)), r: 4.5 }));
    now.cursor.replaceChildren(...mark);
    if (aloud) told.textContent = `${dateText(one.day, "full")}: ${valueText(one)}`;
  }
  function leave() {
    tip.hidden = true;
    now.cursor.replaceChildren();
  }
  stage.addEventListener("pointermove", (event) => {
    const scale = now.picture.viewBox.baseVal.width / stage.clientWidth;
    const where = (event.clientX - stage.getBoundingClientRect().left) * scale;
    point(Math.round(((where - now.left) / (now.right - now.left)) * (series.length - 1)), false);
  });
  stage.addEventListener("pointerleave", leave);
  stage.addEventListener("blur", leave);
  stage.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    if (!(event.key in steps)) return;
    event.preventDefault();
    point(tip.hidden ? at : at + steps[event.key], true);
  });
  let width = 0;
  new ResizeObserver(() => {
    if (stage.clientWidth !== width) draw();
    width = stage.clientWidth;
  }).observe(stage);

  const rows = series.map((one, place) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, dateText(one.day, "weekday")),
      element("td", { class: "number" }, valueText(one)),
      before.length ? element("td", { class: "number" }, before[place] ? valueText(before[place]) : "") : null,
    ),
  );
  const head = element(
    "tr",
    {},
    element("th", { scope: "col" }, "Day"),
    element("th", { scope: "col" }, data.measures[chart.measure].label),
    before.length ? element("th", { scope: "col" }, beforeLabel) : null,
  );
  const table = element(
    "details",
    { class: "behind" },
    element("summary", {}, "As a table"),
    element(
      "table",
      {},
      element("caption", { class: "unseen" }, chart.title),
      element("thead", {}, head),
      element("tbody", {}, rows),
    ),
  );
  const legend = element(
    "p",
    { class: "legend" },
    element("span", { class: "key now" }, "this period"),
    before.length ? element("span", { class: "key then" }, beforeLabel) : null,
    series.length <= 100 ? element("span", { class: "key weekend" }, "weekends") : null,
  );
  return [element("h2", {}, chart.title), legend, stage, table];
}
