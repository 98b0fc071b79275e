"use strict";
// Unpack the data in the page; show the lists of clusters and storylines, one of them, or two articles side by side.
// Text from the corpus is only ever set as text, never as markup.

const AT_ONCE = 50; // rows that are drawn before a button asks for more
const CARDS = 10, CHAPTERS = 6; // storylines drawn before a button asks for more, and chapters of each that are listed there
const RUN = 4; // words in a row that both must have: runs of three are shared by any two stories
const MOST_PLACES = 50; // of a run that comes so often, more places say nothing new
const DENSE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff";
const WORD = new RegExp(`[${DENSE}]|(?:(?![${DENSE}_])[\\p{L}\\p{N}\\p{M}])+(?:[.,]\\p{N}+)*`, "gu");
const MINUTE = 60, HOUR = 3600, DAY = 86400;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const VIEWS = ["overview", "clusters", "cluster", "storylines", "articles", "outlets", "borderline", "boilerplate", "rejects"];
const NONE = -1;

let data; // the content of the index island
let clusters; // the clusters: {first, size, ...}, in the order of the run
let clusterOf; // place → its cluster
let headed; // place of a kept article → its cluster
let storylines; // the storylines: {first, chapters, ...}, the longest first
let storylineOf; // place of a chapter → its storyline
let places; // id → place among the articles
let clusterShown = null; // the cluster whose view is shown
let textsDrawn = null; // a promise of the texts that are being drawn
const pieces = new Map(); // number of an island of texts → its content, or a promise of it

const byId = (id) => document.getElementById(id);

/** Return a new element with attributes and children; strings become text. */
function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same, for SVG. */
function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** Return the content of an island. */
async function unpacked(id) {
  const bytes = Uint8Array.from(atob(byId(id).textContent), (letter) => letter.charCodeAt(0));
  const opened = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(opened).json();
}

/** Return {text, boilerplate, names} of an article; the islands are opened as they are needed. */
async function textOf(place) {
  if (place >= data.withText) return { text: "", boilerplate: [], names: [] };
  let piece = data.pieces.length - 1;
  while (data.pieces[piece] > place) piece--;
  if (!pieces.has(piece)) pieces.set(piece, unpacked(`texts-${piece}`));
  const [text, boilerplate, names] = (await pieces.get(piece))[place - data.pieces[piece]];
  return { text, boilerplate, names };
}

// ---- words for numbers -------------------------------------------------------------------------------------------------

const number = (value) => value.toLocaleString("en");
const times = (value) => ["never", "once", "twice"][value] ?? `${number(value)} times`;
const counted = (value, noun) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;

/** Return a share as a per cent: 100% and 0% only for exact values. */
function percent(share) {
  if ((share >= 0.1 && share <= 0.99) || share === 0 || share === 1) return `${Math.round(share * 100)}%`;
  return `${Math.min(Math.max(share * 100, 0.1), 99.9).toFixed(1)}%`;
}

function dateOf(seconds) {
  if (seconds === null) return "undated";
  const day = new Date(seconds * 1000);
  const time = seconds % DAY ? `, ${day.toISOString().slice(11, 16)}` : "";
  return `${day.getUTCDate()} ${MONTHS[day.getUTCMonth()]} ${day.getUTCFullYear()}${time}`;
}

/** Return a span of seconds in words; in days where no times are known. */
function span(seconds, inDays) {
  if (inDays) return seconds ? `${Math.round(seconds / DAY)} d` : "same day";
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  return seconds < 2 * DAY ? `${Math.round(seconds / HOUR)} h` : `${Math.round(seconds / DAY)} d`;
}

function lag(first, later) {
  if (first === null || later === null) return "";
  const sign = later > first ? "+" : later < first ? "−" : "";
  return sign + span(Math.abs(later - first), first % DAY === 0 && later % DAY === 0);
}

// ---- articles and clusters ---------------------------------------------------------------------------------------------

const sourceOf = (place) => (data.sources[place] === NONE ? "" : data.sourceNames[data.sources[place]]);
const titleOf = (place) => data.titles[place] || data.ids[place];
const relationOf = (place) => (data.relations[place] === NONE ? "kept" : data.relationNames[data.relations[place]]);
const membersOf = (cluster) => Array.from({ length: cluster.size }, (_, n) => cluster.first + n);
const linkTo = (asked) => `#${new URLSearchParams(asked)}`;

/** Return the clusters with all that they are sorted and searched by. */
function gathered() {
  let first = 0;
  return data.sizes.map((size, number) => {
    const cluster = { first, size, number };
    first += size;
    const members = membersOf(cluster);
    const dates = members.map((place) => data.dates[place]).filter((date) => date !== null).sort((a, b) => a - b);
    cluster.dates = dates;
    cluster.inDays = dates.every((date) => date % DAY === 0);
    cluster.span = dates.length ? dates[dates.length - 1] - dates[0] : NONE;
    cluster.outlets = new Set(members.map((place) => data.sources[place]).filter((source) => source !== NONE)).size;
    cluster.weakest = Math.min(...members.slice(1).map((place) => data.scores[place] / 1000));
    cluster.words = members.map((place) => `${titleOf(place)}\n${sourceOf(place)}\n${data.ids[place]}`).join("\n").toLowerCase();
    return cluster;
  });
}

