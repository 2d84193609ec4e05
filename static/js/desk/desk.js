/**
 * What every page of the desk has: keys, lists walked by arrows, questions before what can't be undone,
 * and one place where trouble with the connection or the session shows.
 */

import "../once.js";

const trouble = document.getElementById("trouble");
const csrfToken = () => document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";

/** Whether a key press belongs to a field the reader is typing in. */
const isTyping = (target) => target.closest("input, select, textarea, [contenteditable]") !== null;

// --- keys -----------------------------------------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") return walk(event);
  if (isTyping(event.target)) return;
  if (event.key === "/") return goToSearch(event);
  const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (target) { event.preventDefault(); target.click(); }
});

/** `/` puts the cursor into the search box, from any page of the desk. */
function goToSearch(event) {
  event.preventDefault();
  const search = document.getElementById("search");
  if (search) search.select();
  else document.querySelector(".top-name")?.click();
}

/** The arrow keys go from the search box into the list and through it. */
function walk(event) {
  const list = document.querySelector("[data-arrow-list]");
  const search = document.getElementById("search");
  if (!list || !(event.target === search || list.contains(event.target))) return;
  const stops = [search, ...list.querySelectorAll("a")];
  const next = stops[stops.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
  if (next) { event.preventDefault(); next.focus(); }
}

// --- forms ----------------------------------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const sure = event.target.closest("[data-sure]");
  if (sure && !window.confirm(sure.dataset.sure)) event.preventDefault();
  if (event.target.closest("[data-print]")) window.print();
});

document.querySelector("[data-takes-focus]")?.focus();

// --- htmx -----------------------------------------------------------------------------------------------------------

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = csrfToken();
});

// A page nobody looks at needn't ask.
document.addEventListener("htmx:beforeRequest", (event) => {
  const isBackground = event.detail.requestConfig.headers["X-Background"] === "1";
  if (isBackground && document.hidden) event.preventDefault();
});

document.addEventListener("htmx:afterRequest", (event) => {
  const { successful, xhr, elt } = event.detail;
  if (successful) {
    trouble.hidden = true;
    if (elt.dataset.then) document.body.dispatchEvent(new Event(elt.dataset.then));
  } else if (xhr.status === 401) {
    // The session has ended: names must not stay on an unattended screen.
    location.assign(location.pathname);
  } else if (xhr.status === 0 || xhr.status >= 500) {
    say("No connection to Scanpass. Trying again.");
  } else {
    say(problemOf(xhr));
  }
});

function say(sentence) {
  trouble.textContent = sentence;
  trouble.hidden = false;
}

/** The sentence of a problem document (RFC 9457). */
function problemOf(xhr) {
  try { return JSON.parse(xhr.responseText).detail; } catch { return "That did not work. Please reload the page."; }
}
