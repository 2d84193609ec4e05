/** The pages before the desk: the error summary takes the focus, and the set-up link gives its key and forgets it. */

document.querySelector("[data-takes-focus]")?.focus();

const place = document.querySelector("[data-setup-key]");
if (place && location.hash.length > 1) {
  place.querySelector("input").value = decodeURIComponent(location.hash.slice(1));
  place.hidden = true;
  // Neither the history nor a screenshot of the address bar should keep the key.
  history.replaceState(null, "", location.pathname);
  document.querySelector("[name=practice_name]").focus();
}