const clusterAt = (place) => clusterOf[place];

/** Return the storylines, each with its chapters by date, the number of duplicates of each, and its search text. */
function gatheredStorylines() {
  return data.storylines.map(([first, chapters, repeats]) => {
    const clustersOf = chapters.map((place) => headed.get(place));
    const again = clustersOf.flatMap((cluster) => (cluster ? membersOf(cluster).slice(1) : []));
    const dates = [...chapters, ...again].map((place) => data.dates[place]).filter((date) => date !== null).sort((a, b) => a - b);
    return { first, chapters, repeats, again, dates,
      inDays: dates.every((date) => date % DAY === 0),
      span: dates.length ? dates[dates.length - 1] - dates[0] : NONE,
      articles: repeats.reduce((sum, count) => sum + count, chapters.length),
      outlets: new Set([...chapters, ...again].map((place) => data.sources[place]).filter((source) => source !== NONE)).size,
      words: [...chapters, ...again].map((place) => `${titleOf(place)}\n${sourceOf(place)}\n${data.ids[place]}`).join("\n").toLowerCase() };
  });
}

const titles = new Intl.Collator();
const SORTS = { // how two clusters compare; equals stay in the order of the run
  size: (a, b) => b.size - a.size,
  outlets: (a, b) => b.outlets - a.outlets,
  newest: (a, b) => (b.dates[0] ?? -Infinity) - (a.dates[0] ?? -Infinity) || 0,
  oldest: (a, b) => (a.dates[0] ?? Infinity) - (b.dates[0] ?? Infinity) || 0,
  span: (a, b) => b.span - a.span,
  origins: (a, b) => (data.origins[b.number]?.count ?? 0) - (data.origins[a.number]?.count ?? 0),
  weakest: (a, b) => a.weakest - b.weakest,
  title: (a, b) => titles.compare(titleOf(a.first), titleOf(b.first)),
};
const RISING = new Set(["weakest", "title"]);

// ---- the list ----------------------------------------------------------------------------------------------------------

let found = []; // the clusters that the list shows
let drawn = 0; // how many of them have their row

function search() {
  const query = byId("query").value.toLowerCase().split(/\s+/).filter(Boolean);
  const relation = byId("relation").value;
  const sort = byId("sort").value;
  found = clusters.filter((cluster) => query.every((word) => cluster.words.includes(word)));
  if (relation) found = found.filter((cluster) => membersOf(cluster).some((place) => relationOf(place) === relation));
  found.sort(SORTS[sort]);
  for (const button of document.querySelectorAll("[data-sort]")) {
    const head = button.parentElement;
    if (button.dataset.sort !== sort) head.removeAttribute("aria-sort");
    else head.setAttribute("aria-sort", RISING.has(sort) ? "ascending" : "descending");
  }
  const all = counted(clusters.length, "cluster");
  byId("count").textContent = found.length === clusters.length ? all : `${number(found.length)} of ${all}`;
  drawn = 0;
  byId("rows").replaceChildren();
  showEmpty("rows", found.length === 0);
  drawMore();
}

/** Show the words for an empty list in its place, or the list. */
function showEmpty(list, isEmpty) {
  byId(`no-${list}`).hidden = !isEmpty;
  (byId(list).closest(".lags-frame") ?? byId(list).closest("table") ?? byId(list)).hidden = isEmpty;
}

function drawMore() {
  const next = found.slice(drawn, drawn + AT_ONCE);
  byId("rows").append(...next.map(row));
  drawn += next.length;
  const left = found.length - drawn;
  byId("more").hidden = left === 0;
  byId("more").textContent = `Show ${number(Math.min(left, AT_ONCE))} more of ${number(left)}`;
}

function row(cluster) {
  const facts = [sourceOf(cluster.first), dateOf(data.dates[cluster.first])].filter(Boolean).join(" · ");
  const title = make("a", { href: linkTo({ cluster: data.ids[cluster.first] }), dir: "auto" }, titleOf(cluster.first));
  return make("tr", {},
    make("th", { scope: "row" }, title, make("small", {}, facts)),
    make("td", { class: "figure" }, number(cluster.size)),
    make("td", { class: "figure wide" }, data.origins[cluster.number] ? number(data.origins[cluster.number].count) : "–"),
    make("td", { class: "figure wide" }, cluster.outlets ? number(cluster.outlets) : "–"),
    make("td", { class: "figure wide" }, cluster.span === NONE ? "–" : span(cluster.span, cluster.inDays)),
    make("td", { class: "figure wide" }, percent(cluster.weakest)));
}

// ---- storylines --------------------------------------------------------------------------------------------------------

let foundStorylines = []; // the storylines that the list shows
let drawnStorylines = 0; // how many of them have their card

