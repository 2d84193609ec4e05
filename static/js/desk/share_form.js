/** The share form fills in what is known of a recipient, and leaves alone what was typed. */

const form = document.getElementById("share-form");
const reachable = JSON.parse(document.getElementById("reachable").textContent);
const field = (name) => form.elements[name];

/** What the form last filled in by itself; anything else in the field was typed. */
const filled = { recipient_name: field("recipient_name").value, address: field("address").value };
const REASONS = { patient: "patient-request", guardian: "patient-request", dentist: "referral" };
const LABELS = { text: "Mobile number", email: "E-mail address", letter: "Where the letter goes (optional)" };
const TYPES = { text: "tel", email: "email", letter: "text" };

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

/** Whom the desk has picked, so that the wrong one of two is noticed before anything leaves. */
function showDentist() {
  const place = form.querySelector("[data-dentist]");
  const { clinic, npi, phone, email, text } = field("recipient_kind").value === "dentist" ? known() : {};
  const parts = [clinic, npi && `NPI ${npi}`, phone && `office ${phone}`, email, text].filter(Boolean);
  place.textContent = parts.length ? `In the directory: ${parts.join(" · ")}` : "";
  place.hidden = !parts.length;
}

function fillAddress() {
  showDentist();
  fill("address", known()[field("channel").value] ?? "");
  label();
}

function label() {
  const channel = field("channel").value;
  field("address").type = TYPES[channel];
  form.querySelector("label[for=id_address]").textContent = LABELS[channel];
}

/** What goes with a kind of recipient: the usual reason, and whether they may download. */
function suit(kind) {
  field("purpose").value = REASONS[kind];
  field("allows_download").value = kind === "dentist" ? "yes" : "no";
}

const tell = () => document.body.dispatchEvent(new Event("recipient-filled"));

form.addEventListener("change", ({ target }) => {
  if (target.name === "recipient_kind") {
    const person = known();
    fill("recipient_name", person.name);
    suit(target.value);
    if (person.language) field("language").value = person.language;
  }
  if (["recipient_kind", "channel", "recipient_name"].includes(target.name)) {
    fillAddress();
    tell();
  }
});

/** Somebody the images went to before, with everything as it was then. */
form.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-before]");
  if (!button) return;
  const person = reachable.before[Number(button.dataset.before)];
  field("recipient_kind").value = person.kind;
  field("channel").value = person.channel;
  field("language").value = person.language;
  field("recipient_name").value = filled.recipient_name = person.name;
  field("address").value = filled.address = person.address;
  suit(person.kind);
  label();
  tell();
});

fillAddress();

/**
 * What is left to do: an address, or else only to ask and to tick. The page stays where it is, and a finger, which would
 * get a keyboard on the screen, is left alone.
 */
function goToWhatIsLeft() {
  if (document.activeElement !== document.body || !matchMedia("(pointer: fine)").matches) return;
  const needs = field("is_the_one") ?? (field("address").value || field("channel").value === "letter" ? field("consent") : field("address"));
  needs.focus({ preventScroll: true });
}
goToWhatIsLeft();
