"use strict";
// The reader's labels of pairs, kept by the browser and saved as the file that `dedup calibrate` reads; and the export of a story.

const ANSWERS = [["same", "Same story", "s"], ["followup", "Follow-up", "f"], ["different", "Different", "d"], ["open", "Undecided", "o"]];
const APART = "apart"; // two stories, of one storyline or not
const FORMULA = /^[=+\-@\t\r]/; // what a spreadsheet takes for a formula

const labels = new Map(); // both ids, sorted → {a, b, answer}
let pairShown = null; // the two places that the comparison shows

const pairKey = (a, b) => JSON.stringify([data.ids[a], data.ids[b]].sort());
const answerOf = (a, b) => labels.get(pairKey(a, b))?.answer ?? null;
const storageName = () => `dedup labels ${data.corpus}`;

function loadLabels() {
  try {
    for (const [a, b, answer] of JSON.parse(localStorage.getItem(storageName()) ?? "[]")) labels.set(JSON.stringify([a, b].sort()), { a, b, answer });
  } catch { /* the browser keeps nothing for this page */ }
  byId("save-labels").addEventListener("click", () => download("labels.jsonl", "application/jsonl", labelsText()));
  byId("clear-labels").addEventListener("click", () => { labels.clear(); keepLabels(); });
  markBorderline();
  showLabels();
}

function keepLabels() {
  try {
    localStorage.setItem(storageName(), JSON.stringify([...labels.values()].map(({ a, b, answer }) => [a, b, answer])));
  } catch { /* as above: they last as long as the page */ }
  showLabels();
}

/** Label a pair; the same answer again takes the label back. */
function answerPair(a, b, answer) {
  if (answerOf(a, b) === answer) labels.delete(pairKey(a, b));
  else labels.set(pairKey(a, b), { a: data.ids[a], b: data.ids[b], answer });
  keepLabels();
}

/** Return the labels as JSON Lines, in the format of dedup/evaluation/pair_labels.py. */
function labelsText() {
  return [...labels.values()].map(({ a, b, answer }) => `${JSON.stringify(answer === APART ? { a, b, same: false } : { a, b, label: answer })}\n`).join("");
}

/** Show the number of labels, and on every button whether it is the answer. */
function showLabels() {
  byId("label-bar").hidden = labels.size === 0;
  document.body.classList.toggle("labelled", labels.size > 0);
  byId("label-count").textContent = counted(labels.size, "label");
  for (const button of document.querySelectorAll("[data-answer]")) {
    const [a, b] = button.dataset.pair.split(" ").map(Number);
    button.setAttribute("aria-pressed", String(answerOf(a, b) === button.dataset.answer));
  }
}

/** Return the answers that agree with the run on a pair. */
function answersOfRun(a, b) {
  if (clusterAt(a) && clusterAt(a) === clusterAt(b)) return [a, b].some((place) => relationOf(place) === "followup") ? ["followup"] : ["same"];
  if (storylineOf.has(a) && storylineOf.get(a) === storylineOf.get(b)) return ["followup", APART];
  return ["different", "followup", APART];
}

const answerButton = (a, b, answer, attributes, ...children) => {
  const button = make("button", { type: "button", "data-answer": answer, "data-pair": `${a} ${b}`, "aria-pressed": String(answerOf(a, b) === answer), ...attributes }, ...children);
  button.addEventListener("click", () => answerPair(a, b, answer));
  return button;
};

/** Return the two marks of a pair: whether the run was right. */
function rightOrWrong(a, b) {
  const right = answersOfRun(a, b);
  const joined = right[0] === "same" || clusterAt(a) === clusterAt(b) && clusterAt(a) !== undefined;
  const name = `${titleOf(a)} – ${titleOf(b)}`;
  const [yes, no] = joined ? [right[0], right[0] === "followup" ? "different" : APART] : [right[0] === "followup" ? "followup" : APART, "same"];
  return make("span", { class: "verdicts" },
    answerButton(a, b, yes, { class: "verdict right", "aria-label": `Right: ${name}`, title: "Right" }, "✓"),
    answerButton(a, b, no, { class: "verdict wrong", "aria-label": `Wrong: ${name}`, title: "Wrong" }, "✗"));
}