function searchStorylines() {
  if (!storylines.length) return;
  const query = byId("storyline-query").value.toLowerCase().split(/\s+/).filter(Boolean);
  foundStorylines = storylines.filter((storyline) => query.every((word) => storyline.words.includes(word)));
  const all = counted(storylines.length, "storyline");
  byId("storyline-count").textContent = foundStorylines.length === storylines.length ? all : `${number(foundStorylines.length)} of ${all}`;
  drawnStorylines = 0;
  byId("storyline-cards").replaceChildren();
  showEmpty("storyline-cards", foundStorylines.length === 0);
  drawMoreStorylines();
}

function drawMoreStorylines() {
  const next = foundStorylines.slice(drawnStorylines, drawnStorylines + CARDS);
  byId("storyline-cards").append(...next.map(storylineCard));
  drawnStorylines += next.length;
  const left = foundStorylines.length - drawnStorylines;
  byId("more-storylines").hidden = left === 0;
  byId("more-storylines").textContent = `Show ${number(Math.min(left, CARDS))} more of ${number(left)}`;
}

const storylineFacts = (storyline) => [`${number(storyline.chapters.length)} stories`, counted(storyline.articles, "article"),
  storyline.outlets ? counted(storyline.outlets, "outlet") : "", storyline.span > 0 ? `over ${span(storyline.span, storyline.inDays)}` : "",
  data.ids[storyline.first]].filter(Boolean).join(" · ");
const linkToStoryline = (storyline) => linkTo({ storyline: data.ids[storyline.first] });

function storylineCard(storyline) {
  const rest = storyline.chapters.length - CHAPTERS;
  return make("section", { class: "card storyline" },
    make("h2", { dir: "auto" }, make("a", { href: linkToStoryline(storyline) }, titleOf(storyline.first))),
    make("p", { class: "muted" }, storylineFacts(storyline)),
    axis(storyline),
    chapterList(storyline, rest > 1 ? CHAPTERS : storyline.chapters.length),
    rest > 1 ? make("p", {}, make("a", { class: "button", href: linkToStoryline(storyline), "aria-label": `All chapters of ${titleOf(storyline.first)}` },
      `All ${number(storyline.chapters.length)} chapters`)) : null);
}

/** Return the parts of the view of a storyline. */
function storylineView(storyline) {
  return [
    make("a", { class: "back", href: "#storylines" }, "← All storylines"),
    make("h1", { tabindex: "-1", dir: "auto" }, titleOf(storyline.first)),
    make("p", { class: "lede" }, storylineFacts(storyline)),
    make("section", { class: "card storyline" }, make("h2", {}, "Its chapters"),
      make("p", { class: "muted" }, "The probability is that of one storyline with the first article."),
      axis(storyline), chapterList(storyline, storyline.chapters.length)),
  ];
}

/** Return a strip of time: each chapter is a numbered ring, each of its duplicates a dot on the line; undated chapters are at the end. */
function axis(storyline) {
  const { chapters, again, dates } = storyline;
  const undated = chapters.filter((place) => data.dates[place] === null).length;
  if (undated === chapters.length || !(storyline.span > 0 || undated)) return null;
  const STEP = 22, RADIUS = 9, WIDE = 6.8, MOST_LANES = 10, FIRST = 3.5, END = 90;
  const last = undated ? 76 : 96.5;
  const at = (date) => FIRST + (last - FIRST) * (date - dates[0]) / (storyline.span || 1);
  const lanes = Array(MOST_LANES).fill(-Infinity);
  let highest = 0;
  const more = Math.max(undated - MOST_LANES, 0); // this many undated ones are counted but not drawn
  const rings = chapters.slice(0, chapters.length - more).map((place, n) => {
    const date = data.dates[place];
    const x = date === null ? END : at(date);
    let lane = date === null ? n - (chapters.length - undated) : lanes.findIndex((taken) => x - taken >= WIDE);
    if (lane < 0) lane = lanes.indexOf(Math.min(...lanes));
    if (date !== null) lanes[lane] = x;
    highest = Math.max(highest, lane);
    return { place, n, x, lane };
  });
  const ground = highest * STEP + 40;
  const y = (lane) => ground - 20 - lane * STEP;
  const line = (from, to, name = null) => draw("line", { class: name, x1: `${from}%`, x2: `${to}%`, y1: ground, y2: ground });
  const stem = ({ x, lane }) => draw("line", { x1: `${x}%`, x2: `${x}%`, y1: ground, y2: y(lane) });
  const ring = ({ place, n, x, lane }) => {
    const node = draw("g", { class: place === storyline.first ? "chapter leads" : "chapter" },
      draw("title", {}, [`${n + 1}`, dateOf(data.dates[place]), sourceOf(place), titleOf(place)].filter(Boolean).join(" · ")),
      draw("circle", { cx: `${x}%`, cy: y(lane), r: RADIUS }), draw("text", { class: "nr", x: `${x}%`, y: y(lane) + 4 }, String(n + 1)));
    node.addEventListener("click", () => { location.hash = linkTo({ cluster: data.ids[place] }); });
    return node;
  };
  const dots = again.filter((place) => data.dates[place] !== null).map((place) => draw("circle", { class: relationOf(place), cx: `${at(data.dates[place])}%`, cy: ground, r: "3.5" },
    draw("title", {}, [relationOf(place), dateOf(data.dates[place]), sourceOf(place), titleOf(place)].filter(Boolean).join(" · "))));
  const label = (date) => (storyline.span < 2 * DAY ? dateOf(date) : dateOf(date - date % DAY));
  const ends = dates[0] === dates[dates.length - 1] ? [dates[0]] : [dates[0], dates[dates.length - 1]];
  const says = `${counted(chapters.length - undated, "chapter")} from ${ends.map(dateOf).join(" to ")}${undated ? `, and ${number(undated)} without a date` : ""}`;
  const strip = draw("svg", { class: "course", role: "img", "aria-label": says, width: "100%", height: String(ground + 8) },
    line(0, undated ? last + 3.5 : 100), undated ? line(last + 5, 100, "gap") : null, ...rings.map(stem), ...dots, ...rings.map(ring),
    more ? draw("text", { x: "100%", y: y(MOST_LANES - 1) + 4, class: "end" }, `+${number(more)}`) : null);
  const labels = axisLabels([...ends.map(label), ...(undated ? ["undated"] : [])], undated);
  const used = data.relationNames.filter((name) => again.some((place) => relationOf(place) === name));
  const key = make("p", { class: "marks" }, "Republished, on the line:", ...used.map((name) => make("span", { class: `relation ${name}` }, name)));
  return make("figure", { class: "timeline" }, used.length ? make("figcaption", {}, key) : null, strip, labels);
}

