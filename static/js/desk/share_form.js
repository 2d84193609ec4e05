/** The share form fills in what is known of a recipient, and leaves alone what was typed. */

const form = document.getElementById("share-form");
const reachable = JSON.parse(document.getElementById("reachable").textContent);
const field = (name) => form.elements[name];

/** What the form last filled in by itself; anything else in the field was typed. */
const filled = { recipient_name: field("recipient_name").value, address: field("address").value };
const REASONS = { patient: "patient-request", guardian: "patient-request", dentist: "referral" };

/** @returns {{name: string, text: string, email: string, language?: string}} what is known of who is chosen */
function known() {
  const kind = field("recipient_kind").value;
  if (kind !== "dentist") return reachable[kind];
  const name = field("recipient_name").value.trim();
  return reachable.dentists.find((dentist) => dentist.name === name) ?? { name: "", text: "", email: "" };
}

function fill(name, value) {
  const input = field(name);
  if (input.value !== filled[name] && input.value !== "") return;
  input.value = filled[name] = value;
}

function fillAddress() {
  fill("address", known()[field("channel").value] ?? "");
  const isText = field("channel").value === "text";
  field("address").type = isText ? "tel" : "email";
  form.querySelector("label[for=id_address]").textContent = isText ? "Mobile number" : "E-mail address";
}

form.addEventListener("change", ({ target }) => {
  if (target.name === "recipient_kind") {
    const person = known();
    fill("recipient_name", person.name);
    field("purpose").value = REASONS[target.value];
    field("allows_download").value = target.value === "dentist" ? "yes" : "no";
    if (person.language) field("language").value = person.language;
  }
  if (["recipient_kind", "channel", "recipient_name"].includes(target.name)) {
    fillAddress();
    document.body.dispatchEvent(new Event("recipient-filled"));
  }
});

fillAddress();
