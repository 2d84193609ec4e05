/** After a session that ended in the midst of a form: what was typed is put back into it. Nothing is sent. */

const typed = JSON.parse(document.getElementById("unsent").textContent);

const pathOf = (address) => new URL(address ?? "", location.href).pathname;

/** Whether the form, or one of its buttons, goes where the unsent one would have gone. */
const goesThere = (form) => [form, ...form.querySelectorAll("[formaction]")]
  .some((one) => pathOf(one.getAttribute("formaction") ?? form.getAttribute("action")) === typed.action);

function putBack(control) {
  const values = typed.fields.filter(([name]) => name === control.name).map(([, value]) => value);
  if (!control.name || control.type === "hidden" || control.type === "file" || control.matches("button")) return;
  if (control.type === "checkbox" || control.type === "radio") control.checked = values.includes(control.value || "on");
  else if (values.length) control.value = values[0];
}

/** The page's own scripts have filled in first what they know, so this is the last word. */
addEventListener("DOMContentLoaded", () => {
  const form = [...document.forms].find((one) => one.method === "post" && goesThere(one));
  if (!form) return;
  [...form.elements].forEach(putBack);
  for (let around = form.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
  form.dispatchEvent(new Event("input", { bubbles: true }));
  form.dispatchEvent(new Event("change", { bubbles: true }));
  document.body.dispatchEvent(new Event("recipient-filled"));
  const notice = document.getElementById("unsent-notice");
  notice.hidden = false;
  notice.focus();
});