/** Return the labels under an axis of time. They are not part of the drawing, so that they wrap where there is no room for a row. */
function axisLabels(labels, parted = false) {
  return make("p", { class: parted ? "ends parted" : "ends", "aria-hidden": "true" },
    ...labels.map((label) => make("span", { class: label === "undated" ? label : null }, label)));
}

/** Return the first chapters of a storyline, `most` of them. */
function chapterList(storyline, most) {
  return make("ol", { class: "chapters", role: "list" }, ...storyline.chapters.slice(0, most).map((place, n) => {
    const leads = place === storyline.first;
    const again = storyline.repeats[n];
    const after = leads ? "" : lag(data.dates[storyline.first], data.dates[place]);
    const facts = [sourceOf(place), dateOf(data.dates[place]), after, again ? `republished ${times(again)}` : ""];
    return make("li", {}, make("span", { class: "nr" }, number(n + 1)),
      make("div", {}, make("a", { href: linkTo({ cluster: data.ids[place] }), dir: "auto" }, titleOf(place)), make("small", {}, facts.filter(Boolean).join(" · "))),
      leads ? make("span", { class: "relation chapter kept" }, "leads it")
        : make("span", { class: "relation chapter followup" }, "follows ", make("b", {}, percent(data.scores[place] / 1000))));
  }));
}

/** Return the line that says which storyline a story belongs to, where it is one of several. */
function makeStorylineNote(place) {
  const storyline = storylineOf.get(place);
  if (!storyline) return "";
  const chapter = `Chapter ${number(storyline.chapters.indexOf(place) + 1)} of ${number(storyline.chapters.length)} in `;
  const leads = place === storyline.first;
  const link = make("a", { href: linkToStoryline(storyline), dir: "auto" }, leads ? "the storyline that it leads" : titleOf(storyline.first));
  if (leads) return make("p", { class: "storyline-note" }, chapter, link, ".");
  return make("p", { class: "storyline-note" }, chapter, "the storyline ", link, `; it follows with a probability of ${percent(data.scores[place] / 1000)}. `,
    make("a", { href: linkTo({ a: data.ids[storyline.first], b: data.ids[place] }) }, "Compare them"));
}

/** Return the parts of the view of a chapter without listed duplicates, with two chapters selected for comparison. */
function chapterView(place, a, b) {
  const storyline = storylineOf.get(place);
  const again = storyline.repeats[storyline.chapters.indexOf(place)];
  const other = place === storyline.first ? storyline.chapters.find((chapter) => chapter !== place) : place;
  const facts = [again ? `republished ${times(again)}, not listed here` : "not republished", sourceOf(place), dateOf(data.dates[place]), data.ids[place]];
  const chosen = [a, b].every((chapter) => storyline.chapters.includes(chapter)) ? [a, b] : [storyline.first, other];
  return [
    make("a", { class: "back", href: "#storylines" }, "← All storylines"),
    make("h1", { tabindex: "-1", dir: "auto" }, titleOf(place)),
    make("p", { class: "lede" }, facts.filter(Boolean).join(" · ")),
    makeStorylineNote(place),
    comparison(...chosen, storyline.chapters, place),
  ];
}

// ---- a cluster ---------------------------------------------------------------------------------------------------------

/** Return the parts of the view of a cluster, with two of its members chosen for comparison. */
function clusterView(cluster, a, b) {
  const members = membersOf(cluster);
  const facts = [counted(cluster.size, "article"), cluster.outlets ? counted(cluster.outlets, "outlet") : "",
    cluster.span > 0 ? `over ${span(cluster.span, cluster.inDays)}` : "", data.ids[cluster.first]];
  return [
    make("a", { class: "back", href: "#clusters" }, "← All clusters"),
    make("h1", { tabindex: "-1", dir: "auto" }, titleOf(cluster.first)),
    make("p", { class: "lede" }, facts.filter(Boolean).join(" · ")),
    makeStorylineNote(cluster.first),
    exportButtons(cluster),
    timeline(cluster, members),
    memberTable(cluster, members, a, b),
    comparison(a, b, members),
  ];
}

