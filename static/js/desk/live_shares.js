/** The list of all shares: ticks survive its updates, and ending many asks once, saying how many. */

const live = () => document.getElementById("live");
const ticks = () => [...live().querySelectorAll("input[name=share]")];
let ticked = new Set();

/** The button says how many it would end, and asks with the same number. */
function count() {
  const end = live().querySelector("[data-end]");
  if (!end) return;
  const chosen = ticks().filter((tick) => tick.checked).length;
  const shares = `${chosen} share${chosen === 1 ? "" : "s"}`;
  end.disabled = chosen === 0;
  end.textContent = chosen ? `Revoke ${shares}` : "Revoke";
  end.dataset.sure = `End ${shares} now? Open viewers close within seconds.`;
  const all = live().querySelector("[data-all]");
  all.checked = chosen > 0 && chosen === ticks().length;
  all.indeterminate = chosen > 0 && !all.checked;
}

document.addEventListener("change", ({ target }) => {
  if (target.closest("#filters")) return target.form.requestSubmit();
  if (!target.closest("#live")) return;
  if (target.matches("[data-all]")) ticks().forEach((tick) => { tick.checked = target.checked; });
  count();
});

document.addEventListener("htmx:beforeSwap", ({ target }) => {
  if (target.id === "live") ticked = new Set(ticks().filter((tick) => tick.checked).map((tick) => tick.value));
});
document.addEventListener("htmx:afterSettle", () => {
  ticks().forEach((tick) => { tick.checked ||= ticked.has(tick.value); });
  count();
});

count();