/** Return the four answers to a pair that is read side by side. */
function answerRow(a, b) {
  pairShown = [a, b];
  const right = answersOfRun(a, b);
  return make("div", { class: "answers", role: "group", "aria-label": "Your label of these two" }, make("span", { class: "muted" }, "Your label:"),
    ...ANSWERS.map(([answer, name, key]) => answerButton(a, b, answer, { class: "button", "aria-keyshortcuts": key },
      answer === "open" ? "" : right.includes(answer) ? "✓ " : "✗ ", name)),
    make("small", {}, "✓ agrees with the run, ✗ does not."));
}

/** Add the marks to the table of borderline pairs, whose rows are in the order of the pairs. */
function markBorderline() {
  for (const [n, row] of document.querySelectorAll(".pairs tbody tr").entries()) row.lastElementChild.prepend(rightOrWrong(...data.pairs[n]));
}

// ---- files -------------------------------------------------------------------------------------------------------------

function download(name, type, text) {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

const fileName = (id, extension) => `story-${id.replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 80)}.${extension}`;
const isoDate = (seconds) => (seconds === null ? null : new Date(seconds * 1000).toISOString().replace(".000Z", "+00:00"));

/** Return the articles of a cluster as records, the kept one first. */
function records(cluster) {
  const story = data.origins[cluster.number];
  return membersOf(cluster).map((place, n) => {
    const row = story?.order.indexOf(n), edge = story?.edges.find(([, child]) => child === n);
    const [agencies, creditedBy, , byline] = story ? story.credits[row] : [[], null, [], null];
    const kept = n === 0;
    return {
      id: data.ids[place], title: data.titles[place] || null, source: sourceOf(place) || null, published: isoDate(data.dates[place]), url: data.links[place] || null,
      relation: kept ? null : relationOf(place), score: kept ? null : data.scores[place] / 1000,
      origin: story ? story.origins[row] : null,
      words_from: edge ? data.ids[cluster.first + edge[0]] : null, share_from_parent: edge ? edge[3] / 1000 : null, share_of_parent: edge ? edge[4] / 1000 : null,
      agencies, credited_by: creditedBy === null ? null : data.ids[cluster.first + creditedBy], byline,
    };
  });
}

function clusterJson(cluster) {
  const [{ relation, score, ...canonical }, ...members] = records(cluster);
  const storyline = storylineOf.get(cluster.first)?.first ?? cluster.first;
  const story = data.origins[cluster.number];
  const merges = story?.merges.map(([first, second, because, probability]) => ({ first: data.ids[cluster.first + first], second: data.ids[cluster.first + second], because, probability: probability === null ? null : probability / 1000 })) ?? [];
  return `${JSON.stringify({ cluster: canonical.id, size: cluster.size, storyline: data.ids[storyline], origins: story?.count ?? null, canonical, members, merges }, null, 1)}\n`;
}

function clusterCsv(cluster) {
  const rows = records(cluster).map((record) => ({ cluster: data.ids[cluster.first], ...record, agencies: record.agencies.join(", ") }));
  const cell = (value) => {
    const text = value === null ? "" : typeof value === "string" && FORMULA.test(value) ? `'${value}` : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [Object.keys(rows[0]), ...rows.map(Object.values)].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function exportButtons(cluster) {
  const id = data.ids[cluster.first];
  const button = (name, extension, type, write) => {
    const node = make("button", { type: "button", class: "button" }, name);
    node.addEventListener("click", () => download(fileName(id, extension), type, write(cluster)));
    return node;
  };
  return make("p", { class: "exports" }, button("Save as JSON", "json", "application/json", clusterJson), button("Save as CSV", "csv", "text/csv", clusterCsv));
}