/** Return a strip of time with a dot for each dated member; dots that would hide each other are stacked. */
function timeline(cluster, members) {
  const dated = members.filter((place) => data.dates[place] !== null);
  if (dated.length < 2 || !cluster.span) return "";
  const LANES = 12, STEP = 13, WIDE = 2.5;
  const lanes = Array(LANES).fill(-Infinity);
  let highest = 0;
  const dots = dated.sort((one, other) => data.dates[one] - data.dates[other]).map((place) => {
    const x = 2 + 96 * (data.dates[place] - cluster.dates[0]) / cluster.span;
    let lane = lanes.findIndex((last) => x - last >= WIDE);
    if (lane < 0) lane = lanes.indexOf(Math.min(...lanes));
    lanes[lane] = x;
    highest = Math.max(highest, lane);
    const says = [relationOf(place), sourceOf(place), dateOf(data.dates[place]), titleOf(place)].filter(Boolean).join(" · ");
    return draw("circle", { class: relationOf(place), cx: `${x}%`, "data-lane": lane, r: "6" }, draw("title", {}, says));
  });
  const ground = highest * STEP + 22;
  for (const dot of dots) dot.setAttribute("cy", ground - 14 - dot.dataset.lane * STEP);
  const undated = members.length - dated.length;
  const says = `${counted(dated.length, "article")} from ${dateOf(cluster.dates[0])} to ${dateOf(cluster.dates[dated.length - 1])}`;
  const strip = draw("svg", { role: "img", "aria-label": says, width: "100%", height: String(ground + 8) },
    draw("line", { class: "axis", x1: "0", x2: "100%", y1: ground, y2: ground }), ...dots);
  const used = ["kept", ...data.relationNames].filter((name) => dated.some((place) => relationOf(place) === name));
  const key = make("p", { class: "marks" }, ...used.map((name) => make("span", { class: `relation ${name}` }, name)));
  return make("figure", { class: "card timeline" },
    make("figcaption", {}, make("h2", {}, "When it was published"), key,
      undated ? make("p", { class: "muted" }, `${counted(undated, "article")} without a date ${undated === 1 ? "is" : "are"} not drawn.`) : null),
    strip, axisLabels([cluster.dates[0], cluster.dates[dated.length - 1]].map(dateOf)));
}

// ---- two articles side by side -----------------------------------------------------------------------------------------

/** Return the comparison of two articles in the view of the story `at`; either can be changed for another one of `members`. */
function comparison(a, b, members, at = members[0]) {
  const card = make("section", { class: "card", id: "comparison" });
  const texts = make("div");
  const show = () => {
    textsDrawn = Promise.all([textOf(a), textOf(b)]).then((both) => texts.replaceChildren(...sideBySide([a, b], both)));
  };
  card.append(make("h2", { tabindex: "-1" }, "Side by side"));
  if (members.length > 2) {
    const choice = (label, chosen, change) => {
      const select = make("select", {}, ...members.map((place) => {
        const name = [sourceOf(place), titleOf(place)].filter(Boolean).join(" · ");
        return make("option", { value: String(place), selected: place === chosen ? "" : null }, name);
      }));
      select.addEventListener("change", () => { change(Number(select.value)); });
      return make("label", {}, label, select);
    };
    const changed = () => {
      history.replaceState(history.state, "", linkTo({ cluster: data.ids[at], a: data.ids[a], b: data.ids[b] }));
      hashShown = location.hash;
      show();
    };
    card.append(make("div", { class: "choose" },
      choice("Left", a, (place) => { a = place; changed(); }),
      choice("Right", b, (place) => { b = place; changed(); })));
  }
  card.append(texts);
  show();
  return card;
}

