"use strict";
// The keyboard, and the places that the browser's Back and Forward return to.

const ROW_LINKS = ".view:not([hidden]) :is(#rows a, #article-rows a, .storyline h2 a, .chapters a, .pairs a.button, .members a.button)";
const SEARCHES = { clusters: "query", storylines: "storyline-query", articles: "article-query", outlets: "outlet-query" };

/** Move the focus to the next or the previous row of the list that is shown. */
function moveInList(step) {
  const links = [...document.querySelectorAll(ROW_LINKS)].filter((link) => link.checkVisibility());
  const at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

/** Open the next or the previous cluster of the list, as it is searched and sorted. */
function moveToCluster(step) {
  const at = byId("cluster").hidden ? NONE : found.indexOf(clusterShown);
  const next = at >= 0 && found[at + step];
  if (next) location.hash = linkTo({ cluster: data.ids[next.first] });
}

function focusSearch() {
  const shown = Object.keys(SEARCHES).find((view) => !byId(view).hidden && byId(SEARCHES[view]));
  if (!shown) location.hash = "clusters";
  setTimeout(() => byId(SEARCHES[shown ?? "clusters"]).focus());
}

const KEYS = {
  "/": focusSearch,
  "?": () => byId("keys").showModal(),
  j: () => moveInList(1),
  k: () => moveInList(-1),
  n: () => moveToCluster(1),
  p: () => moveToCluster(-1),
};

function listenToKeys() {
  byId("show-keys").addEventListener("click", KEYS["?"]);
  addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (typing || byId("keys").open || event.ctrlKey || event.metaKey || event.altKey) return;
    const answer = ANSWERS.find(([, , key]) => key === event.key)?.[0];
    const view = document.querySelectorAll("nav a")[event.key >= "1" && event.key <= "9" ? Number(event.key) - 1 : NONE];
    if (KEYS[event.key]) KEYS[event.key]();
    else if (view) location.hash = view.hash;
    else if (answer && pairShown && byId("comparison")?.checkVisibility()) answerPair(...pairShown, answer);
    else return;
    event.preventDefault();
  });
}

// ---- back and forward --------------------------------------------------------------------------------------------------

const scrolls = new Map(); // entry of the history → where its view was scrolled to
let entries = 0; // those that this page has made
let entry = ""; // the entry that is shown
let hashShown = ""; // its address

/** Note the entry of the history that is shown; return where it was scrolled to, or null for a new one. */
function enterHistory() {
  hashShown = location.hash;
  const state = history.state;
  if (!state?.entry) {
    entry = `${performance.timeOrigin}-${++entries}`;
    history.replaceState({ entry }, "");
    return null;
  }
  entry = state.entry;
  return scrolls.get(entry) ?? scrollBeforeReload() ?? 0;
}

/** Return where the entry was scrolled to when the page was left or loaded again, null if the browser keeps nothing. */
function scrollBeforeReload() {
  try {
    const [left, position] = JSON.parse(sessionStorage.getItem("dedup scroll") ?? "[]");
    return left === entry ? position : null;
  } catch {
    return null;
  }
}

function rememberScrolling() {
  history.scrollRestoration = "manual";
  // An address changes before its view is drawn, and the browser may scroll in between: that is no place to come back to.
  addEventListener("scroll", () => { if (location.hash === hashShown) scrolls.set(entry, scrollY); }, { passive: true });
  addEventListener("pagehide", () => {
    try {
      sessionStorage.setItem("dedup scroll", JSON.stringify([entry, scrollY]));
    } catch { /* the browser keeps nothing for this page */ }
  });
}

/** Scroll to where a view was left, now and when its texts are there; focus the link that led away from it. */
async function returnTo(position, heading, left) {
  const here = entry;
  const jump = () => scrollTo({ top: position, behavior: "instant" });
  const link = [...document.querySelectorAll(ROW_LINKS)].find((one) => one.hash === left);
  (link ?? heading).focus({ preventScroll: true });
  jump();
  await textsDrawn;
  if (entry === here && scrollY < position) jump();
}
