"use strict";
// The list of all articles of the page, those of no cluster too, and the view of an article that nothing repeats.

let articleWords; // place → search text, made when the list is first opened
let foundArticles = [];
let drawnArticles = 0;

const ARTICLE_KINDS = {
  single: (place) => !clusterAt(place) && !storylineOf.has(place),
  kept: (place) => data.relations[place] === NONE,
  repeat: (place) => data.relations[place] !== NONE,
};
const ARTICLE_SORTS = {
  newest: (a, b) => (data.dates[b] ?? -Infinity) - (data.dates[a] ?? -Infinity) || 0,
  oldest: (a, b) => (data.dates[a] ?? Infinity) - (data.dates[b] ?? Infinity) || 0,
  title: (a, b) => titles.compare(titleOf(a), titleOf(b)),
};

const linkToStory = (place) => `#story-${encodeURIComponent(data.ids[place])}`;

function openArticles() {
  for (const id of ["article-query", "article-kind", "article-sort"]) byId(id).addEventListener("input", searchArticles);
  byId("search-articles").addEventListener("submit", (event) => event.preventDefault());
  byId("more-articles").addEventListener("click", drawMoreArticles);
}

/** Fill the list when its view is first shown. */
function showArticles() {
  if (articleWords) return;
  articleWords = data.ids.map((id, place) => `${titleOf(place)}\n${sourceOf(place)}\n${id}`.toLowerCase());
  searchArticles();
}

function searchArticles() {
  const query = byId("article-query").value.toLowerCase().split(/\s+/).filter(Boolean);
  const isKind = ARTICLE_KINDS[byId("article-kind").value];
  foundArticles = [...articleWords.keys()].filter((place) => query.every((word) => articleWords[place].includes(word)));
  if (isKind) foundArticles = foundArticles.filter(isKind);
  foundArticles.sort(ARTICLE_SORTS[byId("article-sort").value]);
  const all = counted(articleWords.length, "article");
  byId("article-count").textContent = foundArticles.length === articleWords.length ? all : `${number(foundArticles.length)} of ${all}`;
  drawnArticles = 0;
  byId("article-rows").replaceChildren();
  showEmpty("article-rows", foundArticles.length === 0);
  drawMoreArticles();
}

function drawMoreArticles() {
  const next = foundArticles.slice(drawnArticles, drawnArticles + AT_ONCE);
  byId("article-rows").append(...next.map(articleRow));
  drawnArticles += next.length;
  const left = foundArticles.length - drawnArticles;
  byId("more-articles").hidden = left === 0;
  byId("more-articles").textContent = `Show ${number(Math.min(left, AT_ONCE))} more of ${number(left)}`;
}

function articleRow(place) {
  const facts = [sourceOf(place), dateOf(data.dates[place]), data.ids[place]].filter(Boolean).join(" · ");
  return make("tr", {},
    make("th", { scope: "row" }, make("a", { href: linkToStory(place), dir: "auto" }, titleOf(place)), make("small", {}, facts)),
    make("td", {}, fateOf(place)));
}

/** Return what became of an article. */
function fateOf(place) {
  const relation = relationOf(place);
  if (relation !== "kept") return make("span", { class: `relation ${relation}` }, relation);
  const again = (headed.get(place)?.size ?? 1) - 1;
  return make("span", { class: "relation kept" }, again ? `kept, ${counted(again, "repeat")}` : storylineOf.has(place) ? "kept, in a storyline" : "kept, single");
}

/** Return a link to the article on the site of its outlet, named by the outlet or else by its site; null without an address. */
function sourceLink(place, name = "") {
  const url = data.links[place];
  if (!/^https?:\/\//i.test(url)) return null;
  return make("a", { class: "source", href: url, rel: "noopener noreferrer", target: "_blank", "aria-label": `Read it at ${name || hostOf(url)}, in a new tab: ${titleOf(place)}` }, name || hostOf(url), "\u00a0↗");
}

function hostOf(url) {
  try {
    return new URL(url).hostname.replace(/^www\./, "");
  } catch {
    return "link";
  }
}

/** Return the parts of the view of an article that no other one repeats or follows. */
function singleView(place) {
  return [
    make("a", { class: "back", href: "#articles" }, "← All articles"),
    make("h1", { tabindex: "-1", dir: "auto" }, titleOf(place)),
    make("p", { class: "lede" }, [sourceOf(place), dateOf(data.dates[place]), data.ids[place]].filter(Boolean).join(" · ")),
    make("section", { class: "card" }, make("h2", {}, "A single article"),
      make("p", {}, "No other article of the corpus repeats it or follows it. It is kept, and this page lacks its text."),
      make("p", {}, sourceLink(place))),
  ];
}