function sideBySide(pair, both) {
  const words = both.map(({ text, boilerplate }, n) => wordsOf(text, boilerplate, titleOf(pair[n])));
  const names = both.map((mine, n) => sharedNames(words[n], mine.names, words[1 - n], both[1 - n].names));
  const runs = [sharedRuns(words[0], words[1]), sharedRuns(words[1], words[0])];
  const own = words.map((mine, n) => ownNumbers(mine, words[1 - n]));
  const shares = words.map((mine, n) => runs[n].reduce((sum, [, length]) => sum + length, 0) / Math.max(mine.body.length, 1));
  const numbers = own.map((found) => [...new Set(found.map((word) => word.folded))].slice(0, 12).join(", ") || "none");
  const wording = runs[0].length ? `Passages of ${RUN} or more words that both have make up ${percent(shares[0])} of the left and ${percent(shares[1])} of the right.`
    : `They share no ${RUN} words in a row.`;
  const inBoth = [...new Map(names[0].map(({ folded, start, end }) => [folded, both[0].text.slice(start, end)])).values()];
  const namesSay = inBoth.length ? `Names in both: ${inBoth.slice(0, 12).join(", ")}${inBoth.length > 12 ? ", …" : ""}.` : "They share no names.";
  const says = `${wording} ${namesSay} Numbers only on the left: ${numbers[0]}; only on the right: ${numbers[1]}.`;
  const missing = pair.some((place) => data.lengths[place] < 0);
  return [
    answerRow(...pair),
    make("p", {}, missing ? "This page lacks the text of at least one of them." : says),
    make("p", { class: "marks" }, make("mark", {}, "the same words in both"),
      make("mark", { class: "name" }, "name in both"), make("mark", { class: "own" }, "number that the other lacks"), make("s", {}, "boilerplate, not compared")),
    make("div", { class: "texts" }, ...pair.map((place, n) => textColumn(place, both[n], painted(both[n], runs[n].map(([i, length]) => [words[n].body[i].start, words[n].body[i + length - 1].end]), own[n], names[n])))),
    evidence(pair),
  ].filter((part) => part !== null);
}

function textColumn(place, { text }, parts) {
  const facts = [sourceOf(place), dateOf(data.dates[place]), data.ids[place]].filter(Boolean).join(" · ");
  const rest = data.lengths[place] - [...text].length;
  const cut = rest > 0 ? make("p", { class: "left" }, `This page leaves out ${number(rest)} more characters.`) : null;
  const head = make("p", {}, make("span", { class: `relation ${relationOf(place)}` }, relationOf(place)));
  return make("article", {}, head, make("h3", { dir: "auto" }, titleOf(place)), make("small", {}, facts, sourceLink(place) ? " · " : "", sourceLink(place)),
    make("div", { dir: "auto" }, ...parts), cut);
}

/** Return the words of a text without its boilerplate (`body`), and the set of those in its title too (`all`). */
function wordsOf(text, boilerplate, title) {
  const body = [];
  let next = 0;
  for (const match of text.matchAll(WORD)) {
    while (next < boilerplate.length && boilerplate[next + 1] <= match.index) next += 2;
    if (next < boilerplate.length && match.index >= boilerplate[next]) continue;
    body.push({ folded: match[0].toLowerCase(), start: match.index, end: match.index + match[0].length });
  }
  const all = new Set(body.map((word) => word.folded));
  for (const [word] of title.matchAll(WORD)) all.add(word.toLowerCase());
  return { body, all };
}

/** Return [position, length] of the runs of words that stand in a row in the other too. */
function sharedRuns({ body }, { body: theirs }) {
  const key = (words, i) => words.slice(i, i + RUN).map((word) => word.folded).join(" ");
  const starts = new Map();
  for (let j = 0; j + RUN <= theirs.length; j++) {
    const run = key(theirs, j);
    if (!starts.has(run)) starts.set(run, []);
    if (starts.get(run).length < MOST_PLACES) starts.get(run).push(j);
  }
  const runs = [];
  for (let i = 0; i + RUN <= body.length; ) {
    let longest = 0;
    for (const j of starts.get(key(body, i)) ?? []) {
      let length = RUN;
      while (i + length < body.length && j + length < theirs.length && body[i + length].folded === theirs[j + length].folded) length++;
      longest = Math.max(longest, length);
    }
    if (longest) runs.push([i, longest]);
    i += longest || 1;
  }
  return runs;
}

const ownNumbers = ({ body }, { all }) => body.filter((word) => /\p{N}/u.test(word.folded) && !all.has(word.folded));

/** Return {folded, start, end} of the names of a text that are names or words of the other too. */
function sharedNames({ body }, mine, other, theirs) {
  const termOf = new Map(mine.map((n) => [data.names.words[n], data.names.terms[n]]));
  const otherTerms = new Set(theirs.map((n) => data.names.terms[n]));
  const found = [];
  for (const [i, word] of body.entries()) {
    const next = body[i + 1];
    const pair = next && `${word.folded} ${next.folded}`; // a name in a language that writes its syllables apart
    const is = (name) => termOf.has(name) && (otherTerms.has(termOf.get(name)) || other.all.has(name));
    if (pair && is(pair)) found.push({ folded: pair, start: word.start, end: next.end });
    else if (is(word.folded)) found.push(word);
  }
  return found;
}

/** Return a text as nodes: boilerplate, shared passages [start, end], its own numbers and shared names are marked. */
function painted({ text, boilerplate }, passages, own, names) {
  const [PLAIN, SAME, OWN, BOILERPLATE, NAME] = [0, 1, 2, 3, 4];
  const kinds = new Uint8Array(text.length);
  for (const { start, end } of names) kinds.fill(NAME, start, end);
  for (const [start, end] of passages) kinds.fill(SAME, start, end);
  for (const word of own) kinds.fill(OWN, word.start, word.end);
  for (let n = 0; n < boilerplate.length; n += 2) kinds.fill(BOILERPLATE, boilerplate[n], boilerplate[n + 1]);
  const nodes = [];
  for (let start = 0, end = 0; start < text.length; start = end) {
    while (end < text.length && kinds[end] === kinds[start]) end++;
    const part = text.slice(start, end);
    const kind = kinds[start];
    if (kind === PLAIN) nodes.push(part);
    else if (kind === BOILERPLATE) nodes.push(make("s", {}, part));
    else nodes.push(make("mark", { class: { [OWN]: "own", [NAME]: "name" }[kind] ?? null }, part));
  }
  return nodes;
}

