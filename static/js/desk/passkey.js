/**
 * Passkeys: asks the server for a challenge, the browser for an answer, and takes the answer back.
 *
 * A form with `data-passkey` ("create" or "get") names both addresses. It stays hidden where the browser has no passkeys.
 * Source: W3C Web Authentication level 3, 5.1.
 */

const BINARY = { create: ["attestationObject"], get: ["authenticatorData", "signature", "userHandle"] };

/** base64url, as the server writes bytes. */
const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const toText = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

/** The options as the browser wants them: bytes where JSON has text. */
function read(options) {
  const known = (list) => (list ?? []).map((one) => ({ ...one, id: toBytes(one.id) }));
  return {
    ...options,
    challenge: toBytes(options.challenge),
    ...(options.user && { user: { ...options.user, id: toBytes(options.user.id) } }),
    ...(options.allowCredentials && { allowCredentials: known(options.allowCredentials) }),
    ...(options.excludeCredentials && { excludeCredentials: known(options.excludeCredentials) }),
  };
}

/** The browser's answer as JSON. */
function write(credential, kind) {
  const response = { clientDataJSON: toText(credential.response.clientDataJSON) };
  for (const name of BINARY[kind]) {
    if (credential.response[name]) response[name] = toText(credential.response[name]);
  }
  if (kind === "create") response.transports = credential.response.getTransports?.() ?? [];
  return {
    id: credential.id, rawId: toText(credential.rawId), type: credential.type, response,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

/** Asks the server; what it refuses is an error with its sentence. */
async function ask(form, address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": form.querySelector("[name=csrfmiddlewaretoken]").value },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  // A code is asked for first: the page for it comes back here.
  if (answer.status === 403 && said.next) { location.assign(`${said.next}?next=${encodeURIComponent(location.pathname)}`); return null; }
  if (!answer.ok) throw new Refused(said.detail);
  return said;
}

class Refused extends Error {}

/** One go, from the press of the button to the next page. */
async function go(form) {
  const kind = form.dataset.passkey;
  const options = await ask(form, form.dataset.options, {});
  if (!options) return;
  const credential = await navigator.credentials[kind]({ publicKey: read(options) });
  const fields = Object.fromEntries([...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken"));
  const done = await ask(form, form.action, { ...write(credential, kind), ...fields });
  if (done) location.assign(done.next);
}

/** What people are told: the server's own sentence, or what usually lies behind the browser's. */
function words(error) {
  if (error instanceof Refused) return error.message;
  if (error.name === "InvalidStateError") return "This device has a passkey for you already.";
  if (error.name === "SecurityError") return "Passkeys don't work at this address. Type the code of your app.";
  if (error.name === "NotAllowedError") return "Nothing was confirmed. Try again, or type the code of your app.";
  return "That didn't work. Try again, or type the code of your app.";
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const trouble = form.querySelector("[role=alert]");
  form.hidden = !window.PublicKeyCredential;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    trouble.textContent = "";
    try { await go(form); } catch (error) { trouble.textContent = words(error); }
    button.disabled = false;
  });
}
