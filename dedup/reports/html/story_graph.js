"use strict";
// The table of the articles of a story, earliest first, with the graph of who carried whose words drawn beside it.
// Each row draws its own part of the graph, so that the lines fit rows of any height.

const NODE_Y = 21; // the middle of a node, in pixels below the top of its row
const MOST_GRAPH = 126, MOST_GRAPH_ON_PHONE = 72, PHONE = 640; // pixels that the graph may be wide, and the width of a phone
const PASSAGES = 3, PASSAGE_CHARACTERS = 140; // of what was cut and added: the longest passages, and their length
const REASON_CHARACTERS = 110;
const PARTIAL = "partial"; // the relation of an article that has a part of the words of its parent; a run has no such relation

const shortened = (text, most) => (text.length > most ? `${text.slice(0, most).trimEnd()}…` : text);
const originsText = (story) => `${number(story.count)} of ${number(story.order.length)}`;
const nameOf = (place) => sourceOf(place) || titleOf(place);

/** Return the links of a story between rows: of wording (edges), and of other reasons (merges). */
function linksOf(story) {
  const rowOf = new Map(story.order.map((n, row) => [n, row]));
  const link = (first, second, edge, merge) => {
    const [from, to] = [rowOf.get(first), rowOf.get(second)].sort((a, b) => a - b);
    return { from, to, edge, merge };
  };
  return [...story.edges.map((edge) => link(edge[0], edge[1], edge, null)),
    ...story.merges.map((merge) => link(merge[0], merge[1], null, merge))];
}

/** Return the column of each row's node; a column is taken from a node down to the last row that it leads to. */
function columnsOf(links, rows) {
  const last = Array.from({ length: rows }, (_, row) => row), parent = Array(rows).fill(NONE);
  for (const { from, to } of links) {
    last[from] = Math.max(last[from], to);
    if (parent[to] === NONE || from > parent[to]) parent[to] = from;
  }
  const until = [], columns = []; // by column: the last row that it is taken for; by row: its column
  for (let row = 0; row < rows; row++) {
    let column = parent[row] === NONE ? 0 : columns[parent[row]] + 1;
    while (until[column] >= row) column++;
    until[column] = last[row];
    columns.push(column);
  }
  return columns;
}

/** Return {draw(row), trace(row), width}: the part of the graph beside a row, and the links that lead to and from it. */
function storyGraph(story) {
  const links = linksOf(story), rows = story.order.length;
  const columns = columnsOf(links, rows);
  const step = Math.min(18, ((innerWidth < PHONE ? MOST_GRAPH_ON_PHONE : MOST_GRAPH) - 24) / Math.max(...columns, 1));
  const x = (row) => 12 + step * columns[row];
  const into = Array.from({ length: rows }, () => []), outOf = Array.from({ length: rows }, () => []);
  links.forEach((link, n) => { into[link.to].push(n); outOf[link.from].push(n); });
  let open = new Set();
  const through = Array.from({ length: rows }, (_, row) => { // the links that pass a row or end there
    const here = [...open];
    for (const n of into[row]) open.delete(n);
    for (const n of outOf[row]) open.add(n);
    return here;
  });
  const drawRow = (row) => {
    const parts = [];
    const add = (tag, shape, n) => parts.push([links[n].edge ? 1 : 0, draw(tag, { ...shape, class: links[n].edge ? "words" : "reason", "data-link": n })]);
    for (const n of through[row]) {
      const from = x(links[n].from);
      if (links[n].to !== row) add("line", { x1: from, x2: from, y1: "0", y2: "100%" }, n);
      else {
        const to = x(row), turn = Math.sign(to - from) * Math.min(10, Math.abs(to - from));
        add("path", { d: turn ? `M${from} 0V${NODE_Y - 10}Q${from} ${NODE_Y} ${from + turn} ${NODE_Y}H${to}` : `M${from} 0V${NODE_Y}` }, n);
      }
    }
    for (const n of outOf[row]) add("line", { x1: x(row), x2: x(row), y1: NODE_Y, y2: "100%" }, n);
    parts.sort((one, other) => one[0] - other[0]); // wording lies over other reasons
    return draw("svg", { width: "100%", height: "100%", "aria-hidden": "true", focusable: "false" }, ...parts.map(([, part]) => part));
  };
  const trace = (row) => {
    const lit = new Set(), reach = (from, next, end) => {
      for (const n of from) if (!lit.has(n)) { lit.add(n); reach(next[links[n][end]], next, end); }
    };
    reach(into[row], into, "from");
    reach(outOf[row], outOf, "to");
    return lit;
  };
  return { drawRow, trace, x, width: 24 + step * Math.max(...columns) };
}

