/**
 * A second click or Enter must not send a second text, nor take the answer to the first from the reader.
 * Forms with `data-once` are sent once; any other may be sent again after a second, for some answer with a file.
 */

const DOUBLE_CLICK_MS = 1000;

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  const sinceMs = performance.now() - Number(form.dataset.sentAt ?? -DOUBLE_CLICK_MS);
  if (form.dataset.sentAt && (form.matches("[data-once]") || sinceMs < DOUBLE_CLICK_MS)) event.preventDefault();
  else form.dataset.sentAt = String(performance.now());
});

// Coming back by the Back button, or after a refusal from the browser's memory, it may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sentAt;
});
