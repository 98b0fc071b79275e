"use strict";
// The chart of outlets: how far behind the first telling each publishes, on a logarithmic axis of time.

const TICK_NAMES = { 60: "1 min", 600: "10 min", 3600: "1 h", 21600: "6 h", 86400: "1 d", 172800: "2 d", 259200: "3 d", 604800: "1 wk", 2592000: "30 d", 31536000: "1 yr" };
const STRIP_HEIGHT = 24;

let outlets; // {name, first, later, quantiles}
let foundOutlets = [];
let drawnOutlets = 0;
let lagAxis; // {x(seconds), ticks, inDays}: positions in per cent

const OUTLET_SORTS = {
  later: (a, b) => b.later - a.later,
  first: (a, b) => b.first - a.first,
  fastest: (a, b) => (a.quantiles[2] ?? Infinity) - (b.quantiles[2] ?? Infinity) || 0,
  slowest: (a, b) => (b.quantiles[2] ?? NONE) - (a.quantiles[2] ?? NONE),
  name: (a, b) => titles.compare(a.name, b.name),
};

/** Return an axis from the shortest to the longest lag; the ticks are those that lie on it. */
function makeLagAxis() {
  const times = outlets.flatMap(({ quantiles }) => quantiles).sort((a, b) => a - b);
  const inDays = times.every((time) => time % DAY === 0);
  const unit = inDays ? HOUR * 6 : MINUTE; // shorter lags lie at the left end
  const low = Math.log(Math.max(times[0] ?? unit, unit)), high = Math.log(Math.max(times[times.length - 1] ?? 0, unit * 2));
  const room = (high - low || 1) * 0.04;
  const x = (seconds) => 100 * (Math.log(Math.max(seconds, unit)) - low + room) / (high - low + 2 * room);
  const ticks = Object.entries(TICK_NAMES).map(([seconds, name]) => ({ x: x(Number(seconds)), name })).filter((tick) => tick.x > 0 && tick.x < 100);
  return { x, ticks, inDays };
}

function openOutlets() {
  outlets = data.outlets.map(([name, first, later, quantiles]) => ({ name, first, later, quantiles, words: name.toLowerCase() }));
  if (!outlets.length) return;
  lagAxis = makeLagAxis();
  byId("lag-axis").append(drawLagAxis());
  for (const id of ["outlet-query", "outlet-sort", "outlet-least"]) byId(id).addEventListener("input", searchOutlets);
  byId("search-outlets").addEventListener("submit", (event) => event.preventDefault());
  byId("more-outlets").addEventListener("click", drawMoreOutlets);
  searchOutlets();
}

/** Return the labels of the axis; labels that would meet the one before them are left out as it becomes narrow. */
function drawLagAxis() {
  const svg = draw("svg", { class: "ticks", role: "img", "aria-label": "Time behind the first telling, on a logarithmic axis", width: "100%", height: "20" },
    ...lagAxis.ticks.map(({ x, name }) => draw("text", { x: `${x}%`, y: "14" }, name)));
  const fit = () => {
    const width = svg.getBoundingClientRect().width;
    let right = -8;
    for (const [n, text] of svg.querySelectorAll("text").entries()) {
      text.removeAttribute("display");
      const half = text.getBBox().width / 2, middle = lagAxis.ticks[n].x * width / 100;
      const x = Math.min(Math.max(middle, half), width - half);
      text.setAttribute("x", x);
      if (x - half >= right + 8) right = x + half;
      else text.setAttribute("display", "none");
    }
  };
  new ResizeObserver(fit).observe(svg);
  return svg;
}

function searchOutlets() {
  const query = byId("outlet-query").value.toLowerCase().split(/\s+/).filter(Boolean);
  const least = Number(byId("outlet-least").value) || 0;
  foundOutlets = outlets.filter((outlet) => outlet.later >= least && query.every((word) => outlet.words.includes(word)));
  foundOutlets.sort(OUTLET_SORTS[byId("outlet-sort").value]);
  const all = counted(outlets.length, "outlet");
  byId("outlet-count").textContent = foundOutlets.length === outlets.length ? all : `${number(foundOutlets.length)} of ${all}`;
  drawnOutlets = 0;
  byId("outlet-rows").replaceChildren();
  showEmpty("outlet-rows", foundOutlets.length === 0);
  drawMoreOutlets();
}

function drawMoreOutlets() {
  const next = foundOutlets.slice(drawnOutlets, drawnOutlets + AT_ONCE);
  byId("outlet-rows").append(...next.map(outletRow));
  drawnOutlets += next.length;
  const left = foundOutlets.length - drawnOutlets;
  byId("more-outlets").hidden = left === 0;
  byId("more-outlets").textContent = `Show ${number(Math.min(left, AT_ONCE))} more of ${number(left)}`;
}

function outletRow({ name, first, later, quantiles }) {
  const says = (seconds) => span(seconds, lagAxis.inDays);
  return make("tr", {},
    make("th", { scope: "row", dir: "auto", title: name }, name),
    make("td", { class: "figure" }, number(first)),
    make("td", { class: "figure" }, number(later)),
    make("td", { class: "figure strong" }, quantiles.length ? says(quantiles[2]) : "–"),
    make("td", { class: "strip" }, quantiles.length ? drawLags(quantiles, says) : make("small", {}, "always first")));
}

function drawLags(quantiles, says) {
  const [least, low, median, high, most] = quantiles.map(lagAxis.x), middle = STRIP_HEIGHT / 2;
  const words = `Median ${says(quantiles[2])}; half between ${says(quantiles[1])} and ${says(quantiles[3])}; four fifths between ${says(quantiles[0])} and ${says(quantiles[4])}`;
  return draw("svg", { role: "img", "aria-label": words, width: "100%", height: STRIP_HEIGHT },
    draw("title", {}, words),
    ...lagAxis.ticks.map(({ x }) => draw("line", { class: "grid", x1: `${x}%`, x2: `${x}%`, y1: "0", y2: STRIP_HEIGHT })),
    draw("line", { class: "whisker", x1: `${least}%`, x2: `${most}%`, y1: middle, y2: middle }),
    draw("rect", { class: "half", x: `${low}%`, width: `${Math.max(high - low, 0.5)}%`, y: middle - 5, height: "10", rx: "3" }),
    draw("line", { class: "median", x1: `${median}%`, x2: `${median}%`, y1: middle - 8, y2: middle + 8 }));
}