/** Return what is known of where an article comes from, as parts of a sentence each. */
function provenance(cluster, story, n) {
  const place = cluster.first + n;
  const says = [];
  const linked = (other) => make("a", { href: linkTo({ cluster: data.ids[cluster.first], a: data.ids[cluster.first + other], b: data.ids[place] }), dir: "auto" }, nameOf(cluster.first + other));
  const edge = story.edges.find(([, child]) => child === n);
  if (edge) says.push(["words from ", linked(edge[0]), ` · ${changes(edge)}`]);
  if (edge && edge[5] === n) says.push(["came before it in the corpus, though dated later"]);
  for (const [first, , because, probability] of story.merges.filter(([, second]) => second === n)) {
    says.push(["same origin as ", linked(first), `: ${shortened(because, REASON_CHARACTERS)}`, probability === null ? "" : `, probability ${percent(probability / 1000)}`]);
  }
  const [agencies, creditedBy, passages, byline] = story.credits[story.order.indexOf(n)];
  if (agencies.length && creditedBy !== null) says.push([`no credit, but the words are those of ${agencies.join(", ")}, by the credit of `, linked(creditedBy)]);
  else if (agencies.length) says.push([`credits ${agencies.join(", ")}: `, make("q", {}, passages.join(" | "))]);
  if (byline) says.push([`by ${byline}`]);
  return says;
}

/** Return the relation that an article has to its parent: that of the run where the parent is the kept one, unless it is partial. */
const relationToParent = (cluster, [parent, child, relation]) => (parent === 0 && relation !== PARTIAL ? relationOf(cluster.first + child) : relation);

/** Return in words what became of a text: [parent, child, relation, share of the child, share of the parent, seen first]. */
function changes([, , relation, kept, left]) {
  if (relation === "exact") return "unchanged";
  const parts = [left < 1000 ? `cut ${percent(1 - left / 1000)}` : "", kept < 1000 ? `added ${percent(1 - kept / 1000)}` : ""].filter(Boolean);
  return parts.join(", ") || "the same words";
}

/** Return the card of a story's articles. */
function memberTable(cluster, members, a, b) {
  const story = data.origins[cluster.number];
  const places = story ? story.order.map((n) => cluster.first + n) : members;
  const graph = story ? storyGraph(story) : null;
  const body = make("tbody");
  const more = make("button", { type: "button", class: "button" });
  const note = make("div", { class: "carried", id: "carried", role: "tooltip", hidden: "" });
  const card = make("section", { class: "card carriers", "aria-labelledby": "carriers-title" });
  let shown = 0;
  const drawTo = (count) => {
    body.append(...places.slice(shown, count).map((place, n) => memberRow(cluster, place, a, b, graph, shown + n, story)));
    shown = Math.min(count, places.length);
    more.hidden = shown === places.length;
    more.textContent = `Show more of ${number(places.length - shown)}`;
  };
  more.addEventListener("click", () => drawTo(shown + AT_ONCE));
  drawTo(Math.max(AT_ONCE, Math.ceil((places.indexOf(b) + 1) / AT_ONCE) * AT_ONCE));
  if (graph) attachNotes(card, body, note, cluster, story, graph);
  const heads = ["Article", "Relation to the kept one"].map((name) => make("th", { scope: "col" }, name));
  if (graph) heads.unshift(make("th", { scope: "col", class: "graph" }, make("span", { class: "unseen" }, "Origin")));
  fill(card, {}, [
    make("h2", { id: "carriers-title" }, story ? "Who carried whose words" : "Articles"),
    story ? originsLine(story) : make("p", { class: "muted" }, "Origins are not traced in stories as large as this one."),
    story ? graphKey(cluster, story) : null,
    make("table", { class: graph ? "members traced" : "members" }, make("caption", { class: "unseen" }, "Members of the cluster"),
      make("thead", {}, make("tr", {}, ...heads)), body),
    more, note]);
  return card;
}