// ---- evidence ----------------------------------------------------------------------------------------------------------

/** Return [reason, parts, model] each time that the run weighed two articles; parts are shares of wording, then log-odds of the model. */
function weighed([a, b]) {
  const known = [];
  for (const [first, later] of [[a, b], [b, a]]) {
    if (later !== first && storylineOf.get(later)?.first === first) known.push(["", data.evidence[later], "storyline"]);
  }
  for (const [kept, dropped] of [[a, b], [b, a]]) {
    const cluster = clusters.find(({ first, size }) => kept === first && dropped > first && dropped < first + size);
    if (cluster) return [["", data.evidence[dropped], relationOf(dropped) === "followup" ? "storyline" : "story"]];
  }
  for (const [first, later, reason, parts] of data.pairs) {
    if ((first === a && later === b) || (first === b && later === a)) known.push([reason, parts, data.pairsBy]);
  }
  return known;
}

/** Return the evidence on two articles, by each model that weighed them. */
function evidence(pair) {
  const known = weighed(pair);
  if (!known.length) return make("p", { class: "muted" }, "Evidence is shown only for an article and the kept article that it was compared with.");
  return known.length > 1 ? make("div", {}, ...known.map((one) => waterfall(one, `Why, by the ${one[2]} model`))) : waterfall(known[0], "Why");
}

/** Return a waterfall: each part of the log-odds begins where the one before it ended. */
function waterfall(known, title) {
  const [reason, [jaccard, contained, contains, ...odds], unit] = known;
  const { features, intercept, threshold } = data.models[unit];
  const steps = odds.map((value, n) => [features[n], value / 100]).filter(([, value]) => value)
    .sort((one, other) => Math.abs(other[1]) - Math.abs(one[1]));
  let level = intercept;
  const levels = [0, intercept, threshold];
  for (const [, value] of steps) levels.push(level += value);
  const low = Math.min(...levels), high = Math.max(...levels);
  const x = (value) => 100 * (value - low) / (high - low || 1);
  const bar = (from, to) => make("td", { class: "drawn" }, draw("svg", { width: "100%", height: "32", "aria-hidden": "true" },
    draw("rect", { class: to > from ? "matched" : "against", x: `${Math.min(x(from), x(to))}%`, width: `${Math.max(Math.abs(x(to) - x(from)), 0.4)}%`, y: "9", height: "14", rx: "2" }),
    draw("line", { class: "threshold", x1: `${x(threshold)}%`, x2: `${x(threshold)}%`, y1: "0", y2: "32" })));
  const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
  const line = (name, from, to) => make("tr", {}, make("th", { scope: "row" }, name), make("td", { class: "figure" }, signed(to - from)), bar(from, to));
  const rows = [line("before any evidence", 0, intercept)];
  let total = intercept;
  for (const [name, value] of steps) rows.push(line(name, total, total += value));
  const chance = percent(1 / (1 + Math.exp(-total)));
  const heads = [["Evidence", ""], ["Log-odds", "figure"], [`Towards one ${unit}, or away from it`, ""]];
  const share = (thousandths) => percent(thousandths / 1000);
  return make("details", { open: "" }, make("summary", {}, title),
    reason ? make("p", {}, `The model alone does not decide here: ${reason}.`) : null,
    make("p", { class: "muted" }, `Runs of three words in both: ${share(jaccard)} of all (Jaccard), ${share(contained)} of the later article's, ` +
      `${share(contains)} of the earlier one's. The ${unit} model's part is below; copies are decided by the wording alone.`),
    make("table", { class: "waterfall" }, make("caption", { class: "unseen" }, `Evidence of the ${unit} model`),
      make("thead", {}, make("tr", {}, ...heads.map(([name, kind]) => make("th", { scope: "col", class: kind || null }, name)))),
      make("tbody", {}, ...rows),
      make("tfoot", {}, make("tr", {}, make("th", { scope: "row" }, `Probability ${chance}`), make("td", { class: "figure" }, signed(total)), bar(0, total)))));
}

// ---- which view is shown -----------------------------------------------------------------------------------------------

function show(name, ...parts) {
  for (const view of VIEWS) byId(view).hidden = view !== name;
  const back = name === "cluster" ? (parts[0]?.getAttribute("href") ?? "#clusters") : `#${name}`;
  const current = back.startsWith("#storyline=") ? "#storylines" : back;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (name === "cluster") byId(name).replaceChildren(...parts.filter((part) => part !== ""));
}

const notThere = (what, id, back, name) => [make("a", { class: "back", href: back }, name), make("h1", { tabindex: "-1" }, `No such ${what}`),
  make("p", { class: "lede" }, `This report lists no ${what} with the article ${id}.`)];

