/** The check of a number inside a larger form: Enter in the code's field checks the code and sends no form. */

document.addEventListener("keydown", (event) => {
  const button = event.key === "Enter" && document.getElementById(event.target.dataset?.enter ?? "");
  if (!button) return;
  event.preventDefault();
  button.click();
});

// What was just swapped in and asks for an answer takes the cursor.
document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.id === "number-check") target.querySelector("[data-takes-focus]")?.focus();
});