function originsLine(story) {
  const unknown = story.unknown.length ? `; of ${number(story.unknown.length)} more nothing is known` : "";
  return make("p", { class: "origins" }, make("strong", {}, `Origins: ${originsText(story)}`), unknown, ". Earliest first.");
}

function graphKey(cluster, story) {
  const used = [...data.relationNames, PARTIAL].filter((name) => story.edges.some((edge) => relationToParent(cluster, edge) === name));
  const line = (kind) => draw("svg", { class: "line", width: "26", height: "10", "aria-hidden": "true" }, draw("line", { class: kind, x1: "0", x2: "26", y1: "5", y2: "5" }));
  return make("p", { class: "marks" }, make("span", { class: "relation fresh" }, "own words"),
    ...used.map((name) => make("span", { class: `relation ${name}` }, name)),
    used.length ? make("span", {}, line("words"), used.includes(PARTIAL) ? "repeats the wording or a part of it" : "repeats the wording") : null,
    story.merges.length ? make("span", {}, line("reason"), "same origin for another reason") : null);
}

function memberRow(cluster, place, a, b, graph, row, story) {
  const kept = place === cluster.first, n = place - cluster.first;
  const facts = [dateOf(data.dates[place]), kept ? "" : lag(data.dates[cluster.first], data.dates[place]), data.ids[place]].filter(Boolean).join(" · ");
  const outlet = sourceLink(place, sourceOf(place)) ?? sourceOf(place);
  const link = linkTo({ cluster: data.ids[cluster.first], a: data.ids[cluster.first], b: data.ids[place] });
  const edge = story?.edges.find(([, child]) => child === n);
  const says = story ? provenance(cluster, story, n).map((parts) => make("li", {}, ...parts)) : [];
  const cell = graph ? make("td", { class: "graph" }, graph.drawRow(row),
    make("button", { type: "button", class: `node ${edge ? relationToParent(cluster, edge) : "fresh"}`, "data-row": row, "aria-describedby": "carried" },
      `Origin ${story.origins[row] + 1}, ${nameOf(place)}`)) : null;
  if (cell) {
    cell.style.width = `${graph.width}px`;
    cell.style.minWidth = `${graph.width}px`;
    cell.lastChild.style.left = `${graph.x(row)}px`;
  }
  return make("tr", { "aria-current": place === b ? "true" : null },
    cell,
    make("th", { scope: "row" }, make("span", { dir: "auto" }, titleOf(place)), make("small", {}, outlet, outlet ? " · " : "", facts),
      says.length ? make("ul", { class: "says" }, ...says) : null),
    make("td", {}, make("div", {}, make("span", { class: `relation ${relationOf(place)}` }, relationOf(place)),
      kept ? null : make("span", { class: "score" }, percent(data.scores[place] / 1000)),
      kept ? null : make("span", { class: "actions" }, rightOrWrong(cluster.first, place),
        make("a", { class: "button", href: link, "aria-label": `Compare with the kept one: ${titleOf(place)}`,
          "aria-current": place === b ? "true" : null }, "Compare")))));
}