/** Show the story of an article, with two of its articles chosen for comparison; return the selector of its heading. */
function showStory(place, a, b, id) {
  const cluster = clusterAt(place);
  clusterShown = cluster ?? null;
  if (cluster) {
    const inside = (other) => other >= cluster.first && other < cluster.first + cluster.size;
    show("cluster", ...clusterView(cluster, inside(a) ? a : cluster.first, inside(b) ? b : place === cluster.first ? cluster.first + 1 : place));
    return inside(b) ? "#comparison h2" : "h1";
  }
  if (storylineOf.has(place)) {
    show("cluster", ...chapterView(place, a, b));
    return b === undefined ? "h1" : "#comparison h2";
  }
  if (place === undefined) show("cluster", ...notThere("cluster", id, "#clusters", "← All clusters"));
  else show("cluster", ...singleView(place));
  return "h1";
}

/** Show the view of the address, and return the selector of the heading to go to.

Addresses: #clusters, #story-ID, #cluster=ID, #cluster=ID&a=ID&b=ID, #storyline=ID, #a=ID&b=ID. */
function showAddress() {
  const hash = location.hash.slice(1);
  if (hash.startsWith("story-")) {
    const id = decoded(hash.slice("story-".length));
    return showStory(places.get(id), undefined, undefined, id);
  }
  const asked = new URLSearchParams(hash);
  const [kept, a, b, led] = ["cluster", "a", "b", "storyline"].map((name) => places.get(asked.get(name)));
  if (asked.has("cluster")) return showStory(kept, a, b, asked.get("cluster"));
  if (asked.has("storyline")) {
    const storyline = storylineOf.get(led);
    show("cluster", ...(storyline ? storylineView(storyline) : notThere("storyline", asked.get("storyline"), "#storylines", "← All storylines")));
  } else if (a !== undefined && b !== undefined) {
    const chapters = storylineOf.has(a) && storylineOf.get(a) === storylineOf.get(b);
    show("cluster", make("a", { class: "back", href: chapters ? linkToStoryline(storylineOf.get(a)) : "#borderline" }, chapters ? "← The storyline" : "← Borderline"), make("h1", { tabindex: "-1" }, "Two articles"),
      comparison(a, b, [a, b]));
  } else {
    const name = [...asked.keys()][0];
    if (name === "main") return "main";
    show(VIEWS.includes(name) && name !== "cluster" ? name : "overview");
    if (name === "articles") showArticles();
  }
  return "h1";
}

/** Return an address without its escapes; as it is where they are broken. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Show the address; `left` is the one that was shown before, null when the page opens. */
function route(left) {
  const target = showAddress();
  if (target === "main") return byId("main").focus();
  const view = document.querySelector(".view:not([hidden])");
  const heading = view.querySelector("h1").textContent.trim().replace(/\s+/g, " ");
  document.title = `${heading} – dedup report`;
  const place = enterHistory();
  const node = view.querySelector(target);
  if (place !== null) return returnTo(place, node, left);
  if (target === "h1") scrollToTop();
  if (left !== null || target !== "h1") node.focus({ preventScroll: target === "h1" });
  if (target !== "h1") node.scrollIntoView();
}

/** Scroll to the top; again once the page has loaded, because until then the browser may scroll to the view of its address. */
function scrollToTop() {
  const here = entry;
  const jump = () => { if (entry === here) scrollTo({ top: 0, behavior: "instant" }); };
  jump();
  if (document.readyState !== "complete") addEventListener("load", () => setTimeout(jump), { once: true });
}

async function open() {
  data = await unpacked("index");
  places = new Map(data.ids.map((id, place) => [id, place]));
  clusters = gathered();
  clusterOf = clusters.flatMap((cluster) => Array(cluster.size).fill(cluster));
  headed = new Map(clusters.map((cluster) => [cluster.first, cluster]));
  storylines = gatheredStorylines();
  storylineOf = new Map(storylines.flatMap((storyline) => storyline.chapters.map((place) => [place, storyline])));
  byId("relation").append(...data.relationNames.slice(0, data.joining).map((name) => make("option", { value: name }, name)));
  for (const id of ["query", "relation", "sort"]) byId(id).addEventListener("input", search);
  byId("search").addEventListener("submit", (event) => event.preventDefault());
  byId("more").addEventListener("click", drawMore);
  if (storylines.length) {
    byId("storyline-query").addEventListener("input", searchStorylines);
    byId("search-storylines").addEventListener("submit", (event) => event.preventDefault());
    byId("more-storylines").addEventListener("click", drawMoreStorylines);
  }
  byId("search-all")?.addEventListener("click", () => { byId("article-query").value = byId("query").value; articleWords = undefined; });
  openArticles();
  openOutlets();
  for (const button of document.querySelectorAll("[data-sort]")) {
    button.addEventListener("click", () => { byId("sort").value = button.dataset.sort; search(); });
  }
  loadLabels();
  listenToKeys();
  rememberScrolling();
  addEventListener("hashchange", (event) => route(new URL(event.oldURL).hash));
  search();
  searchStorylines();
  route(null);
  document.documentElement.dataset.ready = "";
}

open();
