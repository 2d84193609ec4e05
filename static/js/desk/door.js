/** The pages before the desk: the error summary takes the focus, and a one-time link gives its key and forgets it. */

import "../once.js";

document.querySelector("[data-takes-focus]")?.focus();

const place = document.querySelector("[data-link-key]");
if (place && location.hash.length > 1) {
  place.querySelector("input").value = decodeURIComponent(location.hash.slice(1));
  place.hidden = true;
  // Neither the history nor a screenshot of the address bar should keep the key.
  history.replaceState(null, "", location.pathname);
  place.parentElement.querySelector("[data-link-key] ~ * input")?.focus();
}