/** Show a note and light the links of a node while it is pointed at or focused; arrows move between nodes, Escape hides it. */
function attachNotes(card, body, note, cluster, story, graph) {
  let current = null;
  const hide = () => {
    note.hidden = true;
    current = null;
    for (const part of body.querySelectorAll(".lit")) part.classList.remove("lit");
  };
  const open = async (node) => {
    if (current === node) return;
    hide();
    current = node;
    const row = Number(node.dataset.row);
    const lit = graph.trace(row);
    for (const part of body.querySelectorAll("[data-link]")) {
      if (!lit.has(Number(part.dataset.link))) continue;
      part.classList.add("lit");
      part.parentNode.append(part); // over the others
    }
    const parts = await noteOf(cluster, story, row);
    if (current !== node) return;
    note.replaceChildren(...parts);
    const at = node.closest("tr").getBoundingClientRect(), frame = card.getBoundingClientRect();
    note.style.top = `${at.bottom - frame.top}px`;
    note.hidden = false;
  };
  const nodeAt = (event) => event.target.closest?.(".node");
  body.addEventListener("pointerover", (event) => { if (nodeAt(event)) open(nodeAt(event)); });
  body.addEventListener("pointerout", (event) => { if (nodeAt(event) && document.activeElement !== nodeAt(event)) hide(); });
  body.addEventListener("focusin", (event) => { if (nodeAt(event)) open(nodeAt(event)); });
  body.addEventListener("focusout", (event) => { if (nodeAt(event)) hide(); });
  body.addEventListener("click", (event) => { if (nodeAt(event)) open(nodeAt(event)); });
  body.addEventListener("keydown", (event) => {
    if (!nodeAt(event)) return;
    if (event.key === "Escape") return hide();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const next = step && body.querySelector(`.node[data-row="${Number(nodeAt(event).dataset.row) + step}"]`);
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}

/** Return the note on a node: when it was published, whose words it has, and what was cut and added. */
async function noteOf(cluster, story, row) {
  const n = story.order[row], place = cluster.first + n;
  const heading = make("p", {}, make("strong", { dir: "auto" }, nameOf(place)), ` · ${dateOf(data.dates[place])}`);
  const edge = story.edges.find(([, child]) => child === n);
  if (!edge) {
    const carried = story.edges.filter(([parent]) => parent === n).length;
    return [heading, make("p", {}, `Its words are its own${carried ? `; ${counted(carried, "article")} repeat${carried === 1 ? "s" : ""} them` : ""}.`)];
  }
  const parent = cluster.first + edge[0];
  const after = data.dates[parent] !== null && data.dates[place] !== null ? `, ${span(data.dates[place] - data.dates[parent], cluster.inDays)} before` : "";
  const parts = [heading, make("p", {}, `${percent(edge[3] / 1000)} of its words stand in `, make("span", { dir: "auto" }, nameOf(parent)), `${after}, and ${percent(edge[4] / 1000)} of the words there stand here.`)];
  if ([parent, place].some((one) => data.lengths[one] < 0)) return parts;
  const both = await Promise.all([textOf(parent), textOf(place)]);
  const [theirs, mine] = both.map(({ text, boilerplate }, i) => wordsOf(text, boilerplate, titleOf([parent, place][i])));
  const list = (name, kind, text, words, runs) => {
    const gaps = gapsOf(words.body, runs);
    const total = gaps.reduce((sum, [, length]) => sum + length, 0);
    const longest = [...gaps].sort((one, other) => other[1] - one[1]).slice(0, PASSAGES);
    if (total) parts.push(make("p", { class: kind }, make("strong", {}, `${name} ${counted(total, "word")}`), ...longest.flatMap(([i, length]) => [" ", make("q", { dir: "auto" }, shortened(text.slice(words.body[i].start, words.body[i + length - 1].end).replace(/\s+/g, " "), PASSAGE_CHARACTERS))])));
  };
  list("Cut", "cut", both[0].text, theirs, sharedRuns(theirs, mine));
  list("Added", "added", both[1].text, mine, sharedRuns(mine, theirs));
  return parts;
}

/** Return [position, length] of the words between the runs. */
function gapsOf(body, runs) {
  const gaps = [];
  let next = 0;
  for (const [i, length] of [...runs, [body.length, 0]]) {
    if (i > next) gaps.push([next, i - next]);
    next = i + length;
  }
  return gaps;
}
